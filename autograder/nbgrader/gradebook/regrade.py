"""Grade a class again with the course as it is now, and say who would gain or lose before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.course.loading import Course
from autograder.course.schema import LatePolicy
from autograder.grading.executor import grade_all
from autograder.grading.job import Job
from autograder.grading.quota import admitted
from autograder.grading.report_store import Reuse, Store
from autograder.nbgrader.gradebook.cells import Cell, Entries, Entry, read_entries
from autograder.nbgrader.gradebook.writing import read_class
from autograder.report.model import CheckResult, Report
from autograder.submission.reading import Submission

_ROUNDING = 1e-9


@dataclass(frozen=True)
class CheckChange:
    """What happens to one check of a student's.

    Attributes:
        name: Its name.
        before: Its score in the gradebook; None where it has none.
        after: Its new one; None where nothing judges it any more.
        points: What it is worth.
        reason: Why.
    """

    name: str
    before: float | None
    after: float | None
    points: float
    reason: str


@dataclass(frozen=True)
class Change:
    """What happens to one student.

    Attributes:
        student: Who.
        before: What the gradebook holds.
        after: What it would hold.
        checks: The checks that change.
        other: Whether another submission is graded than the one before.
    """

    student: str
    before: Entry
    after: Entry
    checks: tuple[CheckChange, ...]
    other: bool = False

    @property
    def kind(self) -> str:
        """What happens to the final score: ``new``, ``gain``, ``lose`` or ``unchanged``."""
        if not self.before.graded:
            return "new"
        if abs(self.difference) <= _ROUNDING:
            return "unchanged"
        return "gain" if self.difference > 0 else "lose"

    @property
    def difference(self) -> float:
        """The points that the final score gains."""
        return self.after.final - self.before.final


@dataclass(frozen=True)
class Regraded:
    """What grading again came to; nothing of it is written.

    Attributes:
        graded: The submissions with their reports.
        changes: One for each of them.
        warnings: What an instructor should know.
        refused: What is to be said about those who may not be graded today.
    """

    graded: tuple[tuple[Submission, Report], ...]
    changes: tuple[Change, ...]
    warnings: tuple[str, ...]
    refused: tuple[str, ...] = field(default=())

    def count(self, kind: str) -> int:
        """Return how many students a kind of change happens to."""
        return sum(change.kind == kind for change in self.changes)


def regrade(
    course: Course, job: Job, *, jobs: int, reuse: Reuse, progress: Callable[[Report], None] | None = None
) -> Regraded:
    """Grade what was collected, and compare it with the gradebook.

    Args:
        course: The course.
        job: How it is graded.
        jobs: How many submissions are graded at once.
        reuse: Where reports are kept; those that the course as it is now gave before are not measured again.
        progress: Called with each report.

    Raises:
        AutograderError: If nothing is collected, the gradebook cannot be read or this machine cannot grade.
    """
    submissions, warnings = read_class(course, job.assignment)
    entries = read_entries(course, job.assignment)  # before the minutes that grading may take
    submissions, refused = admitted(course, Store(reuse.url), submissions)
    reports: dict[int, Report] = {}
    for place, report in grade_all(job, submissions, jobs=jobs, reuse=reuse):
        reports[place] = report
        if progress is not None:
            progress(report)
    graded = tuple((submission, reports[place]) for place, submission in enumerate(submissions))
    changes = changes_of(graded, entries, course.assignment(job.assignment).late)
    gone = sorted(entries.by_student.keys() - {submission.student for submission in submissions})
    warnings += [f"{student}: is in the gradebook and nothing is collected; the grade stays" for student in gone]
    warnings += _misfits(entries.blank, [report for _, report in graded])
    return Regraded(graded, changes, tuple(warnings), tuple(refused))


def changes_of(graded: Sequence[tuple[Submission, Report]], entries: Entries, policy: LatePolicy) -> tuple[Change, ...]:
    """Return what reports would change in the gradebook, the greatest losses first and the greatest gains last."""
    changes = []
    for submission, report in graded:
        before = entries.of(submission.student)
        after = before.after(submission, report, policy)
        results = {check.name: check for check in report.checks}
        checks = tuple(
            CheckChange(name, cell.auto, after.cells[name].auto, cell.points, _reason(results.get(name), cell))
            for name, cell in before.cells.items()
            if after.cells[name].auto != cell.auto
        )
        changes.append(Change(submission.student, before, after, checks, before.graded and before.when != after.when))
    return tuple(sorted(changes, key=lambda change: (change.difference, change.student)))


def _reason(check: CheckResult | None, cell: Cell) -> str:
    if check is None:
        words = "no check of this name is left; a human grader has to give a score"
    elif check.full:
        words = "passed"
    else:
        words = next(iter(check.message.splitlines()), "") or check.verdict.replace("_", " ")
        words = words if check.verdict == "passed" else f"{check.verdict.replace('_', ' ')}: {words}"
    return words if cell.manual is None else f"{words}; a human grader's {cell.manual:.10g} counts"


def _misfits(blank: Entry, reports: Sequence[Report]) -> list[str]:
    """Say which checks have no cell in the gradebook, or one that is worth something else."""
    cells: Mapping[str, Cell] = blank.cells
    worth = {check.name: check.points for report in reports for check in report.checks}
    return [
        f"the check {name} is worth {points:.10g}, and "
        f"{f'{cells[name].points:.10g}' if name in cells else 'nothing'} in the gradebook; release the assignment again"
        for name, points in worth.items()
        if name not in cells or cells[name].points != points
    ]
