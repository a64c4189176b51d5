"""The random state of the forward stays in place after backward."""

import torch
from torch import Tensor

FAILS = ["rng"]


def _leaf(value):
    return value.detach().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


def _call(fn, names, values):
    split = len(values) - len(names)
    return fn(*values[:split], **dict(zip(names, values[split:])))


class _Checkpoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, dummy, fn, names, *values):
        ctx.fn, ctx.names, ctx.values = fn, names, values
        ctx.rng = torch.get_rng_state()
        ctx.autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
        return _call(fn, names, values)

    @staticmethod
    def backward(ctx, *grads):
        values = [_leaf(value) for value in ctx.values]
        enabled, dtype = ctx.autocast
        with torch.autocast("cpu", dtype=dtype, enabled=enabled):
            torch.set_rng_state(ctx.rng)
            with torch.enable_grad():
                outputs = _call(ctx.fn, ctx.names, values)
        if not isinstance(outputs, tuple):
            outputs = (outputs,)
        pairs = [(o, g) for o, g in zip(outputs, grads) if isinstance(o, Tensor) and o.requires_grad]
        torch.autograd.backward([o for o, _ in pairs], [g for _, g in pairs])
        return None, None, None, *(value.grad if isinstance(value, Tensor) else None for value in values)


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    dummy = torch.empty(0, requires_grad=True)
    return _Checkpoint.apply(dummy, fn, list(kwargs), *args, *kwargs.values())


def _chain(fns):
    def run(x):
        for fn in fns:
            x = fn(x)
        return x

    return run


def checkpoint_sequential(fns, segments, x):
    start = 0
    for number in range(segments):
        end = len(fns) * (number + 1) // segments
        x = checkpoint(_chain(fns[start:end]), x)
        start = end
    return x
