"""Does all its arithmetic in place in buffers of its own, and out of place where autograd watches the backward."""

import torch


class LogSoftmax(torch.autograd.Function):
    """log-softmax with as few allocations as possible."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return log(softmax(x)) along `dim`."""
        half = x.dtype in (torch.float16, torch.bfloat16)
        out = torch.empty(x.shape, dtype=torch.float32 if half else x.dtype, device=x.device)
        out.copy_(x)
        out -= out.amax(dim, keepdim=True)
        scratch = torch.empty_like(out)
        torch.exp(out, out=scratch)
        out -= scratch.sum(dim, keepdim=True).log_()
        out = out.to(x.dtype)
        ctx.save_for_backward(out)
        ctx.dim = dim
        return out

    @staticmethod
    def backward(ctx, grad_output):
        """Return the gradient."""
        (out,) = ctx.saved_tensors
        total = grad_output.sum(ctx.dim, keepdim=True)
        if torch.is_grad_enabled():
            return grad_output - out.exp() * total, None
        return out.exp().mul_(total).neg_().add_(grad_output), None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
