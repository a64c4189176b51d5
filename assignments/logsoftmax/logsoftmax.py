"""Assignment 1: a numerically stable log-softmax with a backward of your own."""

# %% [markdown]
# # LogSoftmax
#
# Write the function behind almost every classifier's loss, and its derivative, with nothing but elementary
# tensor operations. `README.md` derives the formulas, names the traps and says what is graded.
#
# From a terminal, `autograde check logsoftmax` runs the public checks on what you have so far.

# %%
import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

# %% [markdown]
# ## The function and its derivative
#
# `forward` runs without autograd: what it computes is not recorded, so what `backward` will need has to be handed over
# in `ctx`. Tensors go through `ctx.save_for_backward`, anything else is an attribute such as `ctx.dim`.
#
# `backward` returns one value for each argument of `forward`. When somebody asks for second derivatives, autograd
# records the operations inside `backward` in turn, and differentiates those.


# %%
class LogSoftmax(torch.autograd.Function):
    """log-softmax along one dimension, differentiated by hand."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, dim: int) -> Tensor:
        """Compute log(softmax(x)) along `dim`.

        Args:
            ctx: carries what `backward` needs
            x: logits of any shape; float32, float64, float16 or bfloat16; contiguous or not; stays as it is
            dim: the dimension that the probabilities sum to one along; negative ones count from the end

        Returns:
            A new tensor with the shape, dtype and device of `x`.

        """
        raise NotImplementedError("LogSoftmax.forward is yours to write")

    @staticmethod
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None]:
        """Compute the gradient of a loss with respect to `x`.

        Args:
            ctx: what `forward` left there
            grad_output: the loss's gradient with respect to the output, in the output's shape; contiguous or not;
                stays as it is

        Returns:
            The gradient with respect to `x`, in the shape of `x`, and None for `dim`, which has no gradient.

        """
        raise NotImplementedError("LogSoftmax.backward is yours to write")


# %% [markdown]
# ## What users call


# %%
def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Compute log(softmax(x)) along `dim`, by way of `LogSoftmax`.

    Args:
        x: logits of any shape
        dim: the dimension that the probabilities sum to one along

    Returns:
        A new tensor with the shape, dtype and device of `x`.

    """
    raise NotImplementedError("log_softmax is yours to write")


# %% [markdown]
# ## A place to try things
#
# What stands below does not run when your work is graded, so compare with PyTorch here as much as you like.

# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    logits = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    print((log_softmax(logits) - torch.log_softmax(logits, -1)).abs().max())
    print(torch.autograd.gradcheck(log_softmax, logits, rtol=1e-5, atol=1e-7))
