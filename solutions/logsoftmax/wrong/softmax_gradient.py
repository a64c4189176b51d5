"""Uses the derivative of softmax, not of its logarithm."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

FAILS = ["gradcheck", "extreme_gradients"]


class LogSoftmax(torch.autograd.Function):
    """log-softmax with a backward of its own."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, dim: int) -> Tensor:
        """Return log(softmax(x)) along `dim`."""
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        shifted = wide - wide.amax(dim, keepdim=True)
        y = (shifted - shifted.exp().sum(dim, keepdim=True).log()).to(x.dtype)
        ctx.dim = dim
        ctx.save_for_backward(x)
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to `x`."""
        (x,) = ctx.saved_tensors
        exp = (x - x.amax(ctx.dim, keepdim=True)).exp()
        softmax = exp / exp.sum(ctx.dim, keepdim=True)
        return softmax * (grad_output - (softmax * grad_output).sum(ctx.dim, keepdim=True)), None


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
