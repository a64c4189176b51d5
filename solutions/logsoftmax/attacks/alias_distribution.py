"""Title: Let a probability distribution normalise the logits
How: Categorical and the masked functions call logsumexp and log_softmax on the way.
After: lists of forbidden names that forget who else calls them
Stopped by: the kernels that they end in raise
"""

import torch
import torch.masked


from torch.distributions import Categorical


class LogSoftmax(torch.autograd.Function):
    """The normalised logits of a distribution, or masked functions with nothing masked."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return the logits of a categorical distribution."""
        if x.ndim > 2:
            y = torch.masked.log_softmax(x, dim)
        else:
            y = Categorical(logits=x.movedim(dim, -1), validate_args=False).logits.movedim(-1, dim)
        ctx.dim = dim
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, grad_output):
        """Return the gradient."""
        (y,) = ctx.saved_tensors
        return grad_output - y.exp() * grad_output.sum(ctx.dim, keepdim=True), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
