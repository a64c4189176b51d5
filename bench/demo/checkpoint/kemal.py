"""checkpoint, by kemal."""

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks


class _Enough(Exception):
    """Everything that backward can ask for is there."""


class _Frame:
    def __init__(self, fn, args, kwargs):
        self.call = fn, args, kwargs
        self.count = 0
        self.task = None
        self.tensors: list[Tensor] = []
        self.rng = torch.get_rng_state()
        self.cuda_rng = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
        self.device_types = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
        self.autocast = [(torch.is_autocast_enabled(d), torch.get_autocast_dtype(d)) for d in self.device_types]

    def hooks(self):
        def pack(tensor):
            self.count += 1
            return self.count - 1

        def unpack(index):
            task = torch._C._current_graph_task_id()  # one number for each backward pass
            if task != self.task:
                self.task, self.tensors = task, []
                self.recompute()
            return self.tensors[index]

        return saved_tensors_hooks(pack, unpack)

    def recompute(self):
        fn, args, kwargs = self.call

        def fresh(value):
            return value.detach().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value

        def pack(tensor):
            self.tensors.append(tensor.detach())
            if len(self.tensors) == self.count:
                raise _Enough
            return None

        before = torch.get_rng_state()
        cuda_before = torch.cuda.get_rng_state() if self.cuda_rng is not None else None
        torch.set_rng_state(self.rng)
        if self.cuda_rng is not None:
            torch.cuda.set_rng_state(self.cuda_rng)
        contexts = [torch.autocast(d, enabled=e, dtype=t) for d, (e, t) in zip(self.device_types, self.autocast)]
        try:
            for context in contexts:
                context.__enter__()
            with torch.enable_grad(), saved_tensors_hooks(pack, lambda _: None):
                fn(*map(fresh, args), **{name: fresh(value) for name, value in kwargs.items()})
        except _Enough:
            pass
        finally:
            for context in reversed(contexts):
                context.__exit__(None, None, None)
            torch.set_rng_state(before)
            if cuda_before is not None:
                torch.cuda.set_rng_state(cuda_before)


def checkpoint(fn, *args, **kwargs):
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    with _Frame(fn, args, kwargs).hooks():
        return fn(*args, **kwargs)


def checkpoint_sequential(fns, segments, x):
    from functools import reduce

    remaining = list(fns)
    for left in range(segments, 0, -1):
        part, remaining = remaining[: -(-len(remaining) // left)], remaining[-(-len(remaining) // left) :]
        x = checkpoint(lambda x, part=part: reduce(lambda value, fn: fn(value), part, x), x)
    return x
