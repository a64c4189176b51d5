"""What is no tensor is left out of the tuple that comes back."""

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

FAILS = ["values"]


class _Run:
    def __init__(self, fn, args, kwargs):
        self.fn, self.args, self.kwargs = fn, args, kwargs
        self.rng = torch.get_rng_state()
        self.ac = (torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu"))
        self.n = 0
        self.saved = None

    def pack(self, t):
        self.n += 1
        return self.n - 1

    def unpack(self, i):
        if self.saved is None:
            self.saved = self.again()
        return self.saved[i]

    def again(self):
        saved = []

        def leaf(v):
            return v.detach().requires_grad_(v.requires_grad) if isinstance(v, Tensor) else v

        args, kwargs = [leaf(a) for a in self.args], {k: leaf(v) for k, v in self.kwargs.items()}
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(self.rng)
            with torch.enable_grad(), torch.autocast("cpu", enabled=self.ac[0], dtype=self.ac[1]):
                with saved_tensors_hooks(lambda t: saved.append(t.detach()), lambda _: None):
                    self.fn(*args, **kwargs)
        return saved


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    run = _Run(fn, args, kwargs)
    with saved_tensors_hooks(run.pack, run.unpack):
        out = fn(*args, **kwargs)
    if isinstance(out, tuple):
        out = tuple(o for o in out if isinstance(o, Tensor))
    return out


def checkpoint_sequential(fns, segments, x):
    bounds = [len(fns) * i // segments for i in range(segments + 1)]
    for a, b in zip(bounds, bounds[1:]):

        def run(x, part=fns[a:b]):
            for f in part:
                x = f(x)
            return x

        x = checkpoint(run, x)
    return x
