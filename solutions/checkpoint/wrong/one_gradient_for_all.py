"""Backward starts from the first gradient, however many outputs there are, and breaks off at a tuple."""

import torch
from torch import Tensor

FAILS = ["gradients"]


class _Checkpoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, fn, names, dummy, *values):
        ctx.fn, ctx.names = fn, names
        ctx.rng = torch.get_rng_state()
        ctx.autocast = (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"))
        ctx.values = [None if isinstance(v, Tensor) else v for v in values]
        ctx.where = [i for i, v in enumerate(values) if isinstance(v, Tensor)]
        ctx.save_for_backward(*[v for v in values if isinstance(v, Tensor)])
        n = len(values) - len(names)
        with torch.no_grad():
            out = fn(*values[:n], **dict(zip(names, values[n:])))
        return out

    @staticmethod
    def backward(ctx, *grads):
        values = list(ctx.values)
        for i, t in zip(ctx.where, ctx.saved_tensors):
            values[i] = t.detach().requires_grad_(t.requires_grad)
        n = len(values) - len(ctx.names)
        now = torch.get_rng_state()
        torch.set_rng_state(ctx.rng)
        with torch.enable_grad(), torch.autocast("cpu", enabled=ctx.autocast[0], dtype=ctx.autocast[1]):
            out = ctx.fn(*values[:n], **dict(zip(ctx.names, values[n:])))
        torch.set_rng_state(now)
        torch.autograd.backward(out, grads[0])
        return (None, None, None, *(v.grad if isinstance(v, Tensor) else None for v in values))


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    return _Checkpoint.apply(fn, tuple(kwargs), torch.zeros(0, requires_grad=True), *args, *kwargs.values())


def checkpoint_sequential(fns, segments, x):
    bounds = [len(fns) * i // segments for i in range(segments + 1)]
    for a, b in zip(bounds, bounds[1:]):

        def run(x, part=fns[a:b]):
            for f in part:
                x = f(x)
            return x

        x = checkpoint(run, x)
    return x
