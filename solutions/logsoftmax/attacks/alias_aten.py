"""Title: Call the built-in by its name in the dispatcher
How: torch.ops.aten for forward and backward, found by pieces of its name.
After: searches of the source for torch.log_softmax
Stopped by: the kernels themselves raise, whatever name leads to them
"""

import torch


KERNEL = getattr(torch.ops.aten, "_log_" + "softmax").default
BACKWARD = getattr(torch.ops.aten, "_log_" + "softmax_backward_data").default


class LogSoftmax(torch.autograd.Function):
    """The built-in in a thin wrapper."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return what the kernel returns."""
        y = KERNEL(x, dim, False)
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        """Return what the kernel's derivative returns."""
        (y,) = ctx.saved_tensors
        return BACKWARD(grad_output, y, ctx.dim, y.dtype), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
