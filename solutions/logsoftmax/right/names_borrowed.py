"""Bears forbidden names without a forbidden call: helpers, comments, strings, unused code, a comparison at loading."""

import torch
import torch.nn.functional as F
from torch import nn


def softmax(z, dim):
    """Return the probabilities: what torch.softmax would return."""
    e = (z - z.amax(dim, keepdim=True)).exp()
    return e / e.sum(dim, keepdim=True)


def logsumexp(z, dim):
    """Return log(sum(exp(z))) of logits whose maximum is 0; torch.logsumexp needs no such help."""
    return z.exp().sum(dim, keepdim=True).log()


class LogSoftmax(torch.autograd.Function):
    """Bears the name of torch.nn.LogSoftmax and has nothing to do with it."""

    hint = "x - torch.logsumexp(x, dim) would be shorter, F.log_softmax shorter still"

    @staticmethod
    def forward(ctx, x, dim):
        """Return log(softmax(x)) along `dim`."""
        z = x if x.dtype in (torch.float32, torch.float64) else x.float()
        z = z - z.amax(dim, keepdim=True)
        ctx.dim = dim
        ctx.save_for_backward(x)
        return (z - logsumexp(z, dim)).to(x.dtype)

    @staticmethod
    def backward(ctx, grad_output):
        """Return the gradient from the input; what the forward kept is the caller's own tensor."""
        (x,) = ctx.saved_tensors
        return grad_output - softmax(x, ctx.dim) * grad_output.sum(ctx.dim, keepdim=True), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)


class Unused(nn.Module):
    """Is never built."""

    def forward(self, x):
        """Return what is forbidden."""
        return F.cross_entropy(x, x.argmax(-1)) + nn.LogSoftmax(-1)(x).sum()


_sample = torch.randn(4, 6)
assert torch.allclose(log_softmax(_sample), torch.log_softmax(_sample, -1), atol=1e-5)
assert torch.allclose(log_softmax(_sample, 0), nn.LogSoftmax(0)(_sample), atol=1e-5)

if __name__ == "__main__":
    print(F.nll_loss(log_softmax(_sample), torch.zeros(4, dtype=torch.long)))
