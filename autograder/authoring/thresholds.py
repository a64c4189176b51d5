"""Propose the bounds of a speed check from the ratios of kept submissions.

What is kept says where the bounds have to lie: the reference and the right solutions must get all the points, and the
wrong solutions that are kept for being slow must not. Credit falls with the logarithm of the ratio, and on that scale
the four stand in equal steps where there is room: the slowest right one, `full_at`, the fastest slow one, `zero_at`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from autograder.course.schema import Threshold
from autograder.report.credit import share
from autograder.report.measure import Timing

MARGIN = 4 / 3
"""`full_at` should be so many times what the slowest right submission takes: another machine may be less kind to it."""
CLEARANCE = 1.15
"""`full_at` has at least this distance from either side: at 15 % a verdict is to be sure."""
LEAST_SPAN = 1.5
"""`zero_at` is at least so many times `full_at`: a small error of measurement should cost few points."""
_GUESSED_SPAN = 2.0
_SPEED_UP = 0.9  # a ratio below this is a speed-up that a check may ask for
_DIGITS = 3


@dataclass(frozen=True)
class Sample:
    """A kept submission in one check.

    Attributes:
        kind: `reference`, `right` or `slow`.
        name: The file's stem.
        timing: Its ratio.
    """

    kind: str
    name: str
    timing: Timing


@dataclass(frozen=True)
class Proposal:
    """Bounds for one check, or why there are none.

    Attributes:
        bounds: The bounds; None where none can be proposed.
        words: Sentences that say how they came about.
    """

    bounds: Threshold | None
    words: tuple[str, ...]


def propose(samples: Sequence[Sample]) -> Proposal:
    """Propose bounds: all points for what is right, half of them or a little more at most for what is slow.

    The upper ends of the right ones and the lower ends of the slow ones count. `full_at` is the middle between the two
    on a logarithmic scale; where that is less than a third above the slowest right one, it goes up to there, as far as
    the fastest slow one leaves room. `zero_at` is as many times the fastest slow one as that is times `full_at`, so
    that it gets half of the points, and at least one and a half times `full_at`. Where a check asks for a speed-up,
    `zero_at` stays below 1, at which the baseline itself would earn something.
    """
    right = max((item for item in samples if item.kind != "slow"), key=lambda item: item.timing.high, default=None)
    slow = min((item for item in samples if item.kind == "slow"), key=lambda item: item.timing.low, default=None)
    if right is None:
        return Proposal(None, ("neither the reference nor a right solution has a ratio: there is nothing to go by",))
    slowest = right.timing.high
    if slow is None:
        full = _rounded(slowest * MARGIN, math.ceil)
        none = _rounded(_below_baseline(full, full * _GUESSED_SPAN), math.floor)
        guess = "no slow wrong solution has a ratio, so none is a guess; keep one that loses this check"
        return Proposal(Threshold(full, none), (_above(full, right), guess))
    fastest = slow.timing.low
    both = f"{right.name} is right and takes up to {slowest:.3g}, {slow.name} is slow and takes from {fastest:.3g}"
    if fastest <= slowest:
        todo = "time inputs on which they differ more, or keep one of the two elsewhere"
        return Proposal(None, (f"right and slow overlap, and no bound separates them: {both}; {todo}",))
    wanted = max(math.sqrt(slowest * fastest), min(slowest * MARGIN, fastest / CLEARANCE))
    full = _rounded(wanted, math.ceil)
    if full * CLEARANCE > fastest:
        full = _rounded(wanted, math.floor)
    if full < slowest * CLEARANCE:
        room = f"full has to be {CLEARANCE:g} times the one, and the other {CLEARANCE:g} times full"
        return Proposal(None, (f"right and slow lie too close together: {both}; {room}",))
    none = _rounded(_below_baseline(fastest, max(fastest * fastest / full, full * LEAST_SPAN)), math.floor)
    below = (
        f"{slow.name}, the fastest slow one ({fastest:.3g}), takes {fastest / full:.3g} times full and gets "
        f"{share(fastest, full_at=full, zero_at=none):.0%} of the points"
    )
    return Proposal(Threshold(full, none), (_above(full, right), below))


def number(value: float) -> str:
    """Write a number as YAML reads one: without an exponent, with a point.

    >>> [number(value) for value in (4.0, 0.00001, 1230.0, 0.00833)]
    ['4.0', '0.00001', '1230.0', '0.00833']
    """
    text = format(Decimal(repr(value)).normalize(), "f")
    return text if "." in text else f"{text}.0"


def _above(full: float, right: Sample) -> str:
    slowest = right.timing.high
    lack = "" if full >= slowest * MARGIN else f"; {MARGIN:.3g} times is wanted, and there is no room for it"
    return f"full is {full / slowest:.3g} times what {right.name} takes, the slowest right one ({slowest:.3g}){lack}"


def _below_baseline(bound: float, none: float) -> float:
    """Return `zero_at`; where `bound` is a speed-up and `none` is not, a value between `bound` and the baseline."""
    return math.sqrt(bound) if bound < _SPEED_UP and none >= 1 else none


def _rounded(value: float, to: Callable[[Decimal], int]) -> float:
    """Round to three digits, up or down."""
    step = Decimal(1).scaleb(math.floor(math.log10(value)) - _DIGITS + 1)
    return float(to(Decimal(value) / step) * step)
