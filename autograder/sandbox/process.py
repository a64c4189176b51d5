"""Look at a worker from outside: its clock, its memory, whether it lives; stop it and end it.

Sources: clock_getres(2) and the kernel's ``include/linux/posix-timers_types.h`` for the clock id of another process,
proc(5) for ``clear_refs``, ``statm``, ``status``, ``stat`` and ``mem``.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable

import torch

from autograder.verdicts import Crashed
from autograder.wire import frames

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_RESET_PEAK = b"5"
_STOP_TIMEOUT_S = 5.0


class Process:
    """One worker's process, seen from the grader.

    Attributes:
        pid: Its number in the grader's own pid namespace.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._clock = (~pid << 3) | 2
        self._pidfd = os.pidfd_open(pid) if hasattr(os, "pidfd_open") else -1
        # Opened while the worker is still ours to look into: it gives that up before it runs anything of a student's.
        self._memory = _try_open(f"/proc/{pid}/mem", os.O_RDONLY)
        self._clear_refs = _try_open(f"/proc/{pid}/clear_refs", os.O_WRONLY)
        self._status = _try_open(f"/proc/{pid}/status", os.O_RDONLY)

    @property
    def readable(self) -> bool:
        """Whether its memory can be read while it is stopped."""
        return self._memory >= 0

    def cpu_time_s(self) -> float:
        """Return the CPU seconds of all its threads so far.

        Raises:
            Crashed: If it is gone.
        """
        if sys.platform != "linux":
            import psutil

            try:
                times = psutil.Process(self.pid).cpu_times()
            except psutil.Error as error:
                raise Crashed("the worker died") from error
            return float(times.user + times.system)
        try:
            return time.clock_gettime(self._clock)
        except OSError as error:
            raise Crashed("the worker died") from error

    def memory_bytes(self) -> int:
        """Return its resident memory, anonymous and shared, without the pages of files; 0 once it is gone."""
        fields = self._read_status()
        return sum(fields.get(name, 0) for name in ("RssAnon", "RssShmem", "VmSwap"))

    def peak_bytes(self) -> int:
        """Return its highest resident memory since ``reset_peak``, the pages of files included."""
        return self._read_status().get("VmHWM", 0)

    def resident_bytes(self) -> int:
        """Return its resident memory now, the pages of files included."""
        return self._read_status().get("VmRSS", 0)

    def reset_peak(self) -> None:
        """Start the peak anew.

        Raises:
            OSError: If this system does not allow it.
        """
        os.pwrite(self._clear_refs, _RESET_PEAK, 0)

    def _read_status(self) -> dict[str, int]:
        if self._status < 0:
            return {}
        try:
            text = os.pread(self._status, 8192, 0).decode(errors="replace")
        except OSError:
            return {}
        fields = {}
        for line in text.splitlines():
            name, _, value = line.partition(":")
            parts = value.split()
            if len(parts) == 2 and parts[1] == "kB":
                fields[name] = int(parts[0]) * 1024
        return fields

    def stop(self) -> float:
        """Stop it and return its CPU clock, which stands from then on.

        Raises:
            Crashed: If it is gone or does not stop.
        """
        self._signal(signal.SIGSTOP)
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        while not self._stopped():
            if time.monotonic() > deadline:
                raise Crashed("the worker does not stop")
            _yield()  # it may need this very core to take notice
        return self.cpu_time_s()

    def _stopped(self) -> bool:
        try:
            threads = os.listdir(f"/proc/{self.pid}/task")
            states = []
            for thread in threads:
                with open(f"/proc/{self.pid}/task/{thread}/stat", "rb") as file:
                    states.append(file.read().rpartition(b")")[2].split()[0])
        except OSError as error:
            raise Crashed("the worker died") from error
        if any(state in (b"Z", b"X") for state in states):
            raise Crashed("the worker died")
        return all(state in (b"T", b"t") for state in states)

    def resume(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def read_memory(self, address: int, nbytes: int) -> torch.Tensor:
        """Copy a piece of its memory, flat uint8.

        Raises:
            Crashed: If there is no such memory.
        """
        out = torch.empty(nbytes, dtype=torch.uint8)
        view = frames.byte_view(out)
        position = 0
        while position < nbytes:
            try:
                count = os.preadv(self._memory, [view[position:]], address + position)
            except (OSError, OverflowError) as error:
                raise Crashed("the worker's answer lies outside its memory") from error
            if count <= 0:
                raise Crashed("the worker's answer lies outside its memory")
            position += count
        return out

    def pin(self, cores: set[int]) -> None:
        """Keep all its threads on these cores; nothing where the system cannot."""
        if hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.pid, cores)

    def _signal(self, number: int) -> None:
        try:
            if self._pidfd >= 0:
                signal.pidfd_send_signal(self._pidfd, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError as error:
            raise Crashed("the worker died") from error

    def kill(self) -> None:
        """End it, and with it its whole pid namespace; does not wait."""
        with contextlib.suppress(Crashed):
            self._signal(getattr(signal, "SIGKILL", signal.SIGTERM))

    def alive(self) -> bool:
        """Say whether it still runs."""
        if self._pidfd >= 0:
            return not select.select([self._pidfd], [], [], 0)[0]
        import psutil

        return bool(psutil.pid_exists(self.pid))

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is gone; say whether it is."""
        if self._pidfd >= 0:
            return bool(select.select([self._pidfd], [], [], timeout_s)[0])
        deadline = time.monotonic() + timeout_s
        while self.alive() and time.monotonic() < deadline:
            select.select([], [], [], 0.005)
        return not self.alive()

    def close(self) -> None:
        """Close what was opened to look at it."""
        for fd in (self._pidfd, self._memory, self._clear_refs, self._status):
            if fd >= 0:
                os.close(fd)
        self._pidfd = self._memory = self._clear_refs = self._status = -1


_yield: Callable[[], None] = getattr(os, "sched_yield", lambda: None)


def _try_open(path: str, flags: int) -> int:
    try:
        return os.open(path, flags)
    except OSError:
        return -1
