"""Lay out the rankings by speed on the page of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.report.html.about import figure
from autograder.report.html.measure import Measure, measure_of
from autograder.report.html.plots import Scale
from autograder.report.model import Report
from autograder.report.ranking import Place, Ranking

WIDTH = 200.0
_MARGIN, _LEAST, _AROUND = 6.0, 2.0, 1.2


@dataclass(frozen=True)
class BoardRow:
    """A student's place.

    Attributes:
        rank: From 1.
        student: Whose it is.
        link: The address of the student's page; empty where there is none.
        value: The ratio or speed-up.
        interval: Its ends, the smaller one first.
        x: Where the value is drawn.
        band: From where to where its interval is drawn.
    """

    rank: int
    student: str
    link: str
    value: str
    interval: tuple[str, str]
    x: float
    band: tuple[float, float]


@dataclass(frozen=True)
class Board:
    """A ranking.

    Attributes:
        title: What is ranked, and on which device.
        figure: What the values are called.
        rows: From the fastest to the slowest.
        guides: Where full and no credit are drawn; None over several checks, whose bounds differ.
        bounds: What earns full and no credit, as shown.
        unranked: Students without a ratio that counts, each with the reason.
    """

    title: str
    figure: str
    rows: tuple[BoardRow, ...]
    guides: tuple[float, float] | None
    bounds: tuple[str, str] | None
    unranked: tuple[tuple[str, str], ...]


def boards(rankings: Sequence[Ranking], reports: Sequence[Report], *, links: Mapping[str, str]) -> tuple[Board, ...]:
    """Lay out rankings.

    Args:
        rankings: The rankings.
        reports: The reports that they are taken from.
        links: The addresses of students' pages, by name.
    """
    return tuple(_board(ranking, _bounds(ranking, reports), links) for ranking in rankings)


def _board(ranking: Ranking, bounds: Measure | None, links: Mapping[str, str]) -> Board:
    ends = [end for place in ranking.places for end in (place.timing.low, place.timing.high)]
    ends += [bounds.full_at, bounds.zero_at] if bounds is not None else []
    edges = (_MARGIN, WIDTH - _MARGIN)
    scale = Scale(min(ends) / _AROUND, max(ends) * _AROUND, edges=edges, mirrored=ranking.speed_up) if ends else None
    what = ranking.check or "all timed checks (geometric mean)"
    return Board(
        title=f"{what} on {ranking.device}",
        figure="speed-up" if ranking.speed_up else "ratio",
        rows=tuple(_row(place, ranking.speed_up, scale, links) for place in ranking.places if scale is not None),
        guides=(scale(bounds.full_at), scale(bounds.zero_at)) if bounds is not None and scale is not None else None,
        bounds=(bounds.shown(bounds.full_at), bounds.shown(bounds.zero_at)) if bounds is not None else None,
        unranked=ranking.unranked,
    )


def _row(place: Place, speed_up: bool, scale: Scale, links: Mapping[str, str]) -> BoardRow:
    timing = place.timing
    value, low, high = timing.ratio, timing.low, timing.high
    if speed_up:
        value, low, high = 1 / value, 1 / high, 1 / low
    start, end = sorted((scale(timing.low), scale(timing.high)))
    middle, half = (start + end) / 2, max(end - start, _LEAST) / 2
    return BoardRow(
        rank=place.rank,
        student=place.student,
        link=links.get(place.student, ""),
        value=figure(value),
        interval=(figure(low), figure(high)),
        x=scale(timing.ratio),
        band=(middle - half, middle + half),
    )


def _bounds(ranking: Ranking, reports: Sequence[Report]) -> Measure | None:
    """Return a measure of the ranked check, for its bounds; None over several checks."""
    for report in reports:
        if report.device == ranking.device:
            for check in report.checks:
                if check.name == ranking.check and (measure := measure_of(check)) is not None:
                    return measure
    return None
