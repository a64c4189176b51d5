"""Each output has a node of its own, and each node computes everything anew."""

import torch
from torch import Tensor

FAILS = ["calls"]


def _leaf(value):
    return value.detach().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


def _call(fn, names, values):
    split = len(values) - len(names)
    return fn(*values[:split], **dict(zip(names, values[split:])))


class _Checkpoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, dummy, state, output, fn, names, *values):
        ctx.fn, ctx.names, ctx.values = fn, names, values
        ctx.rng, ctx.autocast, ctx.index = state
        return output.detach()

    @staticmethod
    def backward(ctx, grad):
        values = [_leaf(value) for value in ctx.values]
        enabled, dtype = ctx.autocast
        with torch.random.fork_rng(devices=[]), torch.autocast("cpu", dtype=dtype, enabled=enabled):
            torch.set_rng_state(ctx.rng)
            with torch.enable_grad():
                outputs = _call(ctx.fn, ctx.names, values)
        if not isinstance(outputs, tuple):
            outputs = (outputs,)
        if outputs[ctx.index].requires_grad:
            torch.autograd.backward(outputs[ctx.index], grad)
        return None, None, None, None, None, *(value.grad if isinstance(value, Tensor) else None for value in values)


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    dummy = torch.empty(0, requires_grad=True)
    rng = torch.get_rng_state()
    autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    with torch.no_grad():
        found = fn(*args, **kwargs)
    outputs = [
        _Checkpoint.apply(dummy, (rng, autocast, index), output, fn, list(kwargs), *args, *kwargs.values())
        if isinstance(output, Tensor)
        else output
        for index, output in enumerate(found if isinstance(found, tuple) else (found,))
    ]
    return tuple(outputs) if isinstance(found, tuple) else outputs[0]


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
