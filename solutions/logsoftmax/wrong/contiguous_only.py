"""Views the logits as rows, which a transposed or strided tensor does not allow."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

FAILS = ["values"]


class LogSoftmax(torch.autograd.Function):
    """log-softmax with a backward of its own."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, dim: int) -> Tensor:
        """Return log(softmax(x)) along `dim`."""
        last = x if dim in (-1, x.ndim - 1) else x.movedim(dim, -1).contiguous()
        rows = last.view(-1, last.shape[-1])
        wide = rows.float() if x.dtype in (torch.float16, torch.bfloat16) else rows
        shifted = wide - wide.amax(1, keepdim=True)
        y = (shifted - shifted.exp().sum(1, keepdim=True).log()).to(x.dtype).view(last.shape)
        y = y if last is x else y.movedim(-1, dim)
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, grad_output: Tensor) -> tuple[Tensor, None]:
        """Return the gradient with respect to `x`."""
        (y,) = ctx.saved_tensors
        return grad_output - y.exp() * grad_output.sum(ctx.dim, keepdim=True), None


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
