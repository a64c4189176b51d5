"""Goes through blocks of rows, each small enough for the processor's cache, and fills one output."""

import torch

BLOCK = 1 << 16


def blocks(count: int, width: int):
    """Yield slices over `count` rows of `width` entries."""
    step = max(1, BLOCK // max(1, width))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


class LogSoftmax(torch.autograd.Function):
    """log-softmax by blocks of rows."""

    @staticmethod
    def forward(ctx, x, dim):
        """Return log(softmax(x)) along `dim`."""
        moved = x.transpose(dim, -1)
        out = torch.empty(moved.shape, dtype=x.dtype, device=x.device)
        rows, target = moved.reshape(-1, moved.size(-1)), out.view(-1, moved.size(-1))
        for part in blocks(*rows.shape):
            block = rows[part].to(torch.promote_types(x.dtype, torch.float32))
            block = block - block.amax(1, keepdim=True)
            target[part] = block.sub_(block.exp().sum(1, keepdim=True).log_())
        out = out.transpose(dim, -1)
        ctx.save_for_backward(out)
        ctx.dim = dim
        return out

    @staticmethod
    def backward(ctx, grad):
        """Return the gradient, by blocks where nobody asks for a second derivative."""
        (out,) = ctx.saved_tensors
        if torch.is_grad_enabled():
            return grad - out.exp() * grad.sum(ctx.dim, keepdim=True), None
        width = out.size(ctx.dim)
        result = torch.empty_like(out)
        logs = out.transpose(ctx.dim, -1).reshape(-1, width)
        grads = grad.transpose(ctx.dim, -1).reshape(-1, width)
        pieces = []
        for part in blocks(*logs.shape):
            piece = logs[part].exp().mul_(grads[part].sum(1, keepdim=True))
            pieces.append(torch.sub(grads[part], piece))
        flat = torch.cat(pieces) if pieces else torch.empty_like(logs)
        result.copy_(flat.view(out.transpose(ctx.dim, -1).shape).transpose(ctx.dim, -1))
        return result, None


def log_softmax(x, dim=-1):
    """Return log(softmax(x)) along `dim`."""
    return LogSoftmax.apply(x, dim)
