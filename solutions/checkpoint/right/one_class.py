"""Unusual: checkpoint is an instance of a class, and whatever has no tensor that needs a gradient takes the plain way.

A custom function saves nothing in its context but through `save_for_backward`; the recomputation runs in a thread of
its own, whose grad mode and autocast start out as nobody set them.
"""

import threading
from dataclasses import dataclass
from typing import Any

import torch


@dataclass
class Plan:
    fn: Any
    values: tuple
    names: tuple
    random: torch.Tensor
    cuda_random: Any
    casts: tuple

    def run(self, tensors):
        tensors = iter(tensors)
        values = [next(tensors) if value is Hole else value for value in self.values]
        count = len(values) - len(self.names)
        return self.fn(*values[:count], **dict(zip(self.names, values[count:])))

    def run_again(self, tensors):
        now = torch.get_rng_state()
        cuda_now = torch.cuda.get_rng_state() if self.cuda_random is not None else None
        box = []

        def work():
            try:
                casts = [torch.autocast(kind, enabled=on, dtype=dtype) for kind, on, dtype in self.casts]
                for cast in casts:
                    cast.__enter__()
                with torch.enable_grad():
                    box.append(self.run(tensors))
                for cast in casts[::-1]:
                    cast.__exit__(None, None, None)
            except BaseException as error:
                box.append(error)

        torch.set_rng_state(self.random)
        if cuda_now is not None:
            torch.cuda.set_rng_state(self.cuda_random)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        torch.set_rng_state(now)
        if cuda_now is not None:
            torch.cuda.set_rng_state(cuda_now)
        if isinstance(box[0], BaseException):
            raise box[0]
        return box[0]


class Hole:
    """Stands where a tensor was."""


class Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx, plan, ticket, *tensors):
        ctx.plan = plan
        ctx.save_for_backward(*tensors)
        return plan.run(tensors)

    @staticmethod
    def backward(ctx, *grads):
        copies = []
        for tensor, needed in zip(ctx.saved_tensors, ctx.needs_input_grad[2:]):
            copies.append(tensor.detach().requires_grad_(needed))
        outputs = ctx.plan.run_again(copies)
        outputs = outputs if type(outputs) is tuple else (outputs,)
        wanted = [o for o in outputs if isinstance(o, torch.Tensor) and o.requires_grad]
        given = [g for o, g in zip(outputs, grads) if isinstance(o, torch.Tensor) and o.requires_grad]
        torch.autograd.backward(wanted, given)
        return None, None, *(copy.grad for copy in copies)


class Checkpoint:
    def __call__(self, fn, *args, **kwargs):
        if not torch.is_grad_enabled():
            return fn(*args, **kwargs)
        values = args + tuple(kwargs.values())
        kinds = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
        plan = Plan(
            fn,
            tuple(Hole if isinstance(value, torch.Tensor) else value for value in values),
            tuple(kwargs),
            torch.get_rng_state(),
            torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
            tuple((kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in kinds),
        )
        ticket = torch.ones(1, requires_grad=True)
        return Recompute.apply(plan, ticket, *(value for value in values if isinstance(value, torch.Tensor)))

    def sequential(self, fns, segments, x):
        at = 0
        for number in range(segments):
            take = (len(fns) - at) // (segments - number)
            group = fns[at : at + take]
            at += take

            def run(x, group=group):
                for fn in group:
                    x = fn(x)
                return x

            x = self(run, x)
        return x


checkpoint = Checkpoint()
checkpoint_sequential = checkpoint.sequential
