"""Write reports for GitHub Actions: a step summary in markdown, and annotations on the lines of the submission.

Source: "Workflow commands for GitHub Actions" of GitHub's documentation (commands, step summaries and their limit) and
GitHub's own toolkit (`packages/core/src/command.ts`: what is escaped); the runner shows ten annotations of a type for
each step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.report.formats.markdown import code, fenced, table, words
from autograder.report.model import CheckResult, Report
from autograder.report.student_view import for_students, points_of, reaches, reason, verdict_of, why
from autograder.report.text import number, parted, readable

SUMMARY_BYTES = 1 << 20
"""What GitHub takes as the summary of one step; it shows nothing of a longer one."""

ANNOTATIONS = 10
"""How many annotations of a type GitHub shows of one step."""

_CUT = "\nCut here: GitHub shows at most 1 MiB of a summary; {} more parts are left out, which `--junit FILE` holds.\n"


@dataclass(frozen=True)
class Origin:
    """Where a submission lies in the repository.

    Attributes:
        path: The file, relative to the workspace where it lies in it.
        has_lines: Whether the lines of the submission are those of the file, as they are of a module.
    """

    path: str
    has_lines: bool


@dataclass(frozen=True)
class _Loss:
    """Why points were lost: the type of annotation, a title, the words, and the line that they are about, or 0."""

    level: str
    title: str
    text: str
    line: int


def summary(reports: Sequence[Report], *, feedback: str, pass_mark: float, room: int = SUMMARY_BYTES) -> str:
    """Write a step summary: what each check gave, then why points were lost.

    Args:
        reports: The reports of one assignment.
        feedback: How much is said of a hidden check: ``none``, ``verdict`` or ``hint``.
        pass_mark: The share of the points that passes.
        room: How many bytes it may take; what does not fit is left out, and that is said.
    """
    seen = [for_students(report, feedback) for report in reports]
    blocks = [_class(seen, pass_mark)] if len(seen) > 1 else []
    blocks += [block for report in seen for block in _blocks(report, pass_mark)]
    sizes = [len(block.encode()) for block in blocks]
    if sum(sizes) <= room:
        return "".join(blocks)
    kept, left = 0, room - len(_CUT.format(len(blocks)).encode())
    while kept < len(blocks) and sizes[kept] <= left:
        left -= sizes[kept]
        kept += 1
    return "".join(blocks[:kept]) + _CUT.format(len(blocks) - kept) if left >= 0 else ""


def annotate(reports: Sequence[Report], *, feedback: str, origins: Mapping[str, Origin]) -> list[str]:
    """Return workflow commands: an error for each check that did not pass, a warning for part of the points.

    Checks that say the same of the same line share one. Where there are more than GitHub shows, the last one says so.

    Args:
        reports: The reports.
        feedback: How much is said of a hidden check: ``none``, ``verdict`` or ``hint``.
        origins: Where submissions lie, by student; those that lie in no file of the repository have none.
    """
    found: dict[str, list[tuple[str, str]]] = {"error": [], "warning": []}
    for report in reports:
        owner = f"{report.student}: " if len(reports) > 1 else ""
        for lost in _losses(for_students(report, feedback).checks, why):
            properties = _properties(origins.get(report.student), lost.line, f"{owner}{lost.title}")
            found[lost.level].append((properties, lost.text))
    return [command for level, entries in found.items() for command in _commands(level, entries)]


def _class(reports: Sequence[Report], pass_mark: float) -> str:
    rows = []
    for report in reports:
        lost = ", ".join(words(check.name) for check in report.checks if not check.full)
        mark = "passed" if reaches(report, pass_mark) else "not passed"
        score = f"{number(report.score)}/{number(report.max_score)}"
        rows.append([code(report.student), score, mark if report.complete else "not final", lost])
    heading = f"## {words(reports[0].assignment)}: {len(reports)} submissions\n\n"
    return heading + table(["student", "points", "pass mark", "lost"], rows, right="points") + "\n"


def _blocks(report: Report, pass_mark: float) -> Iterator[str]:
    """Yield the parts of a submission's summary, none of which may be cut."""
    yield f"## {words(report.assignment)}: {code(report.student)}\n\n"
    yield f"**{points_of(report)}**: {_standing(report, pass_mark)}\n\n"
    rows = [
        [words(check.name), f"{number(check.score)}/{number(check.points)}", verdict_of(check), words(check.title)]
        for check in report.checks
    ]
    yield table(["check", "points", "verdict", "claim"], rows, right="points") + "\n"
    losses = _losses(report.checks, reason)
    for lost in losses:
        yield f"### {words(lost.title)}\n\n{fenced(lost.text)}\n"
    if report.error and not losses:
        yield fenced(report.error) + "\n"
    if report.notes:
        yield "Notes:\n\n" + fenced("\n".join(report.notes)) + "\n"
    yield f"Graded on {words(report.device)} at sandbox level {words(report.sandbox)}: {code(report.digest)}\n\n"


def _standing(report: Report, pass_mark: float) -> str:
    if not report.complete:
        return "not final, because a check ended in an internal grader error"
    how = "reached" if reaches(report, pass_mark) else "not reached"
    return f"the pass mark of {number(pass_mark * report.max_score)} is {how}"


def _losses(checks: Sequence[CheckResult], say: Callable[[CheckResult], list[str]]) -> list[_Loss]:
    """Return why points were lost; checks of which the same is to be said, and of the same line, stand together."""
    same: dict[tuple[bool, str, int], list[CheckResult]] = {}
    for check in checks:
        if not check.full:
            key = (check.verdict == "passed", "\n".join(say(check)), min(check.lines, default=0))
            same.setdefault(key, []).append(check)
    losses = []
    for (partly, text, line), lost in same.items():
        score, points = sum(check.score for check in lost), sum(check.points for check in lost)
        gave = f"{number(score)} of {number(points)} {'point' if points == 1 else 'points'}"
        names = ", ".join(check.name for check in lost)
        losses.append(_Loss("warning" if partly else "error", f"{names}: {gave}", text, line))
    return losses


def _properties(origin: Origin | None, line: int, title: str) -> str:
    parts = []
    if origin is not None:
        parts.append(f"file={_property(origin.path)}")
        if origin.has_lines and line:
            parts.append(f"line={line}")
    return ",".join([*parts, f"title={_property(parted(readable(title)))}"])


def _commands(level: str, entries: list[tuple[str, str]]) -> Iterator[str]:
    shown = entries if len(entries) <= ANNOTATIONS else entries[: ANNOTATIONS - 1]
    for properties, message in shown:
        yield f"::{level} {properties}::{_data(parted(readable(message)))}"
    if left := len(entries) - len(shown):
        yield f"::{level} title=and more::GitHub shows {ANNOTATIONS} of a type; {left} more are in the step summary"


def _data(text: str) -> str:
    """Escape the words of a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape the value of a property."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
