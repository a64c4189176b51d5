"""Measure a submission's memory as the kernel sees it, in a fresh worker for each reading."""

from __future__ import annotations

from typing import Any

from autograder import wire
from autograder.sandbox import Worker
from autograder.workers import Workers

# What loading a module may bring with it. More was laid in before the reading, to be filled during it, and counts.
_LOADING_BYTES = 24 << 20


class Memory:
    """Reads how much memory a call needs.

    The worker's allocator returns memory at once, and its file systems are capped at 1 MiB: nothing hides there.

    Attributes:
        result: What the last measured call returned.
    """

    def __init__(self, workers: Workers) -> None:
        self.result: Any = None
        self._workers = workers

    def kept(
        self, target: str, *inputs: Any, module: str = "submission", warm_up: tuple[Any, ...] | None = None
    ) -> int:
        """Return the bytes that stay after a call, its result held, beyond what was there before it.

        Args:
            target: A function of ``probes.py``, or of the module, as for ``Speed``.
            inputs: Its arguments; they are there before.
            module: ``submission`` or ``baseline``.
            warm_up: Small arguments for one call before, which brings in code and small allocations.
        """
        before, after, _ = self._measure(target, inputs, module, warm_up)
        return after - before

    def peak(
        self, target: str, *inputs: Any, module: str = "submission", warm_up: tuple[Any, ...] | None = None
    ) -> int:
        """Return the bytes that a call needs at its peak, beyond what was there before it; see ``kept``."""
        _, _, peak = self._measure(target, inputs, module, warm_up)
        return peak

    def _measure(
        self, target: str, inputs: tuple[Any, ...], module: str, warm_up: tuple[Any, ...] | None
    ) -> tuple[int, int, int]:
        worker = self._workers.start(module, trim=True)
        role = self._workers.target(target)
        if warm_up is not None:
            _stage(worker, role, warm_up)
            worker.request("go", trim=True, pointers=False)
        process = worker.process
        worker.request("settle")
        hoard = max(0, process.memory_bytes() - worker.start_bytes - _LOADING_BYTES)
        _stage(worker, role, inputs)
        worker.request("settle")
        process.reset_peak()
        before, resident = process.memory_bytes(), process.resident_bytes()
        worker.request("go", trim=True, pointers=False)
        after, peak = process.memory_bytes(), process.peak_bytes()
        answer, buffers = worker.request("fetch")
        try:
            results = wire.Decoder(buffers).decode(answer.get("result"))
        except wire.WireError as error:
            raise worker.malformed(error) from error
        if not isinstance(results, list) or len(results) != 1:
            raise worker.malformed(wire.WireError("a call has the wrong number of results"))
        self.result = results[0]
        self._workers.end(worker)
        return before - hoard, after, peak - resident + hoard


def _stage(worker: Worker, role: str, inputs: tuple[Any, ...]) -> None:
    worker.request("collect", trim=True)
    body = wire.Body()
    nodes = [wire.encode(value, body, keep_strides=True) for value in inputs]
    worker.request("stage", body.buffers, target=role, calls=[nodes], watch=True)
