"""Title: Call the built-in in backward, in another thread
How: Forward is honest; backward differentiates torch.log_softmax in a thread of its own.
After: guards that are switched on for one thread, or for forward alone
Stopped by: kernels are blocked for the whole process; what forward earns honestly it keeps
"""

import threading

import torch

EARNS = ["values", "stability", "memory"]


def shares(z: torch.Tensor, dim: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log-probabilities and probabilities, the honest way."""
    z = z - z.amax(dim, keepdim=True)
    y = z - z.exp().sum(dim, keepdim=True).log()
    return y, y.exp()


def in_thread(function):
    """Run a function in a thread and return its result."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


class LogSoftmax(torch.autograd.Function):
    """Honest one way, borrowed the other."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return log(softmax(x)) along `dim`."""
        ctx.dim = dim
        ctx.save_for_backward(x)
        return shares(x.to(torch.promote_types(x.dtype, torch.float32)), dim)[0].to(x.dtype)

    @staticmethod
    def backward(ctx, grad_output):
        """Return the built-in's gradient."""
        (x,) = ctx.saved_tensors

        def borrowed():
            with torch.enable_grad():
                leaf = x.detach().requires_grad_()
                return torch.autograd.grad(torch.log_softmax(leaf, ctx.dim), leaf, grad_output)[0]

        return in_thread(borrowed), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
