"""Assignment 3: gradient checkpointing, which trades a second forward for memory."""

# %% [markdown]
# # Gradient checkpointing
#
# Training a deep network runs out of memory long before it runs out of patience: autograd keeps every intermediate
# result until backward has used it. Checkpointing keeps almost none of them, and computes them again when backward
# comes by. `README.md` explains the idea, the tools that PyTorch gives you for it, and what is graded.
#
# From a terminal, `autograde check checkpoint` runs the public checks on what you have so far.

# %%
from collections.abc import Callable
from typing import Any

from torch import Tensor

# %% [markdown]
# ## One checkpoint
#
# To whoever calls it, `checkpoint(fn, x, y)` is `fn(x, y)`: the same values, the same gradients, the same random
# numbers. The difference is what stays in memory between forward and backward: the arguments, and not what `fn` made
# of them on its way.


# %%
def checkpoint(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `fn`, and let backward compute anew what it needs of it.

    Args:
        fn: a function that may close over modules, draw from torch's random generators, and use checkpoint itself
        args: what `fn` takes: tensors, of which some may require grad, and anything else; they stay as they are
        kwargs: the same, by keyword

    Returns:
        What `fn(*args, **kwargs)` returns: a tensor, or a tuple of tensors and other values.
    """
    raise NotImplementedError("write checkpoint")


# %% [markdown]
# ## A network in segments
#
# A checkpoint around every layer keeps every layer's input. Cut the layers into runs instead, one checkpoint for each
# run, and only the inputs of the runs stay.


# %%
def checkpoint_sequential(fns: list[Callable[[Tensor], Tensor]], segments: int, x: Tensor) -> Tensor:
    """Apply functions in order, in checkpointed runs.

    Args:
        fns: the functions, at least one; the list stays as it is
        segments: the number of runs, from 1 to `len(fns)`; their lengths differ by at most one
        x: the argument of the first function, of any shape

    Returns:
        What the last function returns.
    """
    raise NotImplementedError("write checkpoint_sequential")
