"""Workers that are forks of a forkserver: levels ``namespaces``, ``user`` and ``process`` on Linux."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from autograder.course.schema import Limits
from autograder.errors import SandboxError
from autograder.sandbox.environment import worker_environment
from autograder.sandbox.handle import WorkerHandle
from autograder.sandbox.process import Process
from autograder.sandbox.watcher import watcher
from autograder.wire import frames
from autograder.wire.channel import Channel
from autograder.worker.confinement import WORK_FOLDER

_HELLO_BYTES = 4096
_START_TIMEOUT_S = 120.0
_ANSWER_TIMEOUT_S = 60.0


class ForkSandbox:
    """A forkserver and the workers that it forks.

    Attributes:
        level: The sandbox level of its workers.
        device: The device that they compute on.
    """

    def __init__(
        self, level: str, preload: Sequence[str] = (), forbidden: Sequence[str] = (), *, device: str = "cpu"
    ) -> None:
        self.level = level
        self.device = device
        self._settings = {"level": level, "preload": list(preload), "forbidden": list(forbidden), "device": device}
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._ready = False

    def launch(self) -> None:
        """Start the forkserver without waiting for it, so that it imports torch while the grader does the same."""
        with self._lock:
            if self._process is not None:
                return
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            command = [sys.executable, "-s", "-P", "-m", "autograder.worker.forkserver", str(theirs.fileno())]

            def start() -> subprocess.Popen[bytes]:
                return subprocess.Popen(
                    command,
                    env=worker_environment(self._home(), self.device),
                    cwd="/",
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )

            self._process = watcher().call(start)
            self._control = ours
            theirs.close()
            ours.send(json.dumps(self._settings).encode())

    def start(self, limits: Limits, *, seed: int, trim: bool = False) -> WorkerHandle:
        """Fork a worker.

        Args:
            limits: What it may use.
            seed: Seeds its random generators.
            trim: Make its allocator return memory at once (where memory is measured, never where time is).

        Raises:
            SandboxError: If this machine cannot isolate it.
        """
        self.launch()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        read_fd, write_fd = os.pipe()
        folder = "" if self.level == "namespaces" else self._make_folder()
        try:
            number = self._ask(limits, seed, trim, folder, [theirs.fileno(), write_fd])
            theirs.close()
            os.close(write_fd)
            process = Process(self._hello(ours, read_fd))
        except BaseException:
            ours.close()
            theirs.close()
            os.close(read_fd)
            raise
        descriptor = ours.detach()
        channel = Channel(descriptor, descriptor)
        channel.send({"go": True})
        return WorkerHandle(process, channel, read_fd, limits, folder=folder, ended_by=lambda: self._ended_by(number))

    def _ask(self, limits: Limits, seed: int, trim: bool, folder: str, fds: list[int]) -> int:
        """Have a worker forked, and return its number as the forkserver sees it."""
        wanted = asdict(limits)
        names = ("memory_bytes", "threads", "processes", "disk_bytes", "time_s")
        confinement = {**{name: wanted[name] for name in names}, "folder": folder}
        request = json.dumps({"confinement": confinement, "seed": seed, "trim": trim}).encode()
        with self._lock:
            assert self._control is not None
            if not self._ready:
                self._control.settimeout(_START_TIMEOUT_S)
                self._answer("does not start")
                self._control.settimeout(_ANSWER_TIMEOUT_S)
                self._ready = True
            try:
                socket.send_fds(self._control, [request], fds)
            except OSError as error:
                WorkerHandle.disturbances += 1
                raise SandboxError(f"sandbox: the forkserver is gone ({error}); run the command again") from error
            return int(self._answer("cannot start a worker")["pid"])

    def _ended_by(self, pid: int) -> int:
        """Return the signal that ended a worker, 0 for none; SIGKILL where its forkserver is gone as well."""
        with self._lock:
            if self._control is None:
                return 0
            try:
                self._control.send(json.dumps({"ended": pid}).encode())
                return int(self._answer("does not say how a worker ended")["signal"])
            except (OSError, SandboxError):
                return signal.SIGKILL

    def _answer(self, what: str) -> dict[str, Any]:
        assert self._control is not None
        try:
            data = self._control.recv(1 << 16)
        except OSError as error:
            WorkerHandle.disturbances += self._ready
            raise SandboxError(f"sandbox: the forkserver {what} ({error}); run `autograde doctor`") from error
        if not data:
            WorkerHandle.disturbances += self._ready  # one that never was ready has a reason of its own
        answer: dict[str, Any] = json.loads(data or b'{"error": "it ended"}')
        if "error" in answer:
            reason = answer["error"]
            raise SandboxError(
                f"sandbox: level {self.level} {what}: {reason}; `autograde doctor` tells what is missing"
            )
        return answer

    def _hello(self, link: socket.socket, output_fd: int) -> int:
        link.settimeout(_ANSWER_TIMEOUT_S)
        size = socket.CMSG_SPACE(struct.calcsize("3i"))
        data, ancillary, _, _ = link.recvmsg(_HELLO_BYTES, size)
        link.settimeout(None)
        if not data.startswith(frames.MAGIC):
            reason = os.read(output_fd, 2000).decode(errors="replace").strip()
            raise SandboxError(f"sandbox: a worker does not start: {reason}; `autograde doctor` tells what is missing")
        for kind, number, content in ancillary:
            if kind == socket.SOL_SOCKET and number == socket.SCM_CREDENTIALS:
                return int(struct.unpack("3i", content[: struct.calcsize("3i")])[0])
        raise SandboxError("sandbox: the kernel does not tell a worker's number; this system is not supported")

    def _home(self) -> str:
        return WORK_FOLDER if self.level == "namespaces" else tempfile.gettempdir()

    def _make_folder(self) -> str:
        folder = tempfile.mkdtemp(prefix="autograde-")
        if self.level == "user":
            os.chmod(folder, 0o1777)
        return folder

    def close(self) -> None:
        """End the forkserver."""
        with self._lock:
            if self._control is not None:
                self._control.close()
                self._control = None
            if self._process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(2)
                self._process.kill()
                self._process.wait()
                if self._process.stderr is not None:
                    self._process.stderr.close()
                self._process = None
            self._ready = False
