"""A process that grades for another one, which never runs a check itself: nbgrader, or a Jupyter server.

A grading changes the process that it runs in: torch's threads, pytest, `stdout`, signals. So it runs in a child that is
started when it is first needed, keeps its sandbox warm, and ends when it has been idle for a while, or with its parent.
"""

from __future__ import annotations

import atexit
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, BinaryIO

from autograder.errors import AutograderError, CourseError
from autograder.grading.job import MOST_DEATHS, Job, given_up
from autograder.grading.report_store import Reuse, engine_digest
from autograder.report.model import Report
from autograder.submission.reading import Submission

if TYPE_CHECKING:
    from autograder.grading.grader import LastingGrader

IDLE_S = 300.0
"""How long a grader waits for the next submission before it ends: a choice, longer than the pause between two cells."""


class GradingProcess:
    """Grades in a child of this process, one submission at a time, whichever thread asks."""

    def __init__(self, idle_s: float = IDLE_S, *, environment: Mapping[str, str] | None = None) -> None:
        """Start nothing yet.

        Args:
            idle_s: How long the child waits for the next submission before it is ended.
            environment: What it has in its environment beside what this process has.
        """
        self._idle_s = idle_s
        self._environment = {**os.environ, **(environment or {})}
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._timer: threading.Timer | None = None
        atexit.register(self.close)

    @property
    def pid(self) -> int | None:
        """The child's process id; None where there is none."""
        return self._child.pid if self._child else None

    def grade(self, job: Job, reuse: Reuse | None, submission: Submission) -> Report:
        """Grade one submission; what ends the child each time gets a report that says so.

        Raises:
            AutograderError: Whatever kept it from being graded, such as a check file that does not load.
        """
        with self._lock:
            self._stop_timer()
            answer: object = None
            for attempt in (*[submission] * MOST_DEATHS, given_up(submission)):
                try:
                    answer = self._ask((job, reuse, attempt))
                    break
                except (OSError, EOFError, pickle.UnpicklingError):
                    self._end()
            self._timer = threading.Timer(self._idle_s, self.close)
            self._timer.daemon = True
            self._timer.start()
        if isinstance(answer, Report):
            return answer
        if isinstance(answer, AutograderError):
            raise answer
        raise CourseError(
            f"{job.assignment}: the process that graded {submission.student} ended; expected a report; look at the "
            f"memory of this machine, then run `autograde grade {job.assignment}`"
        )

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._stop_timer()
            self._end()

    def _ask(self, request: tuple[Job, Reuse | None, Submission]) -> object:
        if self._child is None or self._child.poll() is not None:
            self._end()
            command = [sys.executable, "-P", "-m", "autograder.grading.child"]
            self._child = subprocess.Popen(
                command, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        child = self._child
        assert child.stdin is not None and child.stdout is not None  # asked for above
        pickle.dump(request, child.stdin)
        child.stdin.flush()
        return pickle.load(child.stdout)

    def _end(self) -> None:
        """End the child: without its standard input it stops by itself, and takes its sandbox along."""
        child, self._child = self._child, None
        if child is None:
            return
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not flushed into a child that is gone
                    pass
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    grader: LastingGrader | None = None
    try:
        while True:
            try:
                job, reuse, submission = pickle.load(requests)
            except EOFError:
                return
            answer: Report | AutograderError
            try:
                from autograder.grading.grader import LastingGrader

                grader = grader or LastingGrader()
                answer = grader.grade(job, submission, reuse=reuse)
            except AutograderError as error:
                answer = error
            pickle.dump(answer, answers)
            answers.flush()
    finally:
        if grader is not None:
            grader.close()


def main() -> None:
    """Serve the process that started this one; what checks print goes where its standard error goes."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    engine_digest()  # of the files as they are now, when the modules are imported
    try:
        _serve(sys.stdin.buffer, answers)
    except (KeyboardInterrupt, BrokenPipeError):
        pass


if __name__ == "__main__":
    main()
