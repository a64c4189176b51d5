"""Talk to the process that grades for a kernel: JSON lines over its standard input and output."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import IO, Any

from autograder.errors import SandboxError

# -P: what lies beside a notebook may bear the name of any module.
_COMMAND = (sys.executable, "-P", "-m", "autograder.jupyter.helper")
_PATIENCE_S = 5.0


class Helper:
    """A process that is started at first use, stays, and ends with the kernel.

    It has a session of its own, so that what interrupts the kernel does not reach it, and it ends when its standard
    input does, however the kernel ended.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[bytes] | None = None
        self._owner = 0

    def tell(self, request: dict[str, Any]) -> None:
        """Send a request that has no answer: get ready for this assignment."""
        with contextlib.suppress(SandboxError):  # the first question says it
            self._send({**request, "prepare": True})

    def ask(self, request: dict[str, Any], progress: Callable[[str], None]) -> dict[str, Any]:
        """Send a request and return its answer.

        Args:
            request: What to grade.
            progress: Told in words how it goes.

        Raises:
            SandboxError: If the process ended before it answered.
        """
        try:
            process = self._send(request)
            assert process.stdout is not None
            for line in process.stdout:
                answer: dict[str, Any] = json.loads(line)
                if "said" not in answer:
                    return answer
                progress(answer["said"])
        except BaseException:
            self.close(patience_s=0.0)  # what it is about to answer is for nobody
            raise
        raise self._ended()

    def close(self, *, patience_s: float = _PATIENCE_S) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if self._errors is not None:
            self._errors.close()

    def _send(self, request: dict[str, Any]) -> subprocess.Popen[str]:
        process = self._process
        if process is None or process.poll() is not None or self._owner != os.getpid():
            self.close(patience_s=0.0)
            process = self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        except OSError:
            raise self._ended() from None
        return process

    def _start(self) -> subprocess.Popen[str]:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        self._owner = os.getpid()
        self._process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            start_new_session=True,
            env=os.environ | {"MPLBACKEND": "agg", "PYTHONIOENCODING": "utf-8"},
        )
        return self._process

    def _ended(self) -> SandboxError:
        last = ""
        if self._errors is not None and not self._errors.closed:
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            last = f" ({lines[-1]})" if lines else ""
        self.close(patience_s=0.0)
        return SandboxError(f"the process that grades ended{last}; expected an answer; run the cell again")
