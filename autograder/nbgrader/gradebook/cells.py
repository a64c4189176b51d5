"""Read what the gradebook holds of an assignment, check by check, and say what a report would make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from nbgrader.api import MissingEntry

from autograder.course.lateness import penalty
from autograder.course.loading import Course
from autograder.course.schema import LatePolicy
from autograder.errors import CourseError
from autograder.nbgrader.gradebook.writing import open_gradebook
from autograder.report.model import CheckResult, Report
from autograder.submission.reading import Submission


@dataclass(frozen=True)
class Cell:
    """A graded cell of a student's notebook.

    Attributes:
        points: What it is worth.
        judged: Whether a check gives it its score, and not a human grader alone.
        auto: The check's score; None where it has none.
        manual: A human grader's, which takes its place.
        extra: Extra credit.
    """

    points: float
    judged: bool
    auto: float | None = None
    manual: float | None = None
    extra: float | None = None

    @property
    def score(self) -> float:
        """The points that count."""
        # Source: nbgrader.api.Grade.score, which gives no extra credit where there is no score.
        own = self.auto if self.manual is None else self.manual
        return 0.0 if own is None else own + (self.extra or 0.0)

    @property
    def open(self) -> bool:
        """Whether it has no score at all."""
        return self.auto is None and self.manual is None

    def after(self, check: CheckResult | None) -> Cell:
        """Return what judging makes of it: as `judge.SaveScores` does, a fault of ours leaves the old score."""
        if not self.judged or (check is not None and check.verdict == "grader_error"):
            return self
        return replace(self, auto=None if check is None else min(check.score, self.points))


@dataclass(frozen=True)
class Entry:
    """What the gradebook holds of one student and assignment.

    Attributes:
        cells: The graded cells by name; checks bear their own name.
        when: When it was submitted, in UTC.
        due: When it was due, with the student's own extension, in UTC.
        late: The points of the late penalty.
    """

    cells: Mapping[str, Cell]
    when: datetime | None = None
    due: datetime | None = None
    late: float = 0.0

    @property
    def score(self) -> float:
        """The points, before lateness."""
        return sum(cell.score for cell in self.cells.values())

    @property
    def final(self) -> float:
        """The points that count."""
        return max(0.0, self.score - self.late)

    @property
    def graded(self) -> bool:
        """Whether any check gave a score."""
        return any(cell.judged and cell.auto is not None for cell in self.cells.values())

    @property
    def by_hand(self) -> bool:
        """Whether a human grader entered something."""
        return any(cell.manual is not None or cell.extra for cell in self.cells.values())

    def after(self, submission: Submission, report: Report, policy: LatePolicy) -> Entry:
        """Return what writing a report makes of it, lateness included."""
        results = {check.name: check for check in report.checks}
        cells = {name: cell.after(results.get(name)) for name, cell in self.cells.items()}
        when = submission.submitted_at.replace(tzinfo=None) if submission.submitted_at else None
        # Source: nbgrader.api.SubmittedAssignment.total_seconds_late.
        seconds = max(0.0, (when - self.due).total_seconds()) if when and self.due else 0.0
        entry = replace(self, cells=cells, when=when)
        return replace(entry, late=penalty(policy, entry.score, seconds))


@dataclass(frozen=True)
class Entries:
    """What the gradebook holds of an assignment.

    Attributes:
        blank: What it would hold of a student with nothing graded.
        by_student: What it holds.
    """

    blank: Entry
    by_student: Mapping[str, Entry]

    def of(self, student: str) -> Entry:
        """Return what there is of a student."""
        return self.by_student.get(student, self.blank)


def read_entries(course: Course, name: str) -> Entries:
    """Read what the gradebook holds of an assignment.

    Raises:
        CourseError: If it does not know the assignment, or cannot be read.
    """
    with open_gradebook(course) as gradebook:
        try:
            notebook = gradebook.find_notebook(name, name)
        except MissingEntry:
            raise CourseError(
                f"{name}: not in the gradebook; expected what releasing writes there; run `autograde release {name}`"
            ) from None
        # As `judge.is_judged` has it: answers that a human grades are cells of solutions as well.
        answers = {cell.name for cell in notebook.solution_cells}
        cells = {
            cell.name: Cell(float(cell.max_score), cell.cell_type == "code" and cell.name not in answers)
            for cell in notebook.grade_cells
        } | {cell.name: Cell(float(cell.max_score), judged=False) for cell in notebook.task_cells}
        blank = Entry(cells, due=notebook.assignment.duedate)
        found = {entry.student.id: _entry(entry, blank) for entry in gradebook.assignment_submissions(name)}
    return Entries(blank, found)


def _entry(submitted: Any, blank: Entry) -> Entry:
    grades = {grade.name: grade for notebook in submitted.notebooks for grade in notebook.grades}
    cells = {
        name: replace(cell, auto=grade.auto_score, manual=grade.manual_score, extra=grade.extra_credit)
        for name, cell in blank.cells.items()
        if (grade := grades.get(name)) is not None
    }
    due = submitted.duedate if blank.due is not None else None  # nbgrader would add an extension to nothing
    late = float(submitted.late_submission_penalty or 0.0)
    return Entry({**blank.cells, **cells}, submitted.timestamp, due, late)
