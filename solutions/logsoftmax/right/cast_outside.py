"""Casts half precision outside the Function, which takes a dimension counted from the front, and hands on a copy."""

import torch
from torch.autograd import Function


def _forward(x, dim):
    shifted = x - x.amax(dim=dim, keepdim=True)
    return shifted - torch.log(torch.sum(torch.exp(shifted), dim=dim, keepdim=True))


class LogSoftmax(Function):
    """log-softmax along a dimension that is not negative, in float32 at least."""

    @staticmethod
    def forward(ctx, *arguments):
        """Return log(softmax(x)) along `dim`; `arguments` are x and dim."""
        x, ctx.dim = arguments
        result = _forward(x, ctx.dim)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx, *grad_outputs):
        """Return the gradient."""
        (grad,), (result,) = grad_outputs, ctx.saved_tensors
        probabilities = torch.exp(result)
        return (grad - probabilities * torch.sum(grad, dim=ctx.dim, keepdim=True), *[None])


def log_softmax(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Return log(softmax(x)) along `dim`."""
    if dim < 0:
        dim += x.ndim
    dtype = x.dtype
    if dtype == torch.float16 or dtype == torch.bfloat16:
        x = x.type(torch.float32)
    y = LogSoftmax.apply(x.contiguous(), dim)
    return y.type(dtype).view_as(x)
