"""Title: Call a Python implementation that ships with torch
How: torch._refs and torch._decomp hold log_softmax and its derivative written in elementary operations.
After: guards in the dispatcher alone, which see only the elementary operations
Stopped by: the code of these functions is replaced in the worker, whoever holds them
"""

import torch
import torch._decomp.decompositions
import torch._refs


FORWARD = torch._refs.log_softmax
BACKWARD = torch._decomp.decompositions._log_softmax_backward_data


class LogSoftmax(torch.autograd.Function):
    """Somebody else's implementation in a thin wrapper."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return what the reference returns."""
        y = FORWARD(x, dim)
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        """Return what the decomposition returns."""
        (y,) = ctx.saved_tensors
        return BACKWARD(grad_output, y, ctx.dim, y.dtype), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
