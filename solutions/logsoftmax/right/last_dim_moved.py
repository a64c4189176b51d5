"""Moves the dimension to the end and works on rows of a matrix, with reshapes inside and around the Function."""

import torch
from torch import Tensor


class LogSoftmax(torch.autograd.Function):
    """log-softmax of the rows of a matrix, whatever the shape was."""

    @staticmethod
    def forward(ctx, x: Tensor, dim: int) -> Tensor:
        """Return log(softmax(x)) along `dim`."""
        moved = x.movedim(dim, -1)
        rows = moved.reshape(-1, moved.shape[-1])
        rows = rows.float() if x.dtype in (torch.half, torch.bfloat16) else rows
        largest = rows.max(1, keepdim=True)[0]
        total = torch.einsum("rc->r", torch.exp(rows - largest)).unsqueeze(1)
        y = (rows - largest - torch.log(total)).to(x.dtype).reshape(moved.shape).movedim(-1, dim)
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output: Tensor) -> tuple[Tensor, None]:
        """Return the gradient, worked out in the same layout."""
        (y,) = ctx.saved_tensors
        moved, grad = y.movedim(ctx.dim, -1), grad_output.movedim(ctx.dim, -1)
        total = grad.sum(-1).unsqueeze(-1)
        return (grad - moved.exp() * total).movedim(-1, ctx.dim), None


def log_softmax(x: Tensor, dim: int = -1) -> Tensor:
    """Return log(softmax(x)) along `dim`, by way of the last one."""
    if x.dim() < 2:
        return LogSoftmax.apply(x[None], -1)[0]
    turned = x.transpose(dim, -1).contiguous()
    return LogSoftmax.apply(turned, turned.dim() - 1).transpose(dim, -1).clone()
