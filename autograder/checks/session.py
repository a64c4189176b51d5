"""Grade one submission: what the pytest plugin needs while checks run, and what it found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from autograder.checks.check_run import CheckRun
from autograder.checks.launcher import Launcher, LoadError, Sources
from autograder.checks.measure.clock import Clock, clock_of
from autograder.checks.pictures import Pictures
from autograder.checks.points import ANY
from autograder.checks.student import Student
from autograder.course.loading import Assignment, Course, Threshold
from autograder.course.secret import read_secret, seed
from autograder.report.model import CheckResult, Progress
from autograder.sandbox.start import Sandbox, WorkerHandle
from autograder.submission.reading import Submission
from autograder.verdicts import CallFailed, StudentError

OWN_WORK = "own_work"  # the check that a forbidden call costs, whichever check it was made in
# What a check raises when a submission returns something of another kind or shape than it reckons with.
_UNUSABLE = (TypeError, ValueError, AttributeError, ArithmeticError, IndexError, KeyError, RuntimeError)


@dataclass
class Grading:
    """One submission on its way through its checks.

    Attributes:
        assignment: What it answers.
        submission: The submission.
        workers: Starts its workers.
        device: Where the tensors of its device lie.
        clock: By which it is timed there.
        secret: The course's secret.
        checks: The checks in order; fixed before the first one runs.
        load_failure: Why the submission does not load; None if it does.
        progress: Called with each finished check.
        pictures: Draws for people, where they are wanted.
        pairs: How many pairs a speed check times at least; None for the usual number.
        options: What the caller lets check files know, such as where the data lie.
    """

    assignment: Assignment
    submission: Submission
    workers: Launcher
    device: torch.device
    clock: Clock
    secret: bytes
    checks: list[CheckRun] = field(default_factory=list)
    load_failure: LoadError | None = None
    progress: Callable[[CheckResult], None] | None = None
    flags: list[str] = field(default_factory=list)
    pictures: Pictures = field(default_factory=Pictures)
    pairs: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    _kept: set[WorkerHandle] = field(default_factory=set)
    _running: CheckRun | None = None
    _started: float = 0.0
    _results_before: int = 0

    # -- what the plugin calls -----------------------------------------------------------------------------------------

    def try_loading(self) -> None:
        """Load the submission once; if it does not load, no check runs."""
        self.workers.seed = self.seed("load")
        self.workers.hidden = False
        try:
            worker = self.workers.start()
        except LoadError as error:
            self.load_failure = error
            return
        self.workers.end(worker)

    def begin(self, check: CheckRun, case: str) -> bool:
        """Begin a case; say whether it has to run at all."""
        if self._running is not check:
            self._running = check
            self._started = time.perf_counter()
            self._results_before = WorkerHandle.results
            self.workers.hidden = check.hidden
            self.workers.seed = self.seed(check.name, "worker")
        if self.load_failure is not None:
            check.lose("not_run", self.load_words(), final=True)
            check.lines = _lines(self.load_failure.failure)
            check.output = self.load_failure.output
        elif not check.final:
            return True
        return False

    def finish_case(self, check: CheckRun, case: str, error: BaseException | None) -> None:
        """Judge a case by the exception that it ended with, and by what its workers went through."""
        own = (worker for worker in self.workers.open if worker not in self._kept)
        lost = next((worker.failure for worker in own if worker.failure is not None), None)
        if isinstance(error, LoadError):
            error = error.failure
        if not isinstance(error, CallFailed) and lost is not None:
            error = lost
        where = f"[{case}] " if case else ""
        if isinstance(error, CallFailed):
            check.lose(error.verdict, f"{where}{_sentence(error)}", final=True)
        elif isinstance(error, StudentError):
            check.lose("raised", f"{where}{_raised(error)}")
            check.lines += _lines(error)
        elif error is None:
            pass
        elif isinstance(error, AssertionError) or type(error).__name__ in ("Failed", "GradcheckError"):
            check.lose("failed", f"{where}{_sentence(error)}")
        elif isinstance(error, _UNUSABLE) and WorkerHandle.results > self._results_before:
            # The reference passes this check, so what came back is what the check could not work with.
            kind = type(error).__name__
            check.lose("failed", f"{where}the check could not use what came back ({kind}: {_sentence(error)})")
            self.flags.append(f"{check.name}: judged as failed on {kind} in the check itself; needs review")
        else:
            check.lose("grader_error", f"{where}{type(error).__name__}: {error}", final=True)
        check.done += 1
        if check.student is not None and check.student.worker.failure is not None:
            self._end_workers(check)

    def skip_case(self, check: CheckRun) -> None:
        """Count a case that need not run."""
        check.done += 1

    def finish_check(self, check: CheckRun) -> None:
        """End a check's workers and report it."""
        self._end_workers(check)
        check.seconds += time.perf_counter() - self._started
        self._running = None
        self.flags += [f"{check.name}: {flag}" for flag in check.credit.flags]
        if self.progress is not None:
            self.progress(check.result())

    def close(self) -> None:
        """End every worker."""
        self._kept.clear()
        self.workers.end_all()
        self.clock.close()

    def results(self) -> list[CheckResult]:
        """Return the results, with the checks that need others settled."""
        found = [self._own_work(check.result()) for check in self.checks]
        by_name = {result.name: result for result in found}
        alone = {check.name for check in self.checks if check.points.needs is None}
        settled = []
        for result, check in zip(found, self.checks, strict=True):
            needs = check.points.needs
            if needs is not None and result.score > 0:
                if needs == ANY:
                    met = any(other.score > 0 for other in found if other.name in alone)
                    words = "counts only where another check has earned points"
                else:
                    met = needs not in by_name or by_name[needs].full
                    words = f"counts only with full credit for {needs}"
                if not met:
                    result = replace(result, score=0.0, verdict="failed", message=words)
                elif needs != ANY and needs not in by_name:
                    result = replace(result, message=f"provisional: it {words}, which is not graded here")
            settled.append(result)
        return settled

    def _own_work(self, result: CheckResult) -> CheckResult:
        """Let a forbidden call in any check cost the check of own work as well."""
        caught = [check.name for check in self.checks if check.verdict == "forbidden"]
        if result.name != OWN_WORK or not caught or result.verdict == "forbidden":
            return result
        words = f"a forbidden call was made during {', '.join(caught)}"
        return replace(result, score=0.0, verdict="forbidden", message=words)

    # -- what fixtures call ------------------------------------------------------------

    @property
    def running(self) -> CheckRun:
        """The check that runs."""
        assert self._running is not None
        return self._running

    def seed(self, *parts: str) -> int:
        """Return a seed for these parts, secret and the same when the submission is graded again."""
        return seed(self.secret, self.assignment.name, *parts, self.submission.digest)

    def student(self) -> Student:
        """Return the worker that the cases of the running check share."""
        if self.running.student is None:
            self.running.student = self.workers.student()
        return self.running.student

    def keep(self, student: Student) -> Student:
        """Keep a worker beyond its check, for a fixture that several checks share."""
        self._kept.add(student.worker)
        return student

    def threshold(self, check: str) -> Threshold | None:
        """Return the bounds that ``course.yml`` sets for a check on this device."""
        return self.assignment.thresholds.get(check, {}).get(self.device.type)

    def load_words(self) -> str:
        """Say in the student's words why the submission does not load."""
        assert self.load_failure is not None
        failure = self.load_failure.failure
        words = _raised(failure) if isinstance(failure, StudentError) else str(failure)
        return f"{self.assignment.name}.py does not load: {words}"

    def _end_workers(self, check: CheckRun) -> None:
        kept = {worker for worker in self._kept if worker.failure is None}
        for worker in self.workers.end_all(kept):
            if len(check.output) < self.workers.limits.output_bytes:
                check.output += worker.output
        check.student = None


