"""Writes the derivative by hand in a torch.autograd.Function, and works in place in a tensor of its own."""

import torch


class Normalize(torch.autograd.Function):
    """Division by the length along a dimension."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return x / |x|."""
        largest = x.abs().amax(dim, keepdim=True)
        largest[largest == 0] = 1
        y = x / largest
        length = torch.linalg.vector_norm(y, dim=dim, keepdim=True)
        length[length == 0] = 1
        y /= length
        ctx.save_for_backward(y, largest * length)
        ctx.dim = dim
        return y

    @staticmethod
    def backward(ctx, grad_output):
        """Return the part of the gradient that is not along y, divided by the length."""
        y, length = ctx.saved_tensors
        along = (grad_output * y).sum(ctx.dim, keepdim=True)
        return (grad_output - along * y) / length, None


def l2_normalize(x, dim=-1):
    """Divide `x` by its length along `dim`."""
    return Normalize.apply(x, dim % x.ndim)
