"""The least time that a timed call can take: a result has to be written, and a machine writes only so fast.

What is quicker did not make its result in the timed part, however that was done.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from autograder.checks.measure.clock import Clock, believable
from autograder.sandbox.start import WorkerHandle

SHARE = 0.5
"""The share of the least time below which a time is not believed; the rest is for what the measurement misses."""
_TURNS = 5
# A buffer that stays in the cache of one core: no result is written faster than that.
_CPU_BYTES, _DEVICE_BYTES = 1 << 18, 1 << 25
_TIMES = 64


def bandwidth(worker: WorkerHandle, clock: Clock, device: torch.device) -> float:
    """Return the bytes that a worker of ours can write in a second, at best.

    Args:
        worker: A worker that runs no code of a submission.
        clock: The clock that times are taken by.
        device: Where the bytes are written.

    Raises:
        CallFailed: If the worker is lost.
    """
    nbytes = _CPU_BYTES if device.type == "cpu" else _DEVICE_BYTES
    seconds = []
    for _ in range(_TURNS):
        started = clock.now(worker)
        worker.request("write", nbytes=nbytes, times=_TIMES)
        seconds.append(clock.now(worker) - started)
    return nbytes * _TIMES / min(believable(seconds))


def written_bytes(result: Any, arguments: Any) -> int:
    """Return the bytes that a call must write to return a result: those of its tensors that are no views of arguments.

    Args:
        result: What the call must return, as the oracle made it.
        arguments: What the oracle was called with.
    """
    given = {tensor.untyped_storage().data_ptr() for tensor in _tensors(arguments)}
    return sum(
        tensor.numel() * tensor.element_size()
        for tensor in _tensors(result)
        if tensor.untyped_storage().data_ptr() not in given
    )


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _tensors(item)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
