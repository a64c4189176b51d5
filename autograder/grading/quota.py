"""Limit how many of a student's submissions are graded officially on one day.

Every report tells something about the hidden checks. Who may ask as often as he likes learns them bit by bit.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from autograder.course.loading import Course
from autograder.errors import SubmissionError
from autograder.grading.report_store import METADATA, Store
from autograder.submission.reading import Submission

_LOG = logging.getLogger(__name__)
_GRADINGS = sa.Table(
    "autograde_gradings",
    METADATA,
    sa.Column("assignment", sa.String(60), primary_key=True),
    sa.Column("student", sa.String(255), primary_key=True),
    sa.Column("digest", sa.String(80), primary_key=True),
    sa.Column("day", sa.String(10), nullable=False, index=True),
)


def admitted(course: Course, store: Store, submissions: Sequence[Submission]) -> tuple[list[Submission], list[str]]:
    """Return the submissions that may be graded today, and what is to be said about the others; see ``admit``."""
    found, refused = [], []
    for submission in submissions:
        try:
            admit(course, store, submission)
            found.append(submission)
        except SubmissionError as error:
            refused.append(str(error))
    return found, refused


def admit(course: Course, store: Store, submission: Submission, *, now: datetime | None = None) -> None:
    """Count a submission among those that are graded today; one that was counted before may be graded again.

    Where the store cannot be used, nothing is counted and nobody refused.

    Args:
        course: The course, whose time zone says when a day ends.
        store: Where reports are kept.
        submission: What is to be graded.
        now: The time, with its zone; by default the present.

    Raises:
        SubmissionError: If ``course.yml`` does not allow one more today.
    """
    most = course.assignment(submission.assignment).gradings_per_day
    if most is None:
        return
    day = (now or datetime.now(ZoneInfo("UTC"))).astimezone(ZoneInfo(course.timezone)).date().isoformat()
    own = (_GRADINGS.c.assignment == submission.assignment) & (_GRADINGS.c.student == submission.student)
    try:
        with store.transaction() as connection:
            rows = connection.execute(sa.select(_GRADINGS.c.digest, _GRADINGS.c.day).where(own)).all()
            if submission.digest in {row.digest for row in rows}:
                return
            counted = sum(row.day == day for row in rows)
            if counted < most:
                values = {"assignment": submission.assignment, "student": submission.student}
                connection.execute(sa.insert(_GRADINGS).values(**values, digest=submission.digest, day=day))
                return
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        _LOG.warning("%s: today's gradings cannot be counted (%s); it is graded", submission.student, reason)
        return
    raise SubmissionError(
        f"{submission.student}: {counted} submissions of {submission.assignment} were graded on {day} already; "
        f"course.yml allows {most} a day; grade it tomorrow ({course.timezone})"
    )
