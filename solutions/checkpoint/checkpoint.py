"""The reference solution: hooks that forget what forward saves, and compute it again when backward asks for it."""

import contextlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor


def _device_types() -> list[str]:
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@contextlib.contextmanager
def _random_state(cpu: Tensor, gpu: Tensor | None) -> Iterator[None]:
    """Give the generators of the CPU and the current GPU these states, and afterwards their own ones again."""
    with torch.random.fork_rng(devices=[] if gpu is None else [torch.cuda.current_device()]):
        torch.set_rng_state(cpu)
        if gpu is not None:
            torch.cuda.set_rng_state(gpu)
        yield


def _leaf(value: Any) -> Any:
    """Cut a tensor off from the graph that it came from; the recomputation must not reach into it."""
    return value.detach().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


class _Run:
    """One checkpointed call: what it takes to repeat it, and what autograd saved during the repetition.

    Attributes:
        packed: How many tensors autograd has saved during the forward.
        saved: The same tensors from the repetition; None before it. They live as long as the nodes that use them.
    """

    def __init__(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.fn, self.args, self.kwargs = fn, args, kwargs
        self.cpu_state = torch.get_rng_state()
        self.gpu_state = torch.cuda.get_rng_state() if torch.cuda.is_available() else None
        self.autocast = [
            (kind, torch.get_autocast_dtype(kind), torch.is_autocast_enabled(kind)) for kind in _device_types()
        ]
        self.packed = 0
        self.saved: list[Tensor] | None = None

    def pack(self, tensor: Tensor) -> int:
        """Give autograd a number to keep in place of the tensor."""
        self.packed += 1
        return self.packed - 1

    def unpack(self, number: int) -> Tensor:
        """Return the tensor that a number stands for."""
        if self.saved is None:
            self.saved = self.repeat()
        return self.saved[number]

    def repeat(self) -> list[Tensor]:
        """Call the function again as in the forward and return all that autograd saves."""
        saved: list[Tensor] = []
        args = [_leaf(value) for value in self.args]
        kwargs = {name: _leaf(value) for name, value in self.kwargs.items()}
        with contextlib.ExitStack() as stack:
            stack.enter_context(_random_state(self.cpu_state, self.gpu_state))
            for kind, dtype, enabled in self.autocast:
                stack.enter_context(torch.autocast(kind, dtype=dtype, enabled=enabled))
            stack.enter_context(torch.enable_grad())
            stack.enter_context(
                torch.autograd.graph.saved_tensors_hooks(lambda tensor: saved.append(tensor.detach()), lambda _: None)
            )
            self.fn(*args, **kwargs)
        return saved


def checkpoint(fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return fn(*args, **kwargs); what its backward needs is computed anew instead of kept."""
    if not torch.is_grad_enabled():
        return fn(*args, **kwargs)
    run = _Run(fn, args, kwargs)
    with torch.autograd.graph.saved_tensors_hooks(run.pack, run.unpack):
        return fn(*args, **kwargs)


def _chain(fns: list[Callable[[Tensor], Tensor]]) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        for fn in fns:
            x = fn(x)
        return x

    return run


def checkpoint_sequential(fns: list[Callable[[Tensor], Tensor]], segments: int, x: Tensor) -> Tensor:
    """Apply `fns` in order, in `segments` checkpointed runs whose lengths differ by at most one."""
    bounds = [len(fns) * number // segments for number in range(segments + 1)]
    for start, end in pairwise(bounds):
        x = checkpoint(_chain(fns[start:end]), x)
    return x
