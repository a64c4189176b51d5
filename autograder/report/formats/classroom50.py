"""Write a report as the `result.json` that Classroom 50 collects, of the schema `classroom50/result/v1`.

Source: the JSON schema `schemas/result-v1.schema.json`, the wiki page "Advanced Autograding" and the validators of
`runner.py` in the repository foundation50/classroom50. They ask for whole numbers: points are written in tenths, in
which credit is given, and in a finer unit where an assignment's points need it, so that no mark is rounded; the unit
is the same for all submissions of an assignment, for it depends on the points of its checks alone. Each test keeps
its own points beside that (other fields of a test are kept as they are). The runner itself stamps owner, type of
assignment and time of submission over what stands here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from autograder.report.model import CheckResult, Report
from autograder.report.student_view import for_students, reason

SCHEMA = "classroom50/result/v1"
VARIABLES = ("CLASSROOM", "ASSIGNMENT", "OWNER", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL")
"""Variables that the runner sets for an autograder, without which a result belongs to nobody."""

_TENTHS = 10
_FINEST = 10**6


def classroom50(report: Report, *, feedback: str, environment: Mapping[str, str], now: datetime) -> str:
    """Write a report.

    Args:
        report: The report; one that is complete, for its score is taken as the grade.
        feedback: How much is said of a hidden check: ``none``, ``verdict`` or ``hint``.
        environment: What the runner says about the submission, under the names of `VARIABLES`.
        now: The present time, with its zone.

    Raises:
        KeyError: If one of `VARIABLES` is not in the environment.
    """
    unit = _unit(report)
    tests = [_test(check, unit) for check in for_students(report, feedback).checks]
    document = {
        "schema": SCHEMA,
        "classroom": environment["CLASSROOM"],
        "assignment": environment["ASSIGNMENT"],
        "assignment_type": environment.get("ASSIGNMENT_TYPE") or "individual",
        "owner": environment["OWNER"],
        "submission": environment["SUBMISSION_TAG"],
        "commit": environment["COMMIT_URL"],
        "release": environment["RELEASE_URL"],
        "review": environment.get("REVIEW_URL") or environment["COMMIT_URL"],
        "datetime": _utc(datetime.fromisoformat(report.submitted_at) if report.submitted_at else now),
        "graded_at": _utc(now),
        "score": sum(test["score"] for test in tests),
        "max-score": sum(test["max-score"] for test in tests),
        "tests": tests,
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _unit(report: Report) -> int:
    """Return into how many parts a point is divided: tenths, or as many as make all points whole."""
    unit = _TENTHS
    while unit < _FINEST and any(_exact(check.points) * unit % 1 for check in report.checks):
        unit *= 10
    return unit


def _exact(points: float) -> Fraction:
    """Return points as they are written, not as the nearest binary fraction."""
    return Fraction(repr(points))


def _test(check: CheckResult, unit: int) -> dict[str, Any]:
    return {
        "test-name": check.name,
        "passed": check.full,
        "score": round(_exact(check.score) * unit),
        "max-score": round(_exact(check.points) * unit),
        "points": check.score,
        "max-points": check.points,
        "verdict": check.verdict,
        "output": "\n".join(reason(check)),
    }


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
