"""How submissions are graded."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.course.loading import Course
from autograder.submission.reading import Submission

LEVEL_VARIABLE = "AUTOGRADE_SANDBOX"
"""Names a sandbox level in place of the course's, by an instructor who knows that this machine gives no better one."""


MOST_DEATHS = 3
"""How often what is graded may end the process that grades it."""


@dataclass(frozen=True)
class Job:
    """How submissions are graded.

    Attributes:
        course: Path of ``course.yml``.
        assignment: The assignment's name.
        level: The sandbox level.
        device: The device's name.
        hidden: Whether hidden checks run.
        select: The names of the checks to run; None for all.
        pictures: The folder for pictures; None where none are wanted.
        pairs: How many pairs a speed check times at least; None for the usual number.
    """

    course: Path
    assignment: str
    level: str
    device: str = "cpu"
    hidden: bool = True
    select: tuple[str, ...] | None = None
    pictures: Path | None = None
    pairs: int | None = None


def official_level(course: Course) -> str:
    """Return the sandbox level of official grading: the environment's, else the course's."""
    return os.environ.get(LEVEL_VARIABLE) or course.sandbox


def given_up(submission: Submission) -> Submission:
    """Return a submission that is graded no more, with the reason: its report has every check as not run."""
    words = f"grading it ended the grading process {MOST_DEATHS} times; your instructor must review it"
    return replace(submission, error=words)
