"""Measure what timing rests on: a worker's clock, its noise, its bandwidth, and the ratio of code to itself."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from autograder.checks.launcher import Launcher, LoadError, Sources
from autograder.checks.measure import bandwidth as floor
from autograder.checks.measure.clock import Clock, believable, clock_of
from autograder.checks.measure.speed import Ratio, Speed
from autograder.course.loading import Threshold
from autograder.report.credit import Credit
from autograder.sandbox.start import Limits, Sandbox, WorkerHandle
from autograder.verdicts import CallFailed, StudentError

COARSE_S = 1e-3
"""A clock with longer steps times no block of a few milliseconds."""
NEAR = 0.01
"""So far from 1 an interval may end: a hundredth decides about no score, and staging counts for the student alone."""
TRIES = 3
"""How often the ratio of identical code may miss 1 before the machine is refused; an interval may miss by chance."""
_READINGS, _STEPS, _REPEATS = 1000, 200, 40
_WORK_BYTES, _WORK_TIMES = 1 << 18, 64
# So wide and so fine that the verdict stays open, and sampling goes on to its end.
_OPEN, _FINE = Threshold(0.01, 100.0), 1000.0
_WORK = """
import torch


def work(x):
    for _ in range(20):
        x = torch.tanh(x)
    return x
"""


@dataclass(frozen=True)
class Measurement:
    """What was measured, in this order; it ends where the clock is of no use.

    Attributes:
        read_s: Wall-clock seconds that one reading of the worker's clock takes.
        step_s: The least step that the clock was seen to make; None if it stood still.
        times_s: Seconds that the same work took, again and again.
        bytes_per_s: What a worker can write.
        ratios: Ratios of identical code, until one's interval holds 1.
        failure: Why nothing could be measured; empty if it could.
    """

    read_s: float
    step_s: float | None
    times_s: tuple[float, ...] = ()
    bytes_per_s: float = 0.0
    ratios: tuple[Ratio, ...] = field(default=())
    failure: str = ""

    @property
    def spread(self) -> tuple[float, float]:
        """How far the median and the longest time lie above the least, as shares of that."""
        times_s = believable(self.times_s)
        least = min(times_s)
        return statistics.median(times_s) / least - 1, max(times_s) / least - 1


def holds_one(ratio: Ratio) -> bool:
    """Tell whether the interval of identical code holds 1, or ends near it."""
    return ratio.low <= 1.0 + NEAR and ratio.high >= 1.0 - NEAR


def measure(sandbox: Sandbox, clock: Clock | None = None) -> Measurement:
    """Time made-up work in workers of a sandbox, as a speed check does.

    Args:
        sandbox: Starts the workers, on its device.
        clock: The clock; by default that of the sandbox's device.

    Raises:
        SandboxError: If no worker starts, or the device's lock cannot be opened.
    """
    workers = Launcher(sandbox, Sources("doctor", _WORK, baseline=_WORK), Limits())
    clock = clock or clock_of(sandbox.device)
    read_s, step_s = 0.0, None
    try:
        with _as_a_grader(), clock.alone():
            worker = workers.start()
            read_s, step_s = _reading_s(worker, clock), _step_s(worker, clock)
            if step_s is None or step_s > COARSE_S:
                return Measurement(read_s, step_s)
            times_s = tuple(_work_s(worker, clock) for _ in range(_REPEATS))
            rate = floor.bandwidth(worker, clock, workers.device)
            workers.end(worker)
        with _as_a_grader():
            return Measurement(read_s, step_s, times_s, rate, _ratios(workers, clock))
    except (CallFailed, StudentError, LoadError, AssertionError, ArithmeticError) as error:
        return Measurement(read_s, step_s, failure=f"{type(error).__name__}: {error}")
    finally:
        workers.end_all()
        clock.close()


@contextmanager
def _as_a_grader() -> Iterator[None]:
    """Stay on one core, the workers' own, and compute in one thread, as whoever grades does."""
    threads, cores_before = torch.get_num_threads(), set[int]()
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        cores_before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {max(cores_before)})
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if cores_before:
            os.sched_setaffinity(0, cores_before)


def _reading_s(worker: WorkerHandle, clock: Clock) -> float:
    started = time.perf_counter()
    for _ in range(_READINGS):
        clock.now(worker)
    return (time.perf_counter() - started) / _READINGS


def _step_s(worker: WorkerHandle, clock: Clock) -> float | None:
    """Return the least step of the clock while a worker answers requests that take next to nothing."""
    before, steps = clock.now(worker), []
    for _ in range(_STEPS):
        worker.request("memory", reset=False)
        now = clock.now(worker)
        steps.append(now - before)
        before = now
    return min((step for step in steps if step > 0), default=None)


def _work_s(worker: WorkerHandle, clock: Clock) -> float:
    before = clock.now(worker)
    worker.request("write", nbytes=_WORK_BYTES, times=_WORK_TIMES)
    return clock.now(worker) - before


def _ratios(workers: Launcher, clock: Clock) -> tuple[Ratio, ...]:
    """Time one and the same code as a submission and as its baseline, until an interval holds 1."""
    ratios: list[Ratio] = []
    while len(ratios) < TRIES and not (ratios and holds_one(ratios[-1])):
        speed = Speed(workers, Credit(_FINE), _OPEN, clock=clock, name="doctor")
        ratios.append(speed("work", lambda: (torch.randn(64, 512, device=workers.device),), _expected))
    return tuple(ratios)


def _expected(x: torch.Tensor) -> torch.Tensor:
    for _ in range(20):
        x = torch.tanh(x)
    return x
