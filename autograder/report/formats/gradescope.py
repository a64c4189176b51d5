"""Write a report as the `results.json` that Gradescope reads after an autograder has run.

Source: "Autograder Specifications" and "Leaderboards" of Gradescope's documentation of autograders. Every text says
that its format is `text`, for what is shown of a submission may hold markup. Standard output stays with instructors.
"""

from __future__ import annotations

import json
from typing import Any

from autograder.report.measure import timing_of
from autograder.report.model import CheckResult, Report
from autograder.report.student_view import points_of, reason, verdict_of, visible_check
from autograder.report.text import readable


def gradescope(report: Report, *, feedback: str) -> str:
    """Write a report.

    A hidden check is hidden from students, and whole for instructors, where students read nothing of it; otherwise
    they read what it may say.

    Args:
        report: The report; one that is complete, for Gradescope takes its score as the grade.
        feedback: How much students read of a hidden check: ``none``, ``verdict`` or ``hint``.
    """
    seen = [visible_check(check, feedback) for check in report.checks]
    tests = [
        _test(number, check, visible)
        for number, (check, visible) in enumerate(zip(report.checks, seen, strict=True), start=1)
    ]
    document = {
        "score": report.score,
        "execution_time": round(report.seconds, 3),
        "output": _overall(report),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {
            "assignment": report.assignment,
            "digest": report.digest,
            "device": report.device,
            "sandbox": report.sandbox,
            "max_score": report.max_score,
        },
        "tests": tests,
        "leaderboard": [entry for check in seen if check is not None for entry in _standings(check)],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _overall(report: Report) -> str:
    lines = [points_of(report)]
    if report.error:
        lines.append(readable(report.error))
    return "\n".join([*lines, *(f"note: {readable(note)}" for note in report.notes)])


def _test(number: int, check: CheckResult, visible: CheckResult | None) -> dict[str, Any]:
    shown = check if visible is None else visible
    return {
        "score": check.score,
        "max_score": check.points,
        "status": "passed" if check.verdict == "passed" else "failed",
        "name": readable(f"{check.name}: {check.title}"),
        "name_format": "text",
        "number": str(number),
        "output": "\n".join([verdict_of(shown), *reason(shown)]),
        "output_format": "text",
        "tags": ["hidden" if check.hidden else "public"],
        "visibility": "hidden" if visible is None else "visible",
        "extra_data": {"verdict": check.verdict},
    }


def _standings(check: CheckResult) -> list[dict[str, Any]]:
    """Return the ratio of a speed check; what students may not read of a check has none."""
    timing = timing_of(check)
    if timing is None:
        return []
    return [{"name": f"{check.name}: time ÷ baseline's", "value": round(timing.ratio, 4), "order": "asc"}]
