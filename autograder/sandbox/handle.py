"""The grader's handle on one worker: requests and answers, limits, output, its end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch

from autograder.course.schema import Limits
from autograder.sandbox.process import Process
from autograder.sandbox.remove_tree import remove_tree
from autograder.sandbox.watcher import watcher
from autograder.verdicts import BY_VERDICT, CallFailed, Crashed, Forbidden, OutOfMemory, StudentError, TimedOut
from autograder.wire import frames
from autograder.wire.channel import Channel, Closed

_END_TIMEOUT_S = 10.0
_MAX_FORBIDDEN = 50


class WorkerHandle:
    """One sandboxed worker.

    Attributes:
        process: The process, seen from outside.
        limits: What it may use.
        output_fd: Where its output arrives.
        failure: Why it is of no more use; None while it is.
        forbidden: The forbidden calls that it reported.
        start_bytes: Its memory before it loaded anything.
    """

    results: ClassVar[int] = 0  # how many results came back, from all workers of this process
    disturbances: ClassVar[int] = 0  # how often somebody else ended a worker or its forkserver

    def __init__(
        self,
        process: Process,
        channel: Channel,
        output_fd: int,
        limits: Limits,
        *,
        folder: str = "",
        reap: Callable[[], object] | None = None,
        ended_by: Callable[[], int] | None = None,
    ) -> None:
        self.process = process
        self.limits = limits
        self.output_fd = output_fd
        self.failure: CallFailed | None = None
        self.forbidden: list[str] = []
        self._channel = channel
        self._folder = folder
        self._reap = reap
        self._ended_by = ended_by
        self._output = bytearray()
        self._cut = False
        self._closed = False
        self._lock = threading.Lock()
        self._busy_since: float | None = None
        self._wall_s = 0.0
        self._serial = 0
        self.start_bytes = process.memory_bytes()
        self._time_s = limits.time_s
        self._cpu_start_s = process.cpu_time_s()
        watcher().add(self)

    # -- limits ------------------------------------------------------------------------------------------------------

    def allow(self, time_s: float) -> None:
        """Grant so many CPU seconds from now on."""
        with self._lock:
            self._time_s = time_s
            self._cpu_start_s = self.process.cpu_time_s()
            self._wall_s = 0.0

    def check_limits(self) -> None:
        """Compare what the worker used with its limits; called by the watcher.

        Raises:
            TimedOut: If it used up its CPU or wall-clock time.
            OutOfMemory: If it used up its memory.
        """
        if self.failure is not None or self._closed:
            return
        try:
            used_s = self.process.cpu_time_s() - self._cpu_start_s
        except Crashed:
            return  # the reader of the channel sees it, with what the worker still said
        if used_s > self._time_s:
            raise TimedOut(f"used up its {self._time_s:g} s of CPU time")
        busy_since = self._busy_since
        wall_s = self._wall_s + (time.monotonic() - busy_since if busy_since is not None else 0.0)
        if wall_s > self._time_s * self.limits.wall_factor:
            raise TimedOut(f"took {wall_s:.0f} s without using its {self._time_s:g} s of CPU time")
        beyond = self.process.memory_bytes() - self.start_bytes
        if beyond > self.limits.memory_bytes:
            raise OutOfMemory(f"used more than its {self.limits.memory_bytes / (1 << 30):.3g} GiB of memory")

    def fail(self, failure: CallFailed) -> None:
        """Settle why the worker is of no more use, and end it; the first reason stays."""
        with self._lock:
            if self.failure is None:
                self.failure = failure
        self.process.kill()

    # -- output ------------------------------------------------------------------------------------------------------

    def add_output(self, data: bytes) -> None:
        """Keep output up to the cap."""
        room = self.limits.output_bytes - len(self._output)
        self._output += data[:room]
        self._cut = self._cut or len(data) > room

    @property
    def output(self) -> str:
        """What the worker printed so far, cut at its cap."""
        text = bytes(self._output).decode(errors="replace")
        return text + ("\n[output cut here]\n" if self._cut else "")

    # -- requests ----------------------------------------------------------------------------------------------------

    def request(
        self, op: str, buffers: Sequence[Any] = (), /, *, judge: bool = True, **fields: Any
    ) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """Send a request and return the answer: its header and its buffers.

        Args:
            op: The name of the operation.
            buffers: The buffers of the frame.
            judge: Raise for what the answer reports; if not, only for a worker that is lost.
            fields: The fields of the header.

        Raises:
            CallFailed: If the worker is lost or made a forbidden call.
            StudentError: If the submission's code raised.
        """
        header, answer_buffers = self.exchange(lambda: self.send(op, buffers, **fields))
        if judge:
            self.judge(header)
        return header, answer_buffers

    def exchange(self, send: Callable[[], None]) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """Send by the given function and receive one frame, within the limits.

        Raises:
            CallFailed: If the worker is lost.
        """
        if self.failure is not None:
            raise self.failure
        if self._channel.unread():
            raise self.malformed(frames.WireError("it came before it was asked for"))
        with self._lock:
            self._busy_since = time.monotonic()
        self._serial += 1
        try:
            send()
            header, buffers = self._channel.receive()
            if header.get("serial") != self._serial:
                raise frames.WireError("it answers another request")
            return header, buffers
        except Closed:
            self._lost("the worker died before it answered")
        except frames.WireError as error:
            raise self.malformed(error) from error
        finally:
            with self._lock:
                self._wall_s += time.monotonic() - (self._busy_since or time.monotonic())
                self._busy_since = None
        raise AssertionError("unreachable")

    def send(self, op: str, buffers: Sequence[Any] = (), /, **fields: Any) -> None:
        """Write a request without waiting for its answer; for use inside ``exchange``."""
        self._channel.send({"op": op, "serial": self._serial, **fields}, buffers)

    def _lost(self, why: str) -> None:
        gone = self.process.wait(_END_TIMEOUT_S if self.failure is not None else 1.0)
        if gone and self.failure is None and self._ended_by is not None:
            # No submission can end its own process so: a filter or its pid namespace keeps it from that.
            WorkerHandle.disturbances += self._ended_by() == signal.SIGKILL
        with contextlib.suppress(Crashed):
            self.fail(Crashed(why))
        assert self.failure is not None
        raise self.failure

    def malformed(self, error: frames.WireError) -> CallFailed:
        """End the worker over an answer that follows no format and return the failure to raise."""
        self.fail(Crashed(f"the worker's answer is malformed: {error}"))
        assert self.failure is not None
        return self.failure

    def judge(self, header: dict[str, Any]) -> None:
        """Raise for what an answer reports.

        Raises:
            Forbidden: If forbidden calls were made.
            StudentError: If the submission's code raised.
            Crashed: If the answer follows no format.
        """
        forbidden = header.get("forbidden")
        if not isinstance(forbidden, list) or not all(isinstance(name, str) for name in forbidden):
            raise self.malformed(frames.WireError("it lacks a field"))
        if forbidden:
            self.forbidden = [name[:200] for name in forbidden[:_MAX_FORBIDDEN]]
            self.fail(Forbidden(f"called {', '.join(self.forbidden[:5])}, which this assignment forbids"))
            assert self.failure is not None
            raise self.failure
        WorkerHandle.results += "result" in header
        if "error" in header:
            error = _student_error(header["error"], self)
            if header.get("spent") is not True:
                raise error
            self.fail(Crashed(f"the device failed for good: {error}"))
            assert self.failure is not None
            raise self.failure

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """End the worker, whatever it does, and take away all that it left. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.process.kill()
        if self._reap is not None:
            self._reap()
        self.process.wait(_END_TIMEOUT_S)
        watcher().remove(self)
        self._channel.close()
        os.close(self.output_fd)
        self.process.close()
        if self._folder:
            remove_tree(self._folder)


def _student_error(node: Any, worker: WorkerHandle) -> Exception:
    names = ("type", "message", "traceback")
    if not isinstance(node, dict) or not all(isinstance(node.get(name), str) for name in names):
        return worker.malformed(frames.WireError("an error is malformed"))
    mro, line = node.get("mro"), node.get("line")
    if not isinstance(mro, list) or not all(isinstance(name, str) for name in mro) or not isinstance(line, int):
        return worker.malformed(frames.WireError("an error is malformed"))
    if {"OutOfMemoryError", "MemoryError"} & set(mro) or "can't allocate memory" in node["message"]:
        return BY_VERDICT["out_of_memory"]("asked for more memory than there is")
    return StudentError(node["type"][:200], tuple(mro), node["message"][:4000], node["traceback"][:4000], line)
