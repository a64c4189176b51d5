"""Say what submitting late costs."""

from __future__ import annotations

import math

from autograder.course.schema import LatePolicy

_DAY_S = 86_400


def days_counted(policy: LatePolicy, seconds_late: float) -> int:
    """Return how many days beyond the grace days count: each one that has started.

    >>> days_counted(LatePolicy(grace_days=2), 2 * 86_400)
    0
    >>> days_counted(LatePolicy(grace_days=2), 2 * 86_400 + 1)
    1
    """
    return max(0, math.ceil((seconds_late - policy.grace_days * _DAY_S) / _DAY_S))


def penalty(policy: LatePolicy, score: float, seconds_late: float) -> float:
    """Return the late penalty for a score, in points: a share for each day that counts, at most the cap.

    nbgrader's gradebook, our commands and what they export all take it from here.

    >>> policy = LatePolicy(grace_days=1, penalty_per_day=0.25, cap=0.5)
    >>> [penalty(policy, 20.0, hours * 3_600) for hours in (0, 24, 25, 48, 49, 500)]
    [0.0, 0.0, 5.0, 5.0, 10.0, 10.0]

    Args:
        policy: The assignment's.
        score: The points earned.
        seconds_late: How long after the due date it was submitted; 0 or less if it was in time.
    """
    return max(0.0, score) * min(policy.cap, policy.penalty_per_day * days_counted(policy, seconds_late))
