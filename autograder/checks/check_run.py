"""One check while it runs: its cases, and the verdict so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder.checks.points import Points
from autograder.checks.student import Student
from autograder.report.credit import Credit, score
from autograder.report.model import CheckResult
from autograder.verdicts import Verdict

MAX_MESSAGE_CHARS = 4000  # about fifty lines: more than a student reads, and little beside what a report may hold


@dataclass
class CheckRun:
    """One check while it runs.

    Attributes:
        name: Its name.
        title: What it claims.
        points: What it is worth.
        hidden: Whether students may not see it.
        cases: How many cases it has.
        done: How many of them ran.
        credit: The measures of a graded check.
        verdict: The verdict so far; None while every case passed.
        message: Why points are lost.
        failed: How many cases failed.
        seconds: Wall-clock seconds so far.
        output: What its workers printed.
        lines: Lines of the submission that errors point to.
        student: The worker that its cases share; None before the first use and after its loss.
    """

    name: str
    title: str
    points: Points
    hidden: bool
    cases: int = 0
    done: int = 0
    credit: Credit = field(init=False)
    verdict: Verdict | None = None
    message: str = ""
    failed: int = 0
    seconds: float = 0.0
    output: str = ""
    lines: list[int] = field(default_factory=list)
    student: Student | None = None
    final: bool = False

    def __post_init__(self) -> None:
        self.credit = Credit(self.points.value)

    def lose(self, verdict: Verdict, message: str, *, final: bool = False) -> None:
        """Record that a case did not pass; the first reason stays, unless a later one fixes the verdict."""
        self.failed += 1
        if self.verdict is None or (final and not self.final):
            self.verdict, self.message, self.final = verdict, message[:MAX_MESSAGE_CHARS], final

    def result(self) -> CheckResult:
        """Return what the check found."""
        verdict: Verdict = self.verdict or ("passed" if self.done == self.cases else "not_run")
        message = self.message
        if self.failed > 1 and self.cases > 1:
            message = f"{message}\n({self.failed} of {self.cases} cases)"
        earned, measured = 0.0, self.credit.measured
        if verdict == "passed":
            share = 1.0 if self.credit.share is None else self.credit.share
            earned = score(self.points.value, share)
            message = self.credit.text if earned < self.points.value else ""
        return CheckResult(
            name=self.name,
            title=self.title,
            points=self.points.value,
            score=earned,
            verdict=verdict,
            message=message,
            hidden=self.hidden,
            seconds=round(self.seconds, 4),
            measured=measured,
            hint=self.points.hint,
            output=self.output,
            lines=tuple(self.lines),
        )
