"""One thread that watches all workers of this process: their output, their time, their memory."""

from __future__ import annotations

import contextlib
import os
import queue
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from autograder.verdicts import CallFailed

if TYPE_CHECKING:
    from autograder.sandbox.handle import WorkerHandle

_TICK_S = 0.03
_READ_BYTES = 1 << 16


class Watcher:
    """Drain the workers' output and end those that go beyond a limit."""

    def __init__(self) -> None:
        self._workers: dict[int, WorkerHandle] = {}
        self._lock = threading.Lock()
        self._calls: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = queue.SimpleQueue()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._thread = threading.Thread(target=self._run, name="autograder-watcher", daemon=True)
        self._thread.start()

    def call(self, function: Callable[[], Any]) -> Any:
        """Run a function in the watcher's thread, which lasts as long as this process.

        A child with PDEATHSIG dies with the thread that started it; so forkservers are started here.
        """
        future: Future[Any] = Future()
        self._calls.put((function, future))
        self._wake()
        return future.result()

    def add(self, worker: WorkerHandle) -> None:
        """Watch a worker from now on."""
        os.set_blocking(worker.output_fd, False)  # a descriptor that was ready may be the next worker's by now
        with self._lock:
            self._workers[worker.output_fd] = worker
        self._wake()

    def remove(self, worker: WorkerHandle) -> None:
        """Stop watching a worker and take what is left of its output."""
        with self._lock:
            if self._workers.pop(worker.output_fd, None) is not None:
                while self._drain(worker) > 0:
                    continue

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"x")

    def _run(self) -> None:
        last = 0.0
        # Workers whose output has ended: by identity, because the next worker gets the same descriptor.
        ended: set[WorkerHandle] = set()
        while True:
            with self._lock:
                fds = [fd for fd, worker in self._workers.items() if worker not in ended]
                ended &= set(self._workers.values())
                timeout_s = _TICK_S if self._workers else None  # limits hold for one that has closed its output, too
            try:
                ready, _, _ = select.select([self._wake_read, *fds], [], [], timeout_s)
            except OSError:
                continue  # a worker was removed, and its descriptor closed, just now
            if self._wake_read in ready:
                os.read(self._wake_read, 4096)
                self._answer_calls()
            with self._lock:
                for fd in ready:
                    worker = self._workers.get(fd)
                    if worker is not None and self._drain(worker) == 0:
                        ended.add(worker)
                now = time.monotonic()
                if now - last >= _TICK_S:
                    last = now
                    for worker in self._workers.values():
                        self._check(worker)

    def _answer_calls(self) -> None:
        while not self._calls.empty():
            function, future = self._calls.get()
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001  # handed to the caller
                future.set_exception(error)

    @staticmethod
    def _drain(worker: WorkerHandle) -> int:
        """Take what a worker printed; return the number of bytes, 0 at the end, -1 where there is nothing now."""
        try:
            data = os.read(worker.output_fd, _READ_BYTES)
        except BlockingIOError:
            return -1
        except OSError:
            return 0
        worker.add_output(data)
        return len(data)

    @staticmethod
    def _check(worker: WorkerHandle) -> None:
        try:
            worker.check_limits()
        except CallFailed as failure:
            worker.fail(failure)


_watcher: Watcher | None = None
_watcher_lock = threading.Lock()


def watcher() -> Watcher:
    """Return this process's watcher, started at first use."""
    global _watcher
    with _watcher_lock:
        if _watcher is None:
            _watcher = Watcher()
        return _watcher


def _forget() -> None:
    global _watcher
    _watcher = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
