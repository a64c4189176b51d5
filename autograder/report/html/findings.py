"""Find out about a class what its reports do not say by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course.loading import Assignment
from autograder.report.model import Report
from autograder.report.ranking import Ranking, rankings
from autograder.report.similarity import Copies, near_copies
from autograder.submission.reading import Submission


@dataclass(frozen=True)
class Findings:
    """What was found out about a class beside its reports.

    Attributes:
        copies: Near-copies; None where they were not looked for.
        rankings: Rankings by speed; empty where nothing is timed.
        ungraded: Students who handed something in that is not graded yet.
    """

    copies: Copies | None = None
    rankings: Sequence[Ranking] = ()
    ungraded: Sequence[str] = ()


def find_out(
    assignment: Assignment,
    reports: Sequence[Report],
    *,
    submissions: Sequence[Submission],
    ungraded: Sequence[str] = (),
) -> Findings:
    """Look for near-copies and rank by speed.

    Args:
        assignment: The assignment.
        reports: The reports of a class.
        submissions: What was submitted; without it near-copies are not looked for.
        ungraded: Students who handed something in that is not graded yet.

    Raises:
        CourseError: If a check file cannot be read as Python.
    """
    stub = assignment.stub.read_text(encoding="utf-8") if assignment.stub.is_file() else ""
    timed = [name for name in assignment.check_names() if name in assignment.thresholds]
    return Findings(
        copies=near_copies(submissions, stub=stub) if submissions else None,
        rankings=rankings(reports, timed) if timed else (),
        ungraded=ungraded,
    )
