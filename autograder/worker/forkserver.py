"""Import torch once, then fork a worker for every request.

The grader starts this with ``subprocess`` in an allow-listed environment and talks to it over one socket: each
request is a JSON line with two descriptors, the worker's channel and the pipe for its output. It never runs a
parallel region and never touches CUDA, so that its forks may.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from typing import Any

from autograder.wire import channel, frames
from autograder.worker import compat, linux, seccomp, serve
from autograder.worker import confinement as confine
from autograder.worker import forbidden_calls as guard
from autograder.worker.accelerator import make_accelerator

_MAX_REQUEST_BYTES = 65536


class Forkserver:
    """The state of the forkserver.

    Attributes:
        control: The socket to the grader.
        level: The sandbox level of its workers.
        device: The device that they compute on.
        root: Whether it runs as root.
        programs: The compiled seccomp filters, by whether processes are allowed; empty without libseccomp.
    """

    def __init__(self, control: socket.socket, level: str, device: str = "cpu") -> None:
        self.control = control
        self.level = level
        self.device = device
        self.root = os.geteuid() == 0
        self.programs: dict[bool, bytes] = {}
        self._pid_namespace = -1
        self._count = 0
        self._signals: dict[int, int] = {}  # by which the workers ended that nobody asked about

    def prepare(self, preload: list[str], forbidden: list[str]) -> None:
        """Lock this process in as far as its level says, then import what workers need.

        Args:
            preload: Modules to import.
            forbidden: The calls that the assignment forbids; finding them takes longer than a fork.
        """
        try:
            signals = self.level == "namespaces"
            self.programs = {allow: seccomp.compile_filter(processes=allow, signals=signals) for allow in (False, True)}
        except (ImportError, RuntimeError, OSError):
            if self.level != "process":
                raise
        if self.level == "namespaces":
            confine.prepare(self.root, gpu=self.device == "cuda")
            self._pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        compat.define_torchvision_operators()
        compat.keep_one_process()
        for name in preload:
            _import_what_is_there(name)
        guard.prepare(tuple(forbidden))
        serve.warm_up()
        gc.collect()
        gc.freeze()

    def run(self) -> None:
        """Serve requests until the grader is gone."""
        self.control.sendall(b'{"ready": true}\n')
        while True:
            data, fds, _, _ = socket.recv_fds(self.control, _MAX_REQUEST_BYTES, 4)
            self._reap()
            if not data:
                os._exit(0)
            request = json.loads(data)
            if "ended" in request:
                self.control.sendall(json.dumps({"signal": self._signals.pop(request["ended"], 0)}).encode() + b"\n")
                continue
            try:
                pid = self._fork(request, fds)
                answer: dict[str, Any] = {"pid": pid}
            except OSError as error:
                answer = {"error": str(error)}
            for fd in fds:
                os.close(fd)
            self.control.sendall(json.dumps(answer).encode() + b"\n")

    def _reap(self) -> None:
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    return
                if os.WIFSIGNALED(status):
                    self._signals[pid] = os.WTERMSIG(status)
        except ChildProcessError:
            return

    def _fork(self, request: dict[str, Any], fds: list[int]) -> int:
        self._count += 1
        uid = confine.FIRST_UID + (os.getpid() * 97 + self._count) % confine.UIDS
        limits = confine.Confinement(level=self.level, uid=uid, **request["confinement"])
        if self._pid_namespace >= 0:
            linux.unshare(linux.CLONE_NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid and self._pid_namespace >= 0:
                linux.setns(self._pid_namespace, linux.CLONE_NEWPID)
        if pid:
            return pid
        try:
            self._become_worker(limits, request, fds)
        except BaseException as error:  # noqa: BLE001  # nothing of the forkserver may go on in a fork
            os.write(2, f"worker: {type(error).__name__}: {error}\n".encode())
        os._exit(70)

    def _become_worker(self, limits: confine.Confinement, request: dict[str, Any], fds: list[int]) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.control.close()
        link, output = os.dup2(fds[0], 100), os.dup2(fds[1], 101)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 100)
        os.closerange(102, 256)
        os.dup2(link, 3)
        os.closerange(100, 102)
        confine.enter(limits)
        line = channel.Channel(3, 3)
        line.send({"hello": os.getpid()})
        line.receive()
        if request["trim"]:
            linux.return_memory_eagerly()
        else:
            linux.keep_memory()
        program = self.programs.get(limits.processes > 1)
        accelerator = make_accelerator(self.device)  # only in the fork: what starts CUDA can fork no more
        confine.surrender(limits, program, root=self.root)
        serve.seed_everything(request["seed"])
        serve.serve(line, accelerator)


def _import_what_is_there(name: str) -> None:
    """Import a dotted name as far as it is a module, so that workers find it imported."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        try:
            importlib.import_module(".".join(parts[:count]))
        except ImportError:
            return


def main() -> None:
    """Start from the command line: ``python -m autograder.worker.forkserver FD``; the first message has the rest."""
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.argv[1:] = []
    linux.die_with_parent()
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    settings = json.loads(control.recv(_MAX_REQUEST_BYTES))
    server = Forkserver(control, settings["level"], settings["device"])
    try:
        server.prepare(settings["preload"], settings["forbidden"])
    except Exception as error:  # told to the grader, which turns it into a SandboxError
        control.sendall(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        raise SystemExit(1) from error
    try:
        server.run()
    except (ConnectionError, frames.WireError):
        os._exit(0)


if __name__ == "__main__":
    main()
