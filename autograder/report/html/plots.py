"""Say where the marks of a plot lie, in the units of its own view box. The templates draw them as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report.credit import score, share
from autograder.report.html.about import figure
from autograder.report.html.measure import Limit, Measure
from autograder.report.text import number

WIDTH = 360.0
"""So wide is every plot that has text: on a narrow phone as many pixels, so that the text is read there as it is."""
_LEFT, _RIGHT, _TOP, _FLOOR = 34.0, 348.0, 28.0, 104.0
_LABEL = 40.0  # Half of the width that a label in the middle of a mark may take.
_WIDE_LABEL = 72.0  # The same where the label says as well that the value is off the scale.
_BEYOND = (0.3, 1.2)  # At least and at most so much of the width from full to no credit lies on either side of it.
_ROOM = 0.15
_LEAST_BAND = 2.0
_BINS = 10
_BAR_GAP = 4.0


@dataclass(frozen=True)
class Mark:
    """A place on the axis.

    Attributes:
        x: Where it is.
        label: What is written there.
        label_x: The middle of what is written, so far from the edges that it fits.
    """

    x: float
    label: str
    label_x: float


@dataclass(frozen=True)
class CreditPlot:
    """A measure on a logarithmic scale, under the credit that each value earns.

    Attributes:
        measure: The measure.
        full, none, value: Its bounds and itself.
        band: Left and right end of its interval.
        dot: Where the credit is taken.
        stairs: The path of the credit, step by step.
        points: What the check is worth, as shown.
        top, floor, left, right: The edges within which the credit is drawn.
        beyond: Whether the value lies outside of the scale, and is drawn at its edge.
    """

    measure: Measure
    full: Mark
    none: Mark
    value: Mark
    band: tuple[float, float]
    dot: tuple[float, float]
    stairs: str
    points: str
    beyond: bool
    top: float = _TOP
    floor: float = _FLOOR
    left: float = _LEFT
    right: float = _RIGHT


@dataclass(frozen=True)
class LimitPlot:
    """A measure as a bar from zero, and the limit that it had to keep.

    Attributes:
        words: What was measured, in words.
        width: How long the bar is.
        limit: Where the limit is.
        left, right: Where the scale begins and ends.
        height: The height of the view box.
    """

    words: str
    width: float
    limit: Mark
    left: float = _LEFT
    right: float = _RIGHT
    height: float = 62.0


@dataclass(frozen=True)
class Bar:
    """A bar of a histogram: its place, its count and what it counts."""

    x: float
    y: float
    width: float
    height: float
    count: int
    label: str


@dataclass(frozen=True)
class Histogram:
    """How many have how many points.

    Attributes:
        bars: From no points to all.
        ticks: Marks on the axis.
        pass_x: Where the pass mark is.
        floor: Where the bars stand.
    """

    bars: tuple[Bar, ...]
    ticks: tuple[Mark, ...]
    pass_x: float
    floor: float = _FLOOR
    left: float = _LEFT
    right: float = _RIGHT


@dataclass(frozen=True)
class Segment:
    """A check's part of the bar over all points, and the part of it that was earned."""

    x: float
    width: float
    earned: float


class Scale:
    """A logarithmic scale; values beyond it lie at its edge.

    Args:
        low: The value at the left edge, or at the right one where the scale is mirrored.
        high: The one at the other edge.
        edges: Where the edges are.
        mirrored: Whether values fall from left to right.
    """

    def __init__(self, low: float, high: float, *, edges: tuple[float, float], mirrored: bool = False) -> None:
        self._low, self._high = math.log(low), math.log(high)
        self._edges = edges[::-1] if mirrored else edges

    def __call__(self, value: float) -> float:
        """Return where a value lies."""
        place = (math.log(value) - self._low) / (self._high - self._low) if value > 0 else 0.0
        start, end = self._edges
        return start + min(1.0, max(0.0, place)) * (end - start)


def credit_plot(measure: Measure, points: float) -> CreditPlot:
    """Lay out what a check measured, and what each value would earn."""
    scale, beyond = _scale(measure)
    ends = sorted((scale(measure.low), scale(measure.high)))
    middle, half = sum(ends) / 2, max(ends[1] - ends[0], _LEAST_BAND) / 2
    earned = score(points, share(measure.low, full_at=measure.full_at, zero_at=measure.zero_at))
    full, none, value = (
        Mark(x := scale(each), measure.shown(each), _fitting(x, _WIDE_LABEL if beyond else _LABEL))
        for each in (measure.full_at, measure.zero_at, measure.value)
    )
    return CreditPlot(
        measure=measure,
        full=full,
        none=none,
        value=value,
        band=(middle - half, middle + half),
        dot=(scale(measure.low), _height(earned, points)),
        stairs=_stairs(measure, points, scale),
        points=number(points),
        beyond=beyond,
    )


