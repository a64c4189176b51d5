"""Say what a student may read of a report, in plain text: what every format is made of."""

from __future__ import annotations

from dataclasses import replace

from autograder.report.model import CheckResult, Report
from autograder.report.terminal import number, readable
from autograder.verdicts import Verdict

HIDDEN = "hidden checks"
"""The name of the one line that stands for all hidden checks where students read nothing of them."""

_OUTPUT_LINES, _LINE_LENGTH = 20, 200


def for_students(report: Report, feedback: str) -> Report:
    """Return a report with what a student may read, and with all its points.

    Where students read nothing of hidden checks, one line stands for all of these, so that the points add up: the
    total is theirs to know.

    Args:
        report: The report.
        feedback: How much of a hidden check: ``none``, ``verdict`` or ``hint``.
    """
    seen = report.for_student(feedback)
    hidden = [check for check in report.checks if check.hidden]
    if feedback != "none" or not hidden:
        return seen
    return replace(seen, checks=(*seen.checks, _together(hidden)))


def _together(hidden: list[CheckResult]) -> CheckResult:
    verdicts = {check.verdict for check in hidden}
    verdict: Verdict = "passed"
    if "grader_error" in verdicts:
        verdict = "grader_error"
    elif verdicts != {"passed"}:
        verdict = "failed"
    score, points = (round(sum(values), 6) for values in zip(*((c.score, c.points) for c in hidden), strict=True))
    words = "this course shows no more of its hidden checks" if score < points else ""
    return CheckResult(HIDDEN, "what the hidden checks gave", points, score, verdict, words, hidden=True)


def reaches(report: Report, pass_mark: float) -> bool:
    """Say whether a report reaches the pass mark, a share of its points."""
    return report.score >= pass_mark * report.max_score


def points_of(part: CheckResult | Report) -> str:
    """Return the points of a check or of a report in words."""
    most = part.points if isinstance(part, CheckResult) else part.max_score
    return f"{number(part.score)} of {number(most)} {'point' if most == 1 else 'points'}"


def verdict_of(check: CheckResult) -> str:
    """Return a verdict in words."""
    return "partly" if check.verdict == "passed" and not check.full else check.verdict.replace("_", " ")


def why(check: CheckResult) -> list[str]:
    """Return why a check lost points, line by line; nothing where it lost none."""
    if check.full:
        return []
    lines = readable(check.message).splitlines() or [verdict_of(check)]
    return [*lines, f"hint: {readable(check.hint)}"] if check.hint else lines


def reason(check: CheckResult) -> list[str]:
    """Return why a check lost points, and what it printed where it earned nothing, cut to what is worth reading."""
    lines = why(check)
    printed = readable(check.output).strip().splitlines() if check.score == 0 else []
    if printed:
        lines.append("it printed:")
        lines += [f"| {line[:_LINE_LENGTH]}" for line in printed[:_OUTPUT_LINES]]
    if len(printed) > _OUTPUT_LINES:
        lines.append(f"| … and {len(printed) - _OUTPUT_LINES} lines more")
    return lines
