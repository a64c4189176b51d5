"""How a class did in each check."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report.html.check import Verdict, verdict_of
from autograder.report.html.plots import Segment, segments
from autograder.report.model import CheckResult, Report
from autograder.report.text import number


@dataclass(frozen=True)
class CheckRow:
    """How a class did in one check.

    Attributes:
        name: The check's name.
        title: What it claims.
        hidden: Whether it is a hidden one.
        points: What it is worth.
        full: The share of submissions with full marks, in percent.
        credit: The mean share of its points that was earned, in percent.
        bar: That share as a bar.
        verdicts: How it ended, and how often, in words.
    """

    name: str
    title: str
    hidden: bool
    points: str
    full: int
    credit: int
    bar: tuple[Segment, ...]
    verdicts: tuple[tuple[Verdict, int], ...]


def hardest_checks(reports: Sequence[Report]) -> tuple[CheckRow, ...]:
    """Return how a class did in each check, the one with the least mean credit first.

    A check that failed by its own fault says nothing about a submission, and does not count.
    """
    results: dict[str, list[CheckResult]] = {}
    for report in reports:
        for check in report.checks:
            if check.verdict != "grader_error":
                results.setdefault(check.name, []).append(check)
    credits = {name: _mean_credit(found) for name, found in results.items()}
    return tuple(_row(results[name], credits[name]) for name in sorted(results, key=lambda name: credits[name]))


def _mean_credit(results: Sequence[CheckResult]) -> float:
    return statistics.fmean(result.score / result.points if result.points else 1.0 for result in results)


def _row(results: Sequence[CheckResult], credit: float) -> CheckRow:
    first = results[0]
    verdicts = Counter(verdict_of(result) for result in results)
    return CheckRow(
        name=first.name,
        title=first.title,
        hidden=first.hidden,
        points=number(first.points),
        full=_percent(sum(result.full for result in results) / len(results)),
        credit=_percent(credit),
        bar=segments([(credit, 1.0)]),
        verdicts=tuple(verdicts.most_common()),
    )


def _percent(share: float) -> int:
    """Return a share in percent; neither 0 nor 100 where it is not quite that."""
    percent = round(100 * share)
    if 0 < share < 1:
        return min(max(percent, 1), 99)
    return percent