def limit_plot(limit: Limit) -> LimitPlot:
    """Lay out a measure beside the limit that it had to keep."""
    scale = (_RIGHT - _LEFT) / (max(limit.value, limit.most) * 1.1)
    place = _LEFT + limit.most * scale
    mark = Mark(place, f"at most {figure(limit.most)}", _fitting(place, _LABEL))
    return LimitPlot(f"{limit.name.replace('_', ' ')} {figure(limit.value)}", max(0.0, limit.value) * scale, mark)


def histogram(scores: Sequence[float], *, max_score: float, pass_mark: float) -> Histogram:
    """Count scores in ten bins of equal width; a score on the edge of two is in the upper one, all points in the last.

    Args:
        scores: The scores.
        max_score: What could be earned.
        pass_mark: The share of it from which one has passed.
    """
    counts = [0] * _BINS
    for each in scores:
        place = int(each / max_score * _BINS + 1e-9) if max_score > 0 else 0
        counts[min(max(place, 0), _BINS - 1)] += 1
    step, most = (_RIGHT - _LEFT) / _BINS, max([1, *counts])
    bars = []
    for index, count in enumerate(counts):
        height = (_FLOOR - _TOP) * count / most
        low, high = (number(round(max_score * edge / _BINS, 6)) for edge in (index, index + 1))
        label = f"{low} to {high}" if index == _BINS - 1 else f"{low} to less than {high}"
        bars.append(Bar(_LEFT + step * index + _BAR_GAP / 2, _FLOOR - height, step - _BAR_GAP, height, count, label))
    ticks = tuple(
        Mark(x := _LEFT + (_RIGHT - _LEFT) * part, number(round(max_score * part, 6)), _fitting(x, 8.0))
        for part in (0.0, 0.5, 1.0)
    )
    return Histogram(tuple(bars), ticks, _LEFT + (_RIGHT - _LEFT) * pass_mark)


def segments(parts: Sequence[tuple[float, float]], gap: float = 3.0) -> tuple[Segment, ...]:
    """Lay out scores and points of checks side by side, each as wide as its points."""
    parts = [(earned, points) for earned, points in parts if points > 0]
    total = sum(points for _, points in parts)
    room = WIDTH - gap * (len(parts) - 1)
    found, x = [], 0.0
    for earned, points in parts:
        width = room * points / total
        found.append(Segment(x, width, width * earned / points))
        x += width + gap
    return tuple(found)


def _scale(measure: Measure) -> tuple[Scale, bool]:
    """Return a scale from beside full to beside no credit that holds the measure if it is not too far off."""
    span = math.log(measure.zero_at / measure.full_at)
    least, most = (span * each for each in _BEYOND)
    under = math.log(measure.full_at / measure.low) + span * _ROOM if measure.low > 0 else math.inf
    over = math.log(measure.high / measure.zero_at) + span * _ROOM if measure.high > 0 else 0.0
    beyond = under > most or over > most
    low = measure.full_at * math.exp(-min(most, max(least, under)))
    high = measure.zero_at * math.exp(min(most, max(least, over)))
    return Scale(low, high, edges=(_LEFT, _RIGHT), mirrored=measure.speed_up), beyond


def _stairs(measure: Measure, points: float, scale: Scale) -> str:
    """Draw the credit from the edge of the best values to that of the worst: a score falls by tenths of a point."""
    start, end = (_RIGHT, _LEFT) if measure.speed_up else (_LEFT, _RIGHT)
    path = [f"M{start:.1f} {_height(points, points):.1f}"]
    tenths = math.ceil(points * 10 - 1e-9)
    for left in range(tenths - 1, -1, -1):
        # The score is more than so many tenths up to the value that has exactly this share.
        value = measure.zero_at * (measure.full_at / measure.zero_at) ** (left / 10 / points)
        path.append(f"H{scale(value):.1f}V{_height(left / 10, points):.1f}")
    return "".join([*path, f"H{end:.1f}"])


def _height(earned: float, points: float) -> float:
    return _FLOOR - (_FLOOR - _TOP) * (earned / points if points > 0 else 0.0)


def _fitting(x: float, half: float = _LABEL) -> float:
    return min(max(x, half), WIDTH - half)
