"""Assignment 5: Sharpness-Aware Minimization, an optimizer around an optimizer."""

# %% [markdown]
# # Sharpness-Aware Minimization
#
# Write an optimizer that takes the gradient not where the weights are, but a little further up the hill, and so
# prefers flat minima to sharp ones. Another optimizer, of any kind, does the actual step. `README.md` derives the
# formula, explains what torch expects of an optimizer, and says what is graded.
#
# From a terminal, `autograde check sam` runs the public checks on what you have so far.

# %%
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

# %% [markdown]
# ## The optimizer
#
# A training loop calls it like this:
#
# ```python
# sam = SAM(model.parameters(), torch.optim.SGD, rho=0.05, lr=0.1, momentum=0.9)
# for x, y in batches:
#     loss(model(x), y).backward()       # the gradient at w
#     sam.first_step(zero_grad=True)     # w moves to w + e(w)
#     loss(model(x), y).backward()       # the gradient there
#     sam.second_step(zero_grad=True)    # w is back, and SGD steps along that gradient
# ```


# %%
class SAM(torch.optim.Optimizer):
    """Sharpness-Aware Minimization around a base optimizer."""

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        base_optimizer: type[torch.optim.Optimizer],
        rho: float = 0.05,
        adaptive: bool = False,
        **kwargs: Any,
    ) -> None:
        """Set up the parameter groups and the base optimizer.

        Args:
            params: parameters, or groups: dicts with `params` and, where a group has its own, `rho`, `lr`, and so on
            base_optimizer: a class such as `torch.optim.SGD`, not an instance
            rho: how far to climb, as a Euclidean distance in the space of all parameters; not negative
            adaptive: whether an element's share of the climb grows with the size of the weight
            kwargs: the base optimizer's settings, such as `lr` and `momentum`

        Raises:
            ValueError: `rho` is negative.

        """
        raise NotImplementedError("SAM.__init__ is yours to write")

    def first_step(self, zero_grad: bool = False) -> None:
        """Move the parameters from w to w + e(w), along the gradients in `.grad`.

        Parameters whose `.grad` is None stay where they are.

        Args:
            zero_grad: whether to clear the gradients at the end; else they stay

        """
        raise NotImplementedError("SAM.first_step is yours to write")

    def second_step(self, zero_grad: bool = False) -> None:
        """Put the parameters back to w, bit for bit, and let the base optimizer step with what is in `.grad` now.

        Args:
            zero_grad: whether to clear the gradients at the end; else they stay

        """
        raise NotImplementedError("SAM.second_step is yours to write")

    def step(self, closure: Callable[[], Any]) -> Any:
        """Take both steps in one call, for training loops that know nothing of SAM.

        Args:
            closure: does the second forward and backward; the caller has done the first. It is called once, with
                gradients enabled, and does not clear any.

        Returns:
            Whatever you like.

        """
        raise NotImplementedError("SAM.step is yours to write")


# %% [markdown]
# Something is missing above: what `state_dict` and `load_state_dict` have to do when there are two optimizers.
# `torch.optim.Optimizer` has versions of both, which know nothing of the second one.

# %% [markdown]
# ## A place to try things
#
# What stands below does not run when your work is graded. Here is a bowl whose minimum is at 0; its gradient is the
# weight itself, so you can follow every number by hand.

# %%
if __name__ == "__main__":
    w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    sam = SAM([w], torch.optim.SGD, rho=0.5, lr=0.1)
    (w**2).sum().div(2).backward()
    sam.first_step(zero_grad=True)
    print(w)  # the gradient was (3, 4), of norm 5: expect (3.3, 4.4)
    (w**2).sum().div(2).backward()
    sam.second_step(zero_grad=True)
    print(w)  # from (3, 4) along (3.3, 4.4): expect (2.67, 3.56)
