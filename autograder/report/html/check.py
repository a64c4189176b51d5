"""A check as its student reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report.html.about import points_of
from autograder.report.html.measure import limit_of, measure_of
from autograder.report.html.plots import CreditPlot, LimitPlot, credit_plot, limit_plot
from autograder.report.model import CheckResult
from autograder.report.student_view import HIDDEN, LINE_CHARS, OUTPUT_LINES
from autograder.report.student_view import verdict_of as word_of

_CASES = re.compile(r"\(\d+ of \d+ cases\)")
_AROUND = 2  # So many lines of the submission are shown before and after one that an error points to.
_MARKS = {"passed": "✓", "partly": "◐", "not run": "–", "grader error": "–"}
_KINDS = {"passed": "good", "partly": "part", "not run": "open", "grader error": "open"}


@dataclass(frozen=True)
class Verdict:
    """How a check ended: a word, a sign for those who do not see colours, and the kind that gives the colour."""

    word: str
    sign: str
    kind: str


@dataclass(frozen=True)
class Line:
    """A line of the submission, and whether an error points to it."""

    number: int
    text: str
    marked: bool


@dataclass(frozen=True)
class Printed:
    """What a submission printed, cut.

    Attributes:
        text: The first lines.
        count: How many lines there are.
        more: How many of them are not shown.
    """

    text: str
    count: int
    more: int


@dataclass(frozen=True)
class Check:
    """A check as its student reads it.

    Attributes:
        name: Its name.
        title: What it claims.
        points: What was earned of what it is worth, in words.
        verdict: How it ended.
        lost: Whether it cost points.
        hidden: Whether it is a single hidden one.
        reason: Why points were lost, in a line.
        rest: The other lines of the reason.
        cases: How many cases lost them; empty where the message does not say.
        hint: The check's own sentence about that.
        lines: Lines of the submission around those that an error points to.
        numbers: The numbers of those lines, where the text is not known.
        printed: What the submission printed.
        plot: Its measure, where that gives part of the points.
        limit: Its measure, where that gives all or nothing.
    """

    name: str
    title: str
    points: str
    verdict: Verdict
    lost: bool
    hidden: bool
    reason: str
    rest: tuple[str, ...]
    cases: str
    hint: str
    lines: tuple[Line, ...]
    numbers: tuple[int, ...]
    printed: Printed | None
    plot: CreditPlot | None
    limit: LimitPlot | None


def verdict_of(check: CheckResult) -> Verdict:
    """Return how a check ended, as people read it."""
    word = word_of(check)
    return Verdict(word, _MARKS.get(word, "✗"), _KINDS.get(word, "bad"))


def check_of(result: CheckResult, source: str) -> Check:
    """Return what a student reads of a check, from a result that they may read and the text of their module."""
    measure, limit = measure_of(result), limit_of(result)
    reason, *rest = result.message.strip("\n").split("\n")
    cases = rest.pop().strip("()") if rest and _CASES.fullmatch(rest[-1]) else ""
    lines = _excerpt(source, result.lines)
    if len(rest) == 1 and any(line.marked and line.text.strip() in rest[0] for line in lines if line.text.strip()):
        rest = []  # the excerpt shows that line better
    return Check(
        name=result.name,
        title=result.title,
        points=points_of(result.score, result.points),
        verdict=verdict_of(result),
        lost=not result.full,
        hidden=result.hidden and result.name != HIDDEN,
        reason=reason,
        rest=tuple(rest),
        cases=cases,
        hint=result.hint if not result.full else "",
        lines=lines,
        numbers=() if source else tuple(sorted(set(result.lines))),
        printed=_printed(result),
        plot=credit_plot(measure, result.points) if measure is not None and result.points > 0 else None,
        limit=limit_plot(limit) if limit is not None else None,
    )


def _excerpt(source: str, numbers: Sequence[int]) -> tuple[Line, ...]:
    """Return the lines around those that an error points to."""
    lines = source.splitlines()
    marked = {each for each in numbers if 1 <= each <= len(lines)}
    near = {each + step for each in marked for step in range(-_AROUND, _AROUND + 1)}
    shown = sorted(each for each in near if 1 <= each <= len(lines))
    return tuple(Line(each, lines[each - 1][:LINE_CHARS], each in marked) for each in shown)


def _printed(result: CheckResult) -> Printed | None:
    lines = result.output.strip("\n").split("\n")
    if not result.output.strip():
        return None
    text = "\n".join(line[:LINE_CHARS] for line in lines[:OUTPUT_LINES])
    return Printed(text, len(lines), max(0, len(lines) - OUTPUT_LINES))
