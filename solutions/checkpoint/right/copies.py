"""Unusual: keeps copies of all tensor arguments in place of the arguments, and one object for each saved tensor.

What a recomputation brings is handed out once and forgotten; a second pass over the graph finds nothing and starts anew.
Nested checkpoints, keyword arguments and several outputs need nothing of their own.
"""

import torch


class Slot:
    """Stands for a tensor that autograd wanted to save."""

    __slots__ = ("call", "number")

    def __init__(self, call, number):
        self.call, self.number = call, number


class Call:
    def __init__(self, fn, args, kwargs):
        self.fn = fn
        self.args = tuple(self.copied(arg) for arg in args)
        self.kwargs = {key: self.copied(arg) for key, arg in kwargs.items()}
        self.generators = [torch.default_generator]
        if torch.cuda.is_available():
            self.generators.append(torch.cuda.default_generators[torch.cuda.current_device()])
        self.states = [generator.get_state() for generator in self.generators]
        self.kinds = [generator.device.type for generator in self.generators]
        self.precision = [(torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in self.kinds]
        self.slots = 0
        self.values = {}

    @staticmethod
    def copied(arg):
        if not isinstance(arg, torch.Tensor):
            return arg
        return arg.detach().clone().requires_grad_(arg.requires_grad)

    def new_slot(self, tensor):
        self.slots += 1
        return Slot(self, self.slots)

    def fetch(self, slot):
        if slot.number not in self.values:
            self.values = self.compute()
        if torch._C._autograd._get_current_graph_task_keep_graph():
            return self.values[slot.number]
        return self.values.pop(slot.number)

    def compute(self):
        values = {}

        def keep(tensor):
            values[len(values) + 1] = tensor.detach()

        now = [generator.get_state() for generator in self.generators]
        for generator, state in zip(self.generators, self.states):
            generator.set_state(state)
        entered = []
        try:
            for kind, (enabled, dtype) in zip(self.kinds, self.precision):
                entered.append(torch.autocast(kind, enabled=enabled, dtype=dtype))
                entered[-1].__enter__()
            with torch.set_grad_enabled(True), torch.autograd.graph.saved_tensors_hooks(keep, keep):
                self.fn(*self.args, **self.kwargs)
        finally:
            for context in entered[::-1]:
                context.__exit__(None, None, None)
            for generator, state in zip(self.generators, now):
                generator.set_state(state)
        return values


def checkpoint(fn, *args, **kwargs):
    if torch.is_grad_enabled() is False:
        return fn(*args, **kwargs)
    call = Call(fn, args, kwargs)
    with torch.autograd.graph.saved_tensors_hooks(call.new_slot, lambda slot: slot.call.fetch(slot)):
        return fn(*args, **kwargs)


def checkpoint_sequential(fns, segments, x):
    parts = [[] for _ in range(segments)]
    for index, fn in enumerate(fns):
        parts[index * segments // len(fns)].append(fn)
    for part in parts:

        def run(x, part=part):
            for fn in part:
                x = fn(x)
            return x

        x = checkpoint(run, x)
    return x
