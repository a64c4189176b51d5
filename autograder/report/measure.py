"""Read from a check's result the ratio that decided about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from autograder.report.credit import share
from autograder.report.model import CheckResult


@dataclass(frozen=True)
class Timing:
    """A ratio with its interval: the student's time ÷ the baseline's.

    Attributes:
        ratio: The ratio.
        low: The lower end of its interval.
        high: The upper end.
    """

    ratio: float
    low: float
    high: float


def timing_of(check: CheckResult) -> Timing | None:
    """Return the ratio that decided about a check.

    None where there is none, because an output was wrong or the worker was lost, and where the points were lost by
    something else than time: a forbidden call, a later wrong output, another check that this one needs.
    """
    measured = check.measured
    if not {"ratio", "full_at", "zero_at"} <= measured.keys():
        return None
    ratio = measured["ratio"]
    low, high = measured.get("ratio_low", ratio), measured.get("ratio_high", ratio)
    if not all(math.isfinite(value) and value > 0 for value in (ratio, low, high)):
        return None
    too_slow = share(low, full_at=measured["full_at"], zero_at=measured["zero_at"]) == 0.0
    if check.verdict == "passed" or (check.verdict == "failed" and too_slow):
        return Timing(ratio, low, high)
    return None


def why_untimed(check: CheckResult) -> str:
    """Say in a few words why a check has no ratio that decided."""
    if check.verdict == "passed":
        return "nothing was timed"
    said = check.message.partition("\n")[0].partition("; ")[0]
    return ": ".join(filter(None, (check.verdict.replace("_", " "), said)))
