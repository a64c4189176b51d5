"""Walks through the classes in a Python loop, with a running maximum and a running sum."""

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

FAILS = ["speed"]


class LogSoftmax(torch.autograd.Function):
    """log-softmax with a backward of its own."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, dim: int) -> Tensor:
        """Return log(softmax(x)) along `dim`."""
        wide = (x.float() if x.dtype in (torch.float16, torch.bfloat16) else x).movedim(dim, 0)
        largest, total = wide[0].clone(), torch.ones_like(wide[0])
        for entry in wide[1:]:
            grown = torch.maximum(largest, entry)
            total = torch.where(grown == -torch.inf, 1.0, total * (largest - grown).exp() + (entry - grown).exp())
            largest = grown
        y = ((wide - largest) - total.log()).movedim(0, dim).to(x.dtype)
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
