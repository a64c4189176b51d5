"""Say where each assignment stands in the exchange: for a student, and for an instructor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from autograder.course.loading import Assignment, Course
from autograder.nbgrader.exchange.fetch_and_submit import assignment_folder, feedback_of
from autograder.nbgrader.exchange.location import UNSAID, Options, Place, find_place
from autograder.nbgrader.exchange.receipts import Receipt, kept_receipts
from autograder.nbgrader.exchange.release_and_collect import waiting
from autograder.nbgrader.wording import local, span

STUDENTS_COLUMNS = ("state", "submitted", "digest", "feedback")
INSTRUCTORS_COLUMNS = ("released", "waiting", "collected")


@dataclass(frozen=True)
class Listing:
    """Where the assignments stand.

    Attributes:
        columns: What is told about each.
        rows: The words by assignment, one for each column.
        others: The names of released assignments that `course.yml` does not have.
    """

    columns: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]
    others: tuple[str, ...]


def listing(course: Course | None, options: Options = UNSAID) -> Listing:
    """Return where the assignments of a course stand, or, without one, those that are released.

    Raises:
        ExchangeError: If it is not clear which exchange is meant, or it cannot be read.
    """
    place = find_place(course, options)
    released = place.released()
    assignments = {item.name: item for item in course.assignments} if course is not None else {}
    names = [*assignments, *(name for name in released if name not in assignments)]
    instructor = course is not None and (course.root / "solutions").is_dir() and options.student is None
    rows: dict[str, tuple[str, ...]] = {}
    for name in names:
        if instructor and course is not None:
            open_count, collected = waiting(course, place, name)
            rows[name] = ("yes" if name in released else "no", str(open_count), str(collected))
        else:
            rows[name] = _student(course, place, name, assignments.get(name), name in released)
    columns = INSTRUCTORS_COLUMNS if instructor else STUDENTS_COLUMNS
    return Listing(columns, rows, tuple(name for name in released if name not in assignments))


def receipts(course: Course | None, name: str, options: Options = UNSAID) -> Sequence[Receipt]:
    """Return the receipts of a student for an assignment, the oldest first.

    Raises:
        ExchangeError: If it is not clear which exchange is meant.
    """
    return [kept.receipt for kept in kept_receipts(find_place(course, options), name)]


def _student(
    course: Course | None, place: Place, name: str, assignment: Assignment | None, released: bool
) -> tuple[str, ...]:
    folder = assignment_folder(course, name)
    everything = feedback_of(place, name, folder)
    if not everything:
        state = "fetched" if folder.is_dir() else "released" if released else "not released"
        return state, "-", "-", "-"
    last = everything[-1]
    receipt = last.kept.receipt
    due = assignment.due if assignment is not None else None
    when = local(receipt.moment, due)
    if due is not None and receipt.moment - due > timedelta():
        when += f", late by {span(receipt.moment - due)}"
    state = "submitted" if len(everything) == 1 else f"submitted {len(everything)} times"
    feedback = "fetched" if last.fetched else "ready" if last.returned is not None else "-"
    return state, when, receipt.digest.removeprefix("sha256:")[:12] or "unreadable", feedback
