"""Give part of a check's points by a measure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

_TENTHS = 10
_SLACK = 1e-9


def share(value: float, *, full_at: float, zero_at: float) -> float:
    """Return the share of the points that a value earns: 1 at or below ``full_at``, 0 at or above ``zero_at``.

    Between them it falls linearly in the logarithm of the value.
    """
    if value <= full_at:
        return 1.0
    if not value < zero_at:  # nan is not
        return 0.0
    return math.log(zero_at / value) / math.log(zero_at / full_at)


def score(points: float, earned: float) -> float:
    """Return a share of the points, rounded up to tenths and never above them."""
    return min(points, math.ceil(points * earned * _TENTHS - _SLACK) / _TENTHS)


@dataclass
class Credit:
    """Collect the measures of one check; the least share counts.

    Attributes:
        points: What the check is worth.
        share: The share of the points that the check earns so far; None before the first measure.
        measured: The figures of the measure with the least share.
        text: Its words.
        flags: What an instructor should look at.
    """

    points: float = 1.0
    share: float | None = None
    measured: dict[str, float] = field(default_factory=dict)
    text: str = ""
    flags: list[str] = field(default_factory=list)

    def same_score(self, low: float, high: float, *, full_at: float, zero_at: float) -> bool:
        """Say whether two values earn the same score, to the tenth of a point that people see."""
        return score(self.points, share(low, full_at=full_at, zero_at=zero_at)) == score(
            self.points, share(high, full_at=full_at, zero_at=zero_at)
        )

    def __call__(
        self,
        value: float,
        *,
        full_at: float,
        zero_at: float,
        low: float | None = None,
        high: float | None = None,
        count: Mapping[str, float] | None = None,
        name: str = "ratio",
        text: str = "",
    ) -> float:
        """Record a measure: all of the points at or below ``full_at``, none at or above ``zero_at``.

        Args:
            value: What was measured; smaller is better.
            full_at: The largest value that earns all points.
            zero_at: The smallest value that earns nothing; above ``full_at``.
            low: The end of the value's interval that favours the student; credit is taken there.
            high: The other end.
            count: Other figures for the report, such as how often it was measured.
            name: What the value is called in the report.
            text: A sentence for the student, shown where the credit is less than full.

        Returns:
            The share, from 0 to 1.

        Raises:
            AssertionError: If the share is 0.
        """
        earned = share(value if low is None else low, full_at=full_at, zero_at=zero_at)
        if self.share is None or earned < self.share:
            self.share = earned
            self.text = text
            interval = {} if low is None or high is None else {f"{name}_low": low, f"{name}_high": high}
            self.measured.update({name: value, **interval, **(count or {}), "full_at": full_at, "zero_at": zero_at})
        if earned == 0.0:
            raise AssertionError(text or f"{name} is {value:.3g}; no credit is left at {zero_at:g}")
        return earned

    def at_most(self, value: float, most: float, *, name: str, text: str) -> None:
        """Record a measure that earns all or nothing, and require it to be small enough.

        Args:
            value: What was measured; smaller is better.
            most: The largest value that is allowed.
            name: What the value is called in the report, such as ``memory``.
            text: A sentence for the student, shown where it is larger.

        Raises:
            AssertionError: If it is larger, or no number.
        """
        self.measured.update({name: value, "most": most})
        if not value <= most:
            raise AssertionError(text)
