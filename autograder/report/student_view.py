"""What a student reads of a report: the one place where it is decided, and from which every page and format is made.

Of a hidden check nothing may leave that it saw or expected: no message, output, measure or line of the submission.
"""

from __future__ import annotations

from dataclasses import replace

from autograder.report.model import CheckResult, Report
from autograder.report.text import number, readable
from autograder.verdicts import Verdict

HIDDEN = "hidden checks"
"""The name of the one line that stands for all hidden checks where students read nothing of them."""

OUTPUT_LINES, LINE_CHARS = 30, 300
"""How many lines of a submission's output people read with a check, and how much of each: about one screen."""
_HIDDEN_WORDS = {
    "passed": "",
    "failed": "a hidden check found something wrong",
    "raised": "your code raised an exception in a hidden check",
    "timed_out": "your code used up its time in a hidden check",
    "crashed": "your code ended its process in a hidden check",
    "out_of_memory": "your code used up its memory in a hidden check",
    "forbidden": "your code made a call that the assignment forbids",
    "not_run": "the check did not run",
    "grader_error": "the check itself failed; your instructor must review it",
}


def visible_check(check: CheckResult, feedback: str) -> CheckResult | None:
    """Return what a student may read of a check; None for nothing.

    Args:
        check: The result.
        feedback: How much of a hidden check: ``none``, ``verdict`` or ``hint``.
    """
    if not check.hidden:
        return check
    if feedback == "none":
        return None
    message = _HIDDEN_WORDS[check.verdict] if check.score < check.points else ""
    if message and feedback == "hint" and check.hint:
        message = f"{message}: {check.hint}"
    return replace(check, message=message, output="", measured={}, lines=(), hint="")


def visible(report: Report, feedback: str) -> Report:
    """Return what a student may read of a report, hidden checks that they may not read about left out.

    Args:
        report: The report.
        feedback: How much of a hidden check: ``none``, ``verdict`` or ``hint``.
    """
    checks = [visible_check(check, feedback) for check in report.checks]
    return replace(report, seed="", flags=(), checks=tuple(check for check in checks if check is not None))


def for_students(report: Report, feedback: str) -> Report:
    """Return a report with what a student may read, and with all its points.

    Where students read nothing of hidden checks, one line stands for all of these, so that the points add up: the
    total is theirs to know.

    Args:
        report: The report.
        feedback: How much of a hidden check: ``none``, ``verdict`` or ``hint``.
    """
    seen = visible(report, feedback)
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


def printed(check: CheckResult) -> list[str]:
    """Return what the submission printed in a check, cut to what is worth reading; the last line says what was cut."""
    lines = readable(check.output).strip("\n").split("\n") if check.output.strip() else []
    more = [f"… and {len(lines) - OUTPUT_LINES} lines more"] if len(lines) > OUTPUT_LINES else []
    return [line[:LINE_CHARS] for line in lines[:OUTPUT_LINES]] + more


def reason(check: CheckResult) -> list[str]:
    """Return why a check lost points, and what it printed where it earned nothing."""
    lines = why(check)
    output = printed(check) if check.score == 0 else []
    return [*lines, "it printed:", *(f"| {line}" for line in output)] if output else lines


def lines_of(check: CheckResult) -> list[str]:
    """Return all that a student reads of a check, line by line."""
    return [f"{check.name}: {verdict_of(check)}, {points_of(check)}", readable(check.title), *reason(check)]
