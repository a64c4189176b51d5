"""A core for each process that grades, which no other grader on this machine uses.

Grader and worker take turns. On two cores each turn has to wake the other one up, which takes ten times as long; and
two graders on one core would take twice the time for everything.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading


class Core:
    """Keeps this process, and all that it starts, on one core, until it is given back."""

    def __init__(self) -> None:
        """Take the last core that no other grader has, or any where each is taken; none where the system has no say."""
        self._mark: socket.socket | None = None
        self._before: set[int] = set()
        self._thread = 0
        if not hasattr(os, "sched_setaffinity"):
            return
        # The affinity is the thread's: whichever thread closes this gives the core back for the one that took it.
        self._thread = threading.get_native_id()
        self._before = os.sched_getaffinity(self._thread)
        cores = sorted(self._before, reverse=True)
        chosen = cores[os.getpid() % len(cores)]
        for core in cores:
            self._mark = _mark(core)
            if self._mark is not None:
                chosen = core
                break
        os.sched_setaffinity(self._thread, {chosen})

    def close(self) -> None:
        """Give the core back; a second call does nothing."""
        if self._mark is not None:
            self._mark.close()
            self._mark = None
        if self._before:
            with contextlib.suppress(ProcessLookupError):  # that thread has ended
                os.sched_setaffinity(self._thread, self._before)
            self._before = set()


def _mark(core: int) -> socket.socket | None:
    """Take a name that only one process at a time can have, and that the kernel frees when it ends."""
    found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        found.bind(f"\0autograde-core-{core}")
    except OSError:
        found.close()
        return None
    return found
