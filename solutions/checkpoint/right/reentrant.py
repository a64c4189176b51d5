"""Unusual: one autograd.Function runs the function without a graph, and its backward runs a whole backward of its own.

An empty tensor that requires grad goes along as an input, so that backward is reached where no argument needs it.
"""

import torch
from torch import Tensor


def _detached(tensor: Tensor) -> Tensor:
    copy = tensor.detach()
    copy.requires_grad = tensor.requires_grad
    return copy


class _Conditions:
    """Random state and autocast as they are now, to be had again later."""

    def __init__(self) -> None:
        self.cpu = torch.get_rng_state()
        self.gpu = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
        self.kinds = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
        self.autocast = {k: (torch.is_autocast_enabled(k), torch.get_autocast_dtype(k)) for k in self.kinds}

    def __enter__(self) -> None:
        now = _Conditions()
        self._after = now
        self._apply()
        self._contexts = []
        for kind, (enabled, dtype) in self.autocast.items():
            context = torch.autocast(kind, dtype=dtype, enabled=enabled)
            context.__enter__()
            self._contexts.append(context)

    def __exit__(self, *exception: object) -> None:
        for context in reversed(self._contexts):
            context.__exit__(*exception)
        self._after._apply()
        del self._after, self._contexts

    def _apply(self) -> None:
        torch.set_rng_state(self.cpu)
        if self.gpu is not None:
            torch.cuda.set_rng_state(self.gpu)


class _Checkpoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, anchor, fn, layout, names, constants, *tensors):
        ctx.set_materialize_grads(False)
        ctx.fn, ctx.layout, ctx.names, ctx.constants = fn, layout, names, constants
        ctx.conditions = _Conditions()
        ctx.save_for_backward(*tensors)
        return _call(fn, layout, names, constants, tensors)

    @staticmethod
    def backward(ctx, *grads):
        tensors = [_detached(tensor) for tensor in ctx.saved_tensors]
        with torch.enable_grad(), ctx.conditions:
            outputs = _call(ctx.fn, ctx.layout, ctx.names, ctx.constants, tensors)
        if not isinstance(outputs, tuple):
            outputs = (outputs,)
        pairs = [
            (output, grad)
            for output, grad in zip(outputs, grads)
            if isinstance(output, Tensor) and output.requires_grad and grad is not None
        ]
        if pairs:
            torch.autograd.backward([output for output, _ in pairs], [grad for _, grad in pairs])
        return (None,) * 5 + tuple(tensor.grad for tensor in tensors)


def _call(fn, layout, names, constants, tensors):
    tensors, constants = iter(tensors), iter(constants)
    values = [next(tensors) if is_tensor else next(constants) for is_tensor in layout]
    split = len(values) - len(names)
    return fn(*values[:split], **dict(zip(names, values[split:])))


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    values = [*args, *kwargs.values()]
    layout = [isinstance(value, Tensor) for value in values]
    anchor = torch.empty(0, requires_grad=True)
    constants = [value for value in values if not isinstance(value, Tensor)]
    tensors = [value for value in values if isinstance(value, Tensor)]
    return _Checkpoint.apply(anchor, fn, layout, list(kwargs), constants, *tensors)


def checkpoint_sequential(fns, segments, x):
    def runner(part):
        def run(x):
            for fn in part:
                x = fn(x)
            return x

        return run

    length, longer = divmod(len(fns), segments)
    start = 0
    for segment in range(segments):
        end = start + length + (segment < longer)
        x = checkpoint(runner(fns[start:end]), x)
        start = end
    return x
