"""Views the gradient that came in as one row, which an expanded or transposed one does not allow."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

FAILS = ["gradcheck"]


class LogSoftmax(torch.autograd.Function):
    """log-softmax with a backward of its own."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, dim: int) -> Tensor:
        """Return log(softmax(x)) along `dim`."""
        wide = x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
        shifted = wide - wide.amax(dim, keepdim=True)
        y = (shifted - shifted.exp().sum(dim, keepdim=True).log()).to(x.dtype)
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to `x`."""
        (y,) = ctx.saved_tensors
        grad_output = grad_output.view(-1).view(y.shape)
        return grad_output - y.exp() * grad_output.sum(ctx.dim, keepdim=True), None


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
