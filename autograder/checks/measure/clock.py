"""The clocks that times are taken by: the worker's CPU clock, and the wall clock where a device works beside it."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from autograder.errors import SandboxError
from autograder.sandbox.start import WorkerHandle

_MISREAD = 0.25


class Clock(Protocol):
    """Tells a worker's time.

    Attributes:
        stops: Whether the clock of a stopped worker stops too, so that its result can be read meanwhile.
    """

    stops: bool

    def now(self, worker: WorkerHandle) -> float:
        """Return the seconds on a worker's clock."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep everybody else from what is timed, for the length of a block."""

    def close(self) -> None:
        """Let others have what is timed."""


class CpuClock:
    """The CPU time of a worker with all its threads, which no other process changes."""

    stops = True

    def now(self, worker: WorkerHandle) -> float:
        """Return the CPU seconds that the worker has used."""
        return worker.process.cpu_time_s()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Do nothing: a busy machine does not change this clock."""
        yield

    def close(self) -> None:
        """Do nothing."""


class WallClock:
    """The grader's wall clock, for a device that all graders on this machine share by a lock.

    Who grades on the device holds the lock with others; who times holds it alone.
    """

    stops = False

    def __init__(self, device: str, folder: Path | None = None) -> None:
        """Take the lock, with others.

        Args:
            device: The device's name.
            folder: Where the lock lies; by default the system's folder for temporary files.

        Raises:
            SandboxError: If it cannot be opened.
        """
        import fcntl

        chosen = "".join(char for char in os.environ.get("CUDA_VISIBLE_DEVICES", "") if char.isalnum() or char in ",-")
        path = (folder or Path(tempfile.gettempdir())) / f"autograde-{'-'.join(filter(None, (device, chosen)))}.lock"
        try:
            self._file = _open_for_all(path)
        except OSError as error:
            raise SandboxError(
                f"{path}: the lock of the device cannot be opened ({error.strerror}); expected a file that this user "
                "may write; delete it, or set TMPDIR"
            ) from error
        self._flock, self._shared, self._exclusive = fcntl.flock, fcntl.LOCK_SH, fcntl.LOCK_EX
        self._flock(self._file, self._shared)

    def now(self, worker: WorkerHandle) -> float:
        """Return the seconds of the wall clock."""
        return time.perf_counter()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else holds the lock, and keep it.

        The kernel gives the shared lock back before it takes the other one, so that two who want it do not wait for
        each other.
        """
        self._flock(self._file, self._exclusive)
        try:
            yield
        finally:
            self._flock(self._file, self._shared)

    def close(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _open_for_all(path: Path) -> int:
    """Open a lock that every user of the machine may hold; not made where it is there, which /tmp may forbid."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        before = os.umask(0)
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        finally:
            os.umask(before)


def clock_of(device: str) -> Clock:
    """Return the clock by which a device is timed.

    Raises:
        SandboxError: If the device's lock cannot be opened.
    """
    return CpuClock() if device == "cpu" else WallClock(device)


def believable(times_s: Sequence[float]) -> list[float]:
    """Return times with those of a clock that ran short replaced by the least of the others.

    A virtual machine's kernel takes the time that its host kept from it off whichever process runs when it learns of
    it, down to nothing. A time under a quarter of the median is such a one; no submission gains by losing it.
    """
    least = _MISREAD * statistics.median(times_s)
    least = min(time for time in times_s if time >= least)
    return [max(time, least) for time in times_s]
