"""Graded measures earn by the logarithm between their bounds, in tenths of a point, and never by accident."""

from __future__ import annotations

import math

import pytest
from harness import Lab
from hypothesis import given
from hypothesis import strategies as st

from autograder.report.credit import Credit, score, share

VALUES = st.floats(1e-6, 1e6)
BOUNDS = st.tuples(st.floats(0.01, 100), st.floats(1.01, 100)).map(lambda pair: (pair[0], pair[0] * pair[1]))


def test_the_share_falls_with_the_logarithm() -> None:
    assert share(2, full_at=2, zero_at=8) == 1.0
    assert share(4, full_at=2, zero_at=8) == pytest.approx(0.5)
    assert share(8, full_at=2, zero_at=8) == 0.0
    assert share(0.01, full_at=2, zero_at=8) == 1.0
    assert share(-1.0, full_at=2, zero_at=8) == 1.0
    assert share(math.inf, full_at=2, zero_at=8) == 0.0


def test_what_is_no_number_earns_nothing() -> None:
    assert share(math.nan, full_at=2, zero_at=8) == 0.0
    with pytest.raises(AssertionError):
        Credit()(math.nan, full_at=2, zero_at=8)


@pytest.mark.parametrize(("value", "passes"), [(0.0, True), (0.4, True), (0.41, False), (math.nan, False)])
def test_a_limit_earns_all_or_nothing_and_is_recorded(value: float, passes: bool) -> None:
    credit = Credit()

    if passes:
        credit.at_most(value, 0.4, name="memory", text="too much")
    else:
        with pytest.raises(AssertionError, match="^too much$"):
            credit.at_most(value, 0.4, name="memory", text="too much")

    assert str(credit.measured) == str({"memory": value, "most": 0.4})
    assert credit.share is None  # which leaves all points


@given(VALUES, VALUES, BOUNDS)
def test_a_smaller_value_never_earns_less(one: float, other: float, bounds: tuple[float, float]) -> None:
    full, none = bounds
    low, high = sorted((one, other))

    assert 0.0 <= share(high, full_at=full, zero_at=none) <= share(low, full_at=full, zero_at=none) <= 1.0


@given(st.floats(0.1, 100), st.floats(0, 1), st.floats(0, 1))
def test_scores_are_whole_tenths_rounded_up_and_never_above_the_points(points: float, one: float, other: float) -> None:
    low, high = sorted((one, other))

    earned = score(points, low)

    assert points * low - 1e-6 <= earned <= points
    assert earned <= score(points, high)
    assert earned == points or math.isclose(earned * 10, round(earned * 10), abs_tol=1e-9)


def test_rounding_favours_the_student_and_not_noise() -> None:
    assert score(4, 0.5) == 2.0
    assert score(4, 0.501) == 2.1
    assert score(3, 0.1) == 0.3  # 3 x 0.1 is a little more than 0.3 in binary
    assert score(3, 1.0) == 3.0
    assert score(2.55, 1.0) == 2.55
    assert score(3, 0.0) == 0.0


def test_credit_is_taken_at_the_end_that_favours_the_student() -> None:
    credit = Credit()

    earned = credit(6.0, full_at=4, zero_at=8, low=4.0, high=7.0, count={"pairs": 11}, text="six times")

    assert (earned, credit.share, credit.text) == (1.0, 1.0, "six times")
    assert credit.measured == {
        "ratio": 6.0,
        "ratio_low": 4.0,
        "ratio_high": 7.0,
        "pairs": 11,
        "full_at": 4,
        "zero_at": 8,
    }


def test_two_values_are_worth_the_same_where_people_see_no_difference() -> None:
    credit = Credit(points=4)

    assert credit.same_score(3.0, 3.9, full_at=4, zero_at=8)
    assert credit.same_score(5.0, 5.01, full_at=4, zero_at=8)
    assert not credit.same_score(5.0, 5.2, full_at=4, zero_at=8)
    assert not credit.same_score(7.999, 8.0, full_at=4, zero_at=8)
    assert credit.same_score(8.0, 80.0, full_at=4, zero_at=8)


def test_the_least_of_several_measures_counts() -> None:
    credit = Credit()

    credit(1.0, full_at=2, zero_at=8, name="error", text="good")
    credit(4.0, full_at=2, zero_at=8, name="error", text="middling")
    credit(3.0, full_at=2, zero_at=8, name="error", text="better")

    assert (credit.share, credit.text, credit.measured["error"]) == (pytest.approx(0.5), "middling", 4.0)


def test_no_credit_fails_the_check_with_the_words_that_are_given() -> None:
    with pytest.raises(AssertionError, match="^too slow$"):
        Credit()(9.0, full_at=2, zero_at=8, text="too slow")
    with pytest.raises(AssertionError, match=r"^error is 9; no credit is left at 8$"):
        Credit()(9.0, full_at=2, zero_at=8, name="error")


CHECKS = '''
from autograder import Credit, Student, points

@points(4)
def check_error(student: Student, credit: Credit) -> None:
    """Echo is off by little."""
    value = student.echo(1.0)
    credit(value, full_at=2.0, zero_at=8.0, name="error", text=f"off by {value:g}; full credit is at 2, none at 8")
'''


@pytest.mark.parametrize(
    ("value", "verdict", "earned", "message"),
    [
        ("1.0", "passed", 4.0, ""),
        ("4.0", "passed", 2.0, "off by 4; full credit is at 2, none at 8"),
        ("9.0", "failed", 0.0, "off by 9; full credit is at 2, none at 8"),
        ("float('nan')", "failed", 0.0, "off by nan; full credit is at 2, none at 8"),
    ],
)
def test_a_measure_earns_its_share_of_the_points(
    lab: Lab, value: str, verdict: str, earned: float, message: str
) -> None:
    report = lab.grade(f"def echo(x):\n    return {value}\n", CHECKS)

    (check,) = report.checks
    assert (check.verdict, check.score, check.message) == (verdict, earned, message)
    assert (check.measured["full_at"], check.measured["zero_at"]) == (2.0, 8.0)


def test_credit_earned_before_a_failure_is_lost(lab: Lab) -> None:
    checks = CHECKS + "    assert student.echo(2.0) == 2.0\n"

    report = lab.grade("def echo(x):\n    return 1.0\n", checks)

    assert (report.check("error").verdict, report.score) == ("failed", 0.0)
