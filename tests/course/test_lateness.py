"""Lateness costs a share a day that has started, beyond the days of grace and up to the cap."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import lateness as late
from autograder.course.lateness import days_counted, penalty
from autograder.course.loading import LatePolicy

DAY_S = 86_400
POLICIES = st.builds(LatePolicy, grace_days=st.floats(0, 366), penalty_per_day=st.floats(0, 1), cap=st.floats(0, 1))


@pytest.mark.parametrize(
    ("grace_days", "seconds_late", "days"),
    [
        (0, -5, 0),
        (0, 0, 0),
        (0, 1, 1),
        (0, DAY_S, 1),
        (0, DAY_S + 0.001, 2),
        (2, 2 * DAY_S, 0),
        (2, 2 * DAY_S + 1, 1),
        (0.5, DAY_S / 2, 0),
        (0.5, DAY_S / 2 + 1, 1),
    ],
)
def test_a_day_counts_when_it_has_begun(grace_days: float, seconds_late: float, days: int) -> None:
    assert days_counted(LatePolicy(grace_days=grace_days), seconds_late) == days


def test_each_day_takes_its_share_of_the_score_up_to_the_cap() -> None:
    policy = LatePolicy(grace_days=1, penalty_per_day=0.1, cap=0.25)

    taken = [penalty(policy, 20.0, days * DAY_S) for days in (0, 1, 2, 3, 4, 50)]

    assert taken == [0.0, 0.0, 2.0, 4.0, 5.0, 5.0]


def test_a_course_without_a_policy_takes_nothing() -> None:
    assert penalty(LatePolicy(), 20.0, 400 * DAY_S) == 0.0


@given(POLICIES, st.floats(-5, 100), st.floats(-1e7, 1e8))
def test_a_penalty_is_never_more_than_the_score_and_never_less_than_nothing(
    policy: LatePolicy, score: float, seconds_late: float
) -> None:
    taken = penalty(policy, score, seconds_late)

    assert 0.0 <= taken <= max(0.0, score)


@given(POLICIES, st.floats(0, 100), st.floats(-1e7, 1e8), st.floats(0, 1e7))
def test_to_be_later_never_costs_less(policy: LatePolicy, score: float, seconds_late: float, more: float) -> None:
    assert penalty(policy, score, seconds_late) <= penalty(policy, score, seconds_late + more)


def test_the_examples_in_the_documentation_hold() -> None:
    assert doctest.testmod(late).failed == 0
