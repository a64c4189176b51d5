"""Write the gradebook as a table that other systems import; the late penalty is deducted, as nbgrader stores it.

csv      for spreadsheets: one column for each assignment, by its name
canvas   Canvas's import of grades: columns by title, and the points possible in the second row
moodle   Moodle's import of grades: columns by title; which column is which is chosen there
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Grade, Gradebook, SubmittedAssignment, SubmittedNotebook
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from autograder.course.loading import Course
from autograder.errors import CourseError
from autograder.nbgrader.config import GRADEBOOK_VARIABLE, gradebook_url
from autograder.nbgrader.gradebook.writing import collected, open_gradebook

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# Source: lib/gradebook_importer.rb and lib/gradebook_exporter.rb of instructure/canvas-lms. The row is told by its
# words; the spaces are those of Canvas's own export.
_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
_CANVAS_POINTS = ("    Points Possible", "", "", "", "")


@dataclass(frozen=True)
class Exported:
    """A table of final scores.

    Attributes:
        text: The table.
        students: How many rows it has.
        assignments: Their names, one for each column of scores.
        warnings: Where a cell is empty although something was submitted, and what an import would stumble over.
    """

    text: str
    students: int
    assignments: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Column:
    """The scores for one assignment, by student; None where they are not complete."""

    name: str
    title: str
    points: float
    scores: Mapping[str, float | None]


def export_table(course: Course, layout: str, *, missing: str = "") -> Exported:
    """Return the final scores of all students that the gradebook knows, one row each.

    A submission with a cell that has no score yet, from the grader or from a human, leaves its cell empty; so does one
    that is collected and not graded.

    Args:
        course: The course.
        layout: ``csv``, ``canvas`` or ``moodle``.
        missing: What stands where a student handed nothing in.

    Raises:
        CourseError: If there is no gradebook, it knows no assignment, or it cannot be read.
    """
    require_gradebook(course)
    with open_gradebook(course) as gradebook:
        columns = _columns(course, gradebook)
        people = sorted(gradebook.students, key=lambda one: str(one.id))
        if not columns:
            raise CourseError("the gradebook: knows no assignment; expected one; run `autograde release NAME`")
        warnings = [words for column in columns for words in _open_cells(column)]
        if layout == "moodle":
            warnings += [
                f"{one.id}: has no e-mail address in the gradebook; map by username: Moodle gives the scores of a row "
                "without an address to the student above it"
                for one in people
                if not one.email
            ]
        rows = [*_head(columns, layout)]
        for student in people:
            scores = (_cell(column.scores, student.id, missing) for column in columns)
            rows.append([*_who(student, layout), *scores])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return Exported(text.getvalue(), len(people), tuple(column.name for column in columns), tuple(warnings))


def require_gradebook(course: Course) -> None:
    """Make sure that there is a gradebook, for nbgrader would make an empty one.

    Raises:
        CourseError: If there is none.
    """
    try:
        url = make_url(gradebook_url(course))
    except ArgumentError:  # whose message may show a password
        raise CourseError(
            f"the gradebook: no URL of a database; expected one such as sqlite:////srv/gradebook.db; correct "
            f"`gradebook` in course.yml or {GRADEBOOK_VARIABLE}"
        ) from None
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_file():
        raise CourseError(f"{url.database}: there is no gradebook; expected nbgrader's; run `autograde release NAME`")


def _columns(course: Course, gradebook: Gradebook) -> list[_Column]:
    """Return the columns in the order of `course.yml`; what that does not have comes last."""
    titles = {item.name: item.title for item in course.assignments}
    order = {name: place for place, name in enumerate(titles)}
    known = sorted(gradebook.assignments, key=lambda one: (order.get(one.name, len(order)), one.name))
    shown = [titles.get(one.name, one.name) for one in known]
    columns = []
    for one, title in zip(known, shown, strict=True):
        scores = _scores(gradebook, one.name)
        scores |= dict.fromkeys(student for student in collected(course, one.name) if student not in scores)
        unique = title if shown.count(title) == 1 else f"{title} ({one.name})"
        columns.append(_Column(str(one.name), unique, float(one.max_score), scores))
    return columns


def _scores(gradebook: Gradebook, name: str) -> dict[str, float | None]:
    """Return the final scores of everybody who submitted an assignment."""
    of_assignment = gradebook.db.query(SubmittedAssignment.student_id).join(
        Assignment, SubmittedAssignment.assignment_id == Assignment.id
    )
    wanted = Assignment.name == name
    waiting = (
        of_assignment.join(SubmittedNotebook, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Grade, Grade.notebook_id == SubmittedNotebook.id)
        .filter(wanted, Grade.auto_score.is_(None), Grade.manual_score.is_(None))
    )
    unfinished = {student for (student,) in waiting}
    found = of_assignment.add_columns(SubmittedAssignment.score, SubmittedAssignment.late_submission_penalty)
    # Source of the difference: nbgrader.plugins.export.CsvExportPlugin.
    return {
        student: None if student in unfinished else max(0.0, float(score) - float(taken or 0.0))
        for student, score, taken in found.filter(wanted)
    }


def _open_cells(column: _Column) -> Iterable[str]:
    for student in sorted(student for student, score in column.scores.items() if score is None):
        yield f"{student}, {column.name}: not fully graded; its cell is empty"


def _head(columns: Sequence[_Column], layout: str) -> list[list[str]]:
    if layout == "canvas":
        titles = [_plain(column.title) for column in columns]
        return [[*_CANVAS, *titles], [*_CANVAS_POINTS, *(repr(column.points) for column in columns)]]
    if layout == "moodle":
        return [
            ["username", "email", "idnumber", *(_plain(f"Assignment: {column.title} (Real)") for column in columns)]
        ]
    return [["student_id", "last_name", "first_name", "email", *(_plain(column.name) for column in columns)]]


def _who(student: Any, layout: str) -> tuple[str, ...]:
    own, last, first, email = (
        _plain(part or "") for part in (student.id, student.last_name, student.first_name, student.email)
    )
    if layout == "canvas":
        # Canvas looks for its own number, then for either of its names for an account, then for the person's name.
        name = _plain(", ".join(part for part in (student.last_name, student.first_name) if part) or student.id)
        return name, "", own, own, ""
    return (own, email, own) if layout == "moodle" else (own, last, first, email)


def _cell(scores: Mapping[str, float | None], student: str, missing: str) -> str:
    if student not in scores:
        return missing
    score = scores[student]
    return "" if score is None else repr(score)


def _plain(text: str) -> str:
    """Keep a name in one line, and a spreadsheet from running it as a formula."""
    line = text.replace("\r", " ").replace("\n", " ")
    return f"'{line}" if text.startswith(_FORMULA) else line
