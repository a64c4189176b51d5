"""One module-wide variable names the running checkpoint, and one inside another leaves it set to the inner one."""

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

FAILS = ["gradients"]


def _leaf(value):
    return value.detach().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


class _Run:
    current = None

    def __init__(self, fn, args, kwargs):
        self.fn, self.args, self.kwargs = fn, args, kwargs
        self.rng = torch.get_rng_state()
        self.autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
        self.count = 0
        self.saved = None

    @staticmethod
    def pack(tensor):
        _Run.current.count += 1
        return _Run.current, _Run.current.count - 1

    @staticmethod
    def unpack(place):
        run, index = place
        if run.saved is None:
            run.saved = run.repeat()
        return run.saved[index]

    def repeat(self):
        saved = []
        args = [_leaf(arg) for arg in self.args]
        kwargs = {name: _leaf(arg) for name, arg in self.kwargs.items()}
        enabled, dtype = self.autocast
        with torch.random.fork_rng(devices=[]), torch.autocast("cpu", dtype=dtype, enabled=enabled):
            torch.set_rng_state(self.rng)
            with torch.enable_grad(), saved_tensors_hooks(lambda t: saved.append(t.detach()), lambda _: None):
                self.fn(*args, **kwargs)
        return saved


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    _Run.current = _Run(fn, args, kwargs)
    with saved_tensors_hooks(_Run.pack, _Run.unpack):
        return fn(*args, **kwargs)


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
