"""A core for each process that grades, which no other grader on this machine uses.

Grader and worker take turns. On two cores each turn has to wake the other one up, which takes ten times as long; and
two graders on one core would take twice the time for everything.
"""

from __future__ import annotations

import os
import socket


class Core:
    """Keeps this process, and all that it starts, on one core, until it is given back."""

    def __init__(self) -> None:
        """Take the last core that no other grader has, or any where each is taken; none where the system has no say."""
        self._mark: socket.socket | None = None
        self._before: set[int] = set()
        if not hasattr(os, "sched_setaffinity"):
            return
        self._before = os.sched_getaffinity(0)
        cores = sorted(self._before, reverse=True)
        chosen = cores[os.getpid() % len(cores)]
        for core in cores:
            self._mark = _mark(core)
            if self._mark is not None:
                chosen = core
                break
        os.sched_setaffinity(0, {chosen})

    def close(self) -> None:
        """Give the core back; a second call does nothing."""
        if self._mark is not None:
            self._mark.close()
            self._mark = None
        if self._before:
            os.sched_setaffinity(0, self._before)
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
