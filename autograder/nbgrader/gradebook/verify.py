"""Verify that the store of reports, nbgrader's gradebook and what is exported from it agree."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from autograder.course.loading import Course
from autograder.course.schema import LatePolicy
from autograder.grading.report_store import Store, job_key, store_url
from autograder.nbgrader.gradebook.cells import Entry, read_entries
from autograder.nbgrader.gradebook.export import export_table
from autograder.nbgrader.gradebook.writing import read_class, shown_report
from autograder.nbgrader.judging.official_report import official_job
from autograder.report.model import Report
from autograder.report.text import number
from autograder.submission.reading import Submission

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Disagreement:
    """Two of the three say different things.

    Attributes:
        student: Of whom.
        assignment: The assignment's name.
        check: The check's name; ``late`` for the late penalty, ``score`` for the whole.
        store: What the report in the store says.
        gradebook: What the gradebook says.
        export: What the exported table says of the whole.
        advice: What to do.
    """

    student: str
    assignment: str
    check: str
    store: str
    gradebook: str
    export: str
    advice: str

    def __str__(self) -> str:
        """Say it in one line."""
        return (
            f"{self.student}, {self.assignment}, {self.check}: the store says {self.store}, the gradebook "
            f"{self.gradebook}, the export {self.export}; {self.advice}"
        )


@dataclass(frozen=True)
class Agreement:
    """What verifying an assignment found.

    Attributes:
        disagreements: Where the three do not agree.
        agreed: How many students they agree about.
        ungraded: The students whose latest submission is collected and not graded.
        earlier: The students whose grades an earlier state of the course or the engine gave.
        warnings: What collecting left unclear.
    """

    disagreements: tuple[Disagreement, ...]
    agreed: int
    ungraded: tuple[str, ...]
    earlier: tuple[str, ...]
    warnings: tuple[str, ...]


def exported_scores(course: Course) -> dict[tuple[str, str], str]:
    """Return the cells of the exported table, by student and assignment.

    Raises:
        CourseError: If there is no gradebook, or it cannot be read.
    """
    table = export_table(course, "csv", missing="")
    header, *rows = csv.reader(io.StringIO(table.text))
    first = len(header) - len(table.assignments)
    return {
        (row[0].removeprefix("'"), name): cell  # which keeps spreadsheets from running a name
        for row in rows
        for name, cell in zip(table.assignments, row[first:], strict=True)
    }


def verify(course: Course, name: str, exported: Mapping[tuple[str, str], str]) -> Agreement:
    """Compare store, gradebook and export for everything that was collected for an assignment.

    Raises:
        AutograderError: If nothing is collected, or the gradebook does not know the assignment.
    """
    submissions, warnings = read_class(course, name)
    entries = read_entries(course, name)
    policy = course.assignment(name).late
    store, key = Store(store_url(course)), job_key(course, official_job(course, name))
    texts = Counter(submission.digest for submission in submissions)
    disagreements: list[Disagreement] = []
    agreed, ungraded, earlier = 0, [], []
    for submission in submissions:
        student = submission.student
        case = _Case(submission, entries.of(student), exported.get((student, name), ""))
        kept = store.find(key, submission)
        shown = store.read(shown_report(course, submission)) if case.entry.graded else None
        if case.waits(kept, shown, alone=texts[submission.digest] == 1):
            ungraded.append(student)
            found = case.export_differs()
        else:
            if kept is None and shown is not None:
                earlier.append(student)
            found = case.differences(kept or shown, policy) or case.export_differs()
            agreed += not found
        disagreements += found
    return Agreement(tuple(disagreements), agreed, tuple(ungraded), tuple(earlier), tuple(warnings))


@dataclass(frozen=True)
class _Case:
    """A student's submission, with what the gradebook holds and what the export says of it."""

    submission: Submission
    entry: Entry
    exported: str

    def waits(self, kept: Report | None, shown: Report | None, *, alone: bool) -> bool:
        """Tell whether it is still to be graded.

        Args:
            kept: The report that counts for it now.
            shown: The report that its grades were made of.
            alone: Whether nobody else handed the same text in, whose report the kept one may be.
        """
        if self.entry.graded:
            return shown is not None and shown.digest != self.submission.digest
        return kept is None or not alone

    def differences(self, report: Report | None, policy: LatePolicy) -> list[Disagreement]:
        """Return where report and gradebook differ; what a human grader entered is no difference."""
        name, entry = self.submission.assignment, self.entry
        regrade = f"run `autograde regrade {name}`"
        if report is None:
            return [self._of_score("nothing", regrade)]
        if not entry.graded:
            words = f"{number(report.score)} of {number(report.max_score)}"
            return [self._of_score(words, f"run `autograde grade {name}`")]
        after = entry.after(self.submission, report, policy)
        found: list[tuple[str, str, str, str]] = []
        for check, cell in entry.cells.items():
            new, old = after.cells[check].auto, cell.auto
            if (old is None) != (new is None) or abs((old or 0.0) - (new or 0.0)) > _ROUNDING:
                found.append((check, _points(new), _points(old), regrade))
        for result in report.checks:
            if result.name not in entry.cells:
                release = f"run `autograde release {name}`"
                found.append((result.name, number(result.score), "no such check", release))
        if not found and not entry.by_hand and abs(after.late - entry.late) > _ROUNDING:
            found.append(("late", f"-{number(after.late)}", f"-{number(entry.late)}", regrade))
        whole = f"{self.exported or 'nothing'} in all"
        return [
            Disagreement(self.submission.student, name, what, kept, book, whole, to) for what, kept, book, to in found
        ]

    def export_differs(self) -> list[Disagreement]:
        """Return how the exported cell differs from what stands in the gradebook."""
        expected = None if any(cell.open for cell in self.entry.cells.values()) else self.entry.final
        found = float(self.exported) if self.exported else None
        if (expected is None) == (found is None) and abs((expected or 0.0) - (found or 0.0)) <= _ROUNDING:
            return []
        return [self._of_score("the same as the gradebook", "report this as a bug of autograde")]

    def _of_score(self, store: str, advice: str) -> Disagreement:
        book = number(self.entry.final) if self.entry.graded else "nothing"
        student, name = self.submission.student, self.submission.assignment
        return Disagreement(student, name, "score", store, book, self.exported or "nothing", advice)


def _points(score: float | None) -> str:
    return "no score" if score is None else number(score)
