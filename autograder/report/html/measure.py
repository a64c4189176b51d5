"""Read from a check's result the measure that decided about its points."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autograder.report.credit import share
from autograder.report.html.about import figure
from autograder.report.model import CheckResult

_BOUNDS = ("full_at", "zero_at")
_MOST = "most"


@dataclass(frozen=True)
class Measure:
    """A measure with its interval and its bounds; smaller is better.

    Attributes:
        name: What the report calls it, such as ``ratio``.
        value: What was measured.
        low: The end of its interval at which credit is taken.
        high: The other end.
        full_at: The largest value that earns everything.
        zero_at: The smallest value that earns nothing.
    """

    name: str
    value: float
    low: float
    high: float
    full_at: float
    zero_at: float

    @property
    def speed_up(self) -> bool:
        """Whether people read it as a speed-up, 1 ÷ ratio."""
        return self.name == "ratio" and self.zero_at < 1

    def shown(self, value: float) -> str:
        """Show a value as people read it."""
        return figure(1 / value if self.speed_up and value > 0 else value)

    @property
    def words(self) -> str:
        """What was measured, in words."""
        if self.speed_up:
            return f"{self.shown(self.value)} times as fast as the baseline"
        if self.name == "ratio":
            return f"{self.shown(self.value)} times the baseline's time"
        return f"{self.name.replace('_', ' ')} {self.shown(self.value)}"

    @property
    def interval(self) -> tuple[str, str] | None:
        """The ends of the interval as people read them, the smaller one first; None where it has no width."""
        low, high = self.shown(self.low), self.shown(self.high)
        if low == high:
            return None
        return (high, low) if self.speed_up else (low, high)


@dataclass(frozen=True)
class Limit:
    """A measure that earns all or nothing; smaller is better.

    Attributes:
        name: What the report calls it, such as ``memory``.
        value: What was measured.
        most: The largest value that is allowed.
    """

    name: str
    value: float
    most: float


def limit_of(check: CheckResult) -> Limit | None:
    """Return the measure that had to be small enough; None where there is none."""
    most = check.measured.get(_MOST)
    name = next((name for name in check.measured if name != _MOST), None)
    if most is None or name is None:
        return None
    found = Limit(name, check.measured[name], most)
    return found if all(math.isfinite(each) for each in (found.value, most)) and most > 0 else None


def measure_of(check: CheckResult) -> Measure | None:
    """Return the measure that decided about a check.

    None where there is none, and where the points were lost by something else than the measure: a forbidden call, a
    later wrong output, another check that this one needs.
    """
    measured = check.measured
    names = [name for name in measured if name not in _BOUNDS]
    if not names or not set(_BOUNDS) <= measured.keys():
        return None
    # A measure comes with its interval or, where it has none, before other figures such as how often it was measured.
    name = next((name for name in names if {f"{name}_low", f"{name}_high"} <= measured.keys()), names[0])
    value = measured[name]
    ends = measured.get(f"{name}_low", value), measured.get(f"{name}_high", value)
    found = Measure(name, value, *ends, full_at=measured["full_at"], zero_at=measured["zero_at"])
    finite = all(math.isfinite(each) and each >= 0 for each in (value, *ends, found.full_at, found.zero_at))
    if not finite or not 0 < found.full_at < found.zero_at:
        return None
    nothing = share(found.low, full_at=found.full_at, zero_at=found.zero_at) == 0.0
    return found if check.verdict == "passed" or (check.verdict == "failed" and nothing) else None
