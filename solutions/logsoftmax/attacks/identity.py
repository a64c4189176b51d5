"""Title: Be right where being right is easy
How: Return a copy of the input, with a derivative that agrees with it.
After: checks of consistency alone: gradcheck and gradgradcheck pass for any differentiable function
Stopped by: values come first, and what only shows consistency counts where another check has earned points
"""

import torch


class LogSoftmax(torch.autograd.Function):
    """The identity."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return a copy."""
        return x.clone()

    @staticmethod
    def backward(ctx, grad_output):
        """Return a copy."""
        return grad_output.clone(), None


def log_softmax(x, dim=-1):
    """Return a copy of `x`."""
    return LogSoftmax.apply(x, dim)
