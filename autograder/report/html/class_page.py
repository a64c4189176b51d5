"""What stands on the page of a class, which is for the instructor alone."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.report.html.about import About
from autograder.report.html.check import Verdict, verdict_of
from autograder.report.html.findings import Findings
from autograder.report.html.hardest import CheckRow, hardest_checks
from autograder.report.html.plots import Histogram, histogram
from autograder.report.html.speed_board import Board, boards
from autograder.report.model import Report
from autograder.report.similarity import Copies
from autograder.report.student_view import reaches
from autograder.report.text import number
from autograder.submission.reading import natural

_PAIRS = 50


@dataclass(frozen=True)
class Flag:
    """What an instructor should look at, and in whose submissions: names and addresses of their pages."""

    text: str
    students: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PairRow:
    """Two submissions that are alike: names, addresses of pages (empty where there is none), and how much."""

    first: tuple[str, str]
    second: tuple[str, str]
    share: str


@dataclass(frozen=True)
class StudentRow:
    """A student in the table of all: name, address, score, and each check that cost points with its verdict."""

    student: str
    link: str
    device: str
    score: str
    unfinished: bool
    error: str
    lost: tuple[tuple[str, Verdict], ...]
    flags: int


@dataclass(frozen=True)
class ClassPage:
    """The page of a class.

    Attributes:
        about: The assignment.
        count: How many reports there are.
        max_score: What could be earned.
        facts: Figures of the class: a name and a value each.
        histogram: The distribution of scores.
        unfinished: Students with a check that could not be judged.
        ungraded: Students who handed something in that is not graded yet.
        flags: What an instructor should look at.
        pairs: Near-copies, the most similar first; None where they were not looked for.
        more_pairs: How many pairs are not listed.
        checks: The checks, the hardest first.
        boards: Rankings by speed.
        students: All, by name.
        devices: Whether there are reports of several devices.
    """

    about: About
    count: int
    max_score: str
    facts: tuple[tuple[str, str], ...]
    histogram: Histogram
    unfinished: tuple[tuple[str, str], ...]
    ungraded: tuple[str, ...]
    flags: tuple[Flag, ...]
    pairs: tuple[PairRow, ...] | None
    more_pairs: int
    checks: tuple[CheckRow, ...]
    boards: tuple[Board, ...]
    students: tuple[StudentRow, ...]
    devices: bool


def class_page(
    about: About, reports: Sequence[Report], *, links: Sequence[str], findings: Findings | None = None
) -> ClassPage:
    """Compute the page of a class.

    Args:
        about: The assignment.
        reports: The reports, whole.
        links: The address of each report's page.
        findings: What else is known of the class.
    """
    findings = findings or Findings()
    both = sorted(zip(reports, links, strict=True), key=lambda each: natural(each[0].student))
    addresses: dict[str, str] = {}
    for report, link in both:
        addresses.setdefault(report.student, link)
    max_score = max((report.max_score for report in reports), default=0.0)
    pairs = _pairs(findings.copies, addresses) if findings.copies is not None else None
    return ClassPage(
        about=about,
        count=len(reports),
        max_score=number(max_score),
        facts=_facts(about, reports),
        histogram=histogram([report.score for report in reports], max_score=max_score, pass_mark=about.pass_mark),
        unfinished=tuple((report.student, link) for report, link in both if not report.complete),
        ungraded=tuple(findings.ungraded),
        flags=_flags(both),
        pairs=pairs[:_PAIRS] if pairs is not None else None,
        more_pairs=max(0, len(pairs or ()) - _PAIRS),
        checks=hardest_checks(reports),
        boards=boards(findings.rankings, reports, links=addresses),
        students=tuple(_student(report, link) for report, link in both),
        devices=len({report.device for report in reports}) > 1,
    )


def _facts(about: About, reports: Sequence[Report]) -> tuple[tuple[str, str], ...]:
    if not reports:
        return ()
    scores = [report.score for report in reports]
    passed = sum(reaches(report, about.pass_mark) for report in reports)
    full = sum(report.score >= report.max_score > 0 for report in reports)
    return (
        ("Submissions", str(len(reports))),
        ("Mean score", number(round(statistics.fmean(scores), 1))),
        ("Median score", number(round(statistics.median(scores), 1))),
        ("All points", str(full)),
        (f"Passed (from {about.pass_mark:.0%})", str(passed)),
    )


def _flags(both: Sequence[tuple[Report, str]]) -> tuple[Flag, ...]:
    """Gather flags by their words; those that fewest have come first, as they are the most telling."""
    found: dict[str, list[tuple[str, str]]] = {}
    for report, link in both:
        for text in dict.fromkeys(report.flags):
            found.setdefault(text, []).append((report.student, link))
    return tuple(Flag(text, tuple(students)) for text, students in sorted(found.items(), key=lambda item: len(item[1])))


def _pairs(copies: Copies, addresses: Mapping[str, str]) -> tuple[PairRow, ...]:
    return tuple(
        PairRow(
            (pair.first.student, addresses.get(pair.first.student, "")),
            (pair.second.student, addresses.get(pair.second.student, "")),
            "identical" if pair.identical else f"{pair.share:.0%}",
        )
        for pair in copies.pairs
    )


def _student(report: Report, link: str) -> StudentRow:
    return StudentRow(
        student=report.student,
        link=link,
        device=report.device,
        score=number(report.score),
        unfinished=not report.complete,
        error=report.error,
        lost=tuple((check.name, verdict_of(check)) for check in report.checks if not check.full),
        flags=len(report.flags),
    )
