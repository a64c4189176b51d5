"""The limits around a worker, and the ways to start one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from autograder.course.schema import Limits
from autograder.errors import SandboxError
from autograder.sandbox.handle import WorkerHandle

__all__ = ["LEVELS", "Limits", "Sandbox", "WorkerHandle", "make_sandbox"]

LEVELS = ("namespaces", "user", "process")


class Sandbox(Protocol):
    """Starts workers at one level, for one device."""

    level: str
    device: str

    def launch(self) -> None:
        """Begin to start, without waiting."""

    def start(self, limits: Limits, *, seed: int, trim: bool = False) -> WorkerHandle:
        """Start a worker."""

    def close(self) -> None:
        """End all that was started."""


def make_sandbox(
    level: str,
    preload: Sequence[str] = (),
    forbidden: Sequence[str] = (),
    *,
    device: str = "cpu",
    fresh: bool = sys.platform != "linux",
) -> Sandbox:
    """Return the sandbox of a level on this system.

    Args:
        level: One of ``LEVELS``.
        preload: Modules that workers find imported.
        forbidden: Calls that workers will be told to watch for.
        device: The device that workers compute on.
        fresh: Start an interpreter for each worker in place of a fork (level ``process`` only).
    """
    if fresh:
        from autograder.sandbox.spawn import SpawnSandbox

        if level != "process":
            raise SandboxError(f"sandbox: level {level} needs Linux; here only --sandbox process is available")
        return SpawnSandbox(preload, forbidden, device=device)
    from autograder.sandbox.fork import ForkSandbox

    return ForkSandbox(level, preload, forbidden, device=device)