def make_grading(
    course: Course,
    submission: Submission,
    sandbox: Sandbox,
    *,
    hidden: bool,
    progress: Progress | None = None,
    pairs: int | None = None,
    pictures: Path | None = None,
) -> Grading:
    """Prepare the grading of a submission: the same for official grading and for plain pytest.

    Args:
        course: The course, whose `data:` check files are told.
        submission: The submission, read.
        sandbox: Where its workers run, and on which device.
        hidden: Whether hidden checks run, with their probes.
        progress: Called with each finished check, and with words about one that takes long.
        pairs: How many pairs a speed check times at least; None for the usual number.
        pictures: The folder for pictures; None where none are wanted.

    Raises:
        SandboxError: If the device's lock cannot be opened.
    """
    assignment = course.assignment(submission.assignment)
    solutions: Path | None = assignment.solutions if hidden else None
    sources = Sources.read(
        assignment.name, submission.source, assignment.folder, solutions, tuple(assignment.forbidden)
    )
    workers = Launcher(sandbox, sources, assignment.limits)
    clock = clock_of(sandbox.device)
    options: dict[str, Any] = {"data": course.data, **({"tell": progress} if progress is not None else {})}
    return Grading(
        assignment,
        submission,
        workers,
        workers.device,
        clock,
        read_secret(course.secret_file),
        progress=progress,
        pictures=Pictures(pictures),
        pairs=pairs,
        options=options,
    )


def preloaded(assignment: Assignment) -> list[str]:
    """Return the modules that an assignment's workers find imported: what it asks for and what it forbids calls of."""
    owners = {name.rpartition(".")[0] for name in assignment.forbidden if not name.startswith("aten::")}
    return [*assignment.preload, *sorted(owners)]


def _raised(error: StudentError) -> str:
    lines = error.traceback.splitlines()
    place = f"\n  {lines[-1]}" if lines else ""
    return f"{error}{place}"


def _lines(error: BaseException) -> list[int]:
    return [error.line] if isinstance(error, StudentError) and error.line > 0 else []


def _sentence(error: BaseException) -> str:
    text = str(error).strip()
    if type(error).__name__ == "GradcheckError":
        return f"gradcheck: {text}"
    if text.startswith("DID NOT RAISE"):  # pytest's words, which differ from version to version
        return "no exception was raised; expected one"
    # pytest adds to a check's own words what it made of the expression; without such words that has to do.
    said = text.splitlines()[0] if text.startswith("assert ") else text.partition("\nassert ")[0]
    return said or type(error).__name__
