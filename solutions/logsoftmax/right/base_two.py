"""Works with powers and logarithms of two, sums rows by a matrix product, and keeps x and the row's two numbers."""

import math

import torch

LOG2_E = math.log2(math.e)


def pieces(x, dim):
    """Return the logits less their maximum, and the logarithm of the sum of their exponentials."""
    z = x.movedim(dim, -1)
    z = z - z.max(-1, keepdim=True).values
    total = torch.exp2(z * LOG2_E) @ torch.ones(z.shape[-1], 1, dtype=z.dtype, device=z.device)
    return z, torch.log2(total) / LOG2_E


class LogSoftmax(torch.autograd.Function):
    """log-softmax by powers of two."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return log(softmax(x)) along `dim`."""
        z, log_total = pieces(x.to(torch.promote_types(x.dtype, torch.float32)), dim)
        ctx.x, ctx.dim = None, dim
        ctx.save_for_backward(x)
        return (z - log_total).movedim(-1, dim).to(x.dtype)

    @staticmethod
    def backward(ctx, grad_output):
        """Return the gradient from the saved input."""
        (x,) = ctx.saved_tensors
        z, log_total = pieces(x, ctx.dim)
        softmax = torch.exp2((z - log_total) * LOG2_E).movedim(-1, ctx.dim)
        return grad_output - softmax * grad_output.sum(ctx.dim, keepdim=True), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
