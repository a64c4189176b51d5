"""Workers that are interpreters of their own: level ``process`` where fork is absent or unsafe.

Each costs an import of torch, so one is started ahead of the next request. There is no seccomp filter and no limit
of the kernel's here; the watcher still ends what uses up its time or memory. Enough for a student's own checks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course.schema import Limits
from autograder.sandbox.environment import worker_environment
from autograder.sandbox.handle import WorkerHandle
from autograder.sandbox.process import Process
from autograder.sandbox.watcher import watcher
from autograder.wire.channel import Channel


@dataclass
class _Spare:
    """A worker that was started ahead of time."""

    popen: subprocess.Popen[bytes]
    folder: str


class SpawnSandbox:
    """Starts a fresh interpreter for every worker.

    Attributes:
        level: Always ``process``.
        device: The device that its workers compute on.
    """

    level = "process"

    def __init__(self, preload: Sequence[str] = (), forbidden: Sequence[str] = (), *, device: str = "cpu") -> None:
        self.device = device
        self._settings = {"preload": list(preload), "forbidden": list(forbidden), "device": device}
        self._spare: _Spare | None = None

    def launch(self) -> None:
        """Start the first worker ahead of its request."""
        if self._spare is None:
            self._spare = self._begin(trim=False)

    def start(self, limits: Limits, *, seed: int, trim: bool = False) -> WorkerHandle:
        """Start a worker; see ``Sandbox``."""
        spare, self._spare = self._spare, None
        if spare is not None and (trim or spare.popen.poll() is not None):
            _end(spare)
            spare = None
        current = spare or self._begin(trim)
        if not trim:
            self._spare = self._begin(trim=False)
        popen = current.popen
        assert popen.stdin is not None and popen.stdout is not None and popen.stderr is not None
        channel = Channel(os.dup(popen.stdout.fileno()), os.dup(popen.stdin.fileno()))
        output = os.dup(popen.stderr.fileno())
        for stream in (popen.stdin, popen.stdout, popen.stderr):
            stream.close()
        worker = WorkerHandle(Process(popen.pid), channel, output, limits, folder=current.folder, reap=popen.wait)
        worker.request("seed", seed=seed)
        return worker

    def _begin(self, trim: bool) -> _Spare:
        folder = tempfile.mkdtemp(prefix="autograde-")
        settings = json.dumps({**self._settings, "trim": trim})
        command = [sys.executable, "-s", "-P", "-m", "autograder.worker.spawned", settings]

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                command,
                env=worker_environment(folder, self.device),
                cwd=folder,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )

        return _Spare(watcher().call(start), folder)

    def close(self) -> None:
        """End the worker that was started ahead."""
        if self._spare is not None:
            _end(self._spare)
            self._spare = None


def _end(spare: _Spare) -> None:
    import shutil

    spare.popen.kill()
    spare.popen.communicate()
    shutil.rmtree(spare.folder, ignore_errors=True)
