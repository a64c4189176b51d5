"""Measure a submission's memory as the kernel sees it, in a fresh worker for each reading."""

from __future__ import annotations

from typing import Any

from autograder.checks.launcher import Launcher
from autograder.checks.measure import nvml as gpu_memory
from autograder.sandbox.start import WorkerHandle
from autograder.verdicts import Crashed
from autograder.wire import frames, values

# The driver counts what torch's allocator keeps in reserve, too; beyond this the worker's own figure is not believed.
_RESERVE_FACTOR, _RESERVE_BYTES = 1.25, 64 << 20
# What loading a module may bring with it. More was laid in before the reading, to be filled during it, and counts.
_LOADING_BYTES = 24 << 20


class Memory:
    """Reads how much memory a call needs: that of the process, and that of the device on which it computes.

    The worker's allocator returns memory at once, and its file systems are capped at 1 MiB: nothing hides there.

    Attributes:
        result: What the last measured call returned.
    """

    def __init__(self, workers: Launcher) -> None:
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
        device = _DeviceMemory(worker) if self._workers.accelerated else None
        before, resident = process.memory_bytes(), process.resident_bytes()
        worker.request("go", trim=True, pointers=False)
        after, peak = process.memory_bytes(), process.peak_bytes()
        device_kept, device_peak = device.since() if device is not None else (0, 0)
        answer, buffers = worker.request("fetch")
        try:
            results = values.Decoder(buffers, device=self._workers.device).decode(answer.get("result"))
        except frames.WireError as error:
            raise worker.malformed(error) from error
        if not isinstance(results, list) or len(results) != 1:
            raise worker.malformed(frames.WireError("a call has the wrong number of results"))
        self.result = results[0]
        self._workers.end(worker)
        return before - hoard, after + device_kept, peak - resident + hoard + device_peak


class _DeviceMemory:
    """The memory of a device that a worker holds, by its own allocator, and from outside where the driver tells."""

    def __init__(self, worker: WorkerHandle) -> None:
        self._worker = worker
        self._before, _ = _claimed(worker, reset=True)
        self._outside = gpu_memory.used_bytes(worker.process.pid)

    def since(self) -> tuple[int, int]:
        """Return the bytes that stayed and those at the peak, beyond what there was."""
        now, peak = _claimed(self._worker, reset=False)
        outside = gpu_memory.used_bytes(self._worker.process.pid)
        seen = 0 if outside is None or self._outside is None else outside - self._outside
        kept = now - self._before
        if seen > kept * _RESERVE_FACTOR + _RESERVE_BYTES:
            kept = seen
        return kept, max(peak - self._before, kept)


def _claimed(worker: WorkerHandle, *, reset: bool) -> tuple[int, int]:
    answer, _ = worker.request("memory", reset=reset)
    figures = answer.get("memory")
    if type(figures) is not list or len(figures) != 2 or not all(type(value) is int for value in figures):
        raise Crashed("the worker's answer is malformed: it lacks a field")
    return figures[0], figures[1]


def _stage(worker: WorkerHandle, role: str, inputs: tuple[Any, ...]) -> None:
    worker.request("collect", trim=True)
    body = values.Body()
    nodes = [values.encode(value, body, keep_strides=True) for value in inputs]
    worker.request("stage", body.buffers, target=role, calls=[nodes], watch=True)
