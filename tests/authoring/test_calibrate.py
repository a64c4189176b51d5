"""Calibration times what is kept, and proposes bounds that give each kept submission what it is kept for."""

from __future__ import annotations

import math

import pytest
from click.testing import Result
from commands import autograde, refusal
from harness import Lab
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.authoring.thresholds import CLEARANCE, MARGIN, Proposal, Sample, number, propose
from autograder.course.loading import Threshold, load_course
from autograder.report.credit import score, share
from autograder.report.measure import Timing, timing_of, why_untimed
from autograder.report.model import CheckResult

RATIOS = st.floats(1e-5, 1e4)
WIDTHS = st.floats(1.0, 1.3)
ROUNDING = 1.01  # three digits


def sample(kind: str, ratio: float, width: float = 1.0, name: str | None = None) -> Sample:
    return Sample(kind, name or f"{kind}_one", Timing(ratio, ratio / width, ratio * width))


def samples(kind: str) -> st.SearchStrategy[list[Sample]]:
    return st.lists(st.builds(sample, st.just(kind), RATIOS, WIDTHS), min_size=1, max_size=4)


def apart(slow_factors: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[list[Sample], list[Sample]]]:
    """Make up right and slow ones, each slow one's lower end so many times the slowest right one's upper end."""

    def beside(right: list[Sample]) -> st.SearchStrategy[tuple[list[Sample], list[Sample]]]:
        slowest = max(one.timing.high for one in right)
        slow = st.builds(lambda factor, width: sample("slow", slowest * factor * width, width), slow_factors, WIDTHS)
        return st.tuples(st.just(right), st.lists(slow, min_size=1, max_size=4))

    return samples("right").flatmap(beside)


def ends(right: list[Sample], slow: list[Sample]) -> tuple[float, float]:
    """Return the slowest end of what is right and the fastest of what is slow."""
    return max(one.timing.high for one in right), min(one.timing.low for one in slow)


# -- the proposal ------------------------------------------------------------------------------------------------------


@given(apart(st.floats(CLEARANCE**2 * ROUNDING, 1e3)))
def test_bounds_keep_their_distance_from_what_is_right_and_from_what_is_slow(
    both: tuple[list[Sample], list[Sample]],
) -> None:
    right, slow = both

    bounds = propose([*slow, *right]).bounds

    slowest, fastest = ends(right, slow)
    assert bounds is not None
    assert slowest * CLEARANCE <= bounds.full_at <= fastest / CLEARANCE
    if fastest >= slowest * MARGIN * CLEARANCE * ROUNDING:
        assert bounds.full_at >= slowest * MARGIN


@given(apart(st.floats(CLEARANCE**2 * ROUNDING, 1e3)), st.floats(0.3, 20))
def test_what_is_right_gets_all_the_points_and_what_is_slow_two_thirds_at_most(
    both: tuple[list[Sample], list[Sample]], points: float
) -> None:
    right, slow = both

    bounds = propose([*right, *slow]).bounds

    assert bounds is not None
    for one in right:
        assert share(one.timing.high, full_at=bounds.full_at, zero_at=bounds.zero_at) == 1.0
    for one in slow:
        earned = share(one.timing.low, full_at=bounds.full_at, zero_at=bounds.zero_at)
        assert earned < 0.67
        assert score(points, earned) < points


@given(apart(st.floats(1e-3, CLEARANCE**2 / 1.000001)))
@example(([sample("right", 2.0)], [sample("slow", 2.0)]))
def test_no_bounds_are_proposed_where_there_is_no_room_for_them(both: tuple[list[Sample], list[Sample]]) -> None:
    right, slow = both

    assert propose([*right, *slow]).bounds is None


@given(st.floats(1e-5, 0.67), st.none() | st.floats(1.4, 100))
def test_a_check_that_asks_for_a_speed_up_gives_nothing_for_none(ratio: float, factor: float | None) -> None:
    slow = [sample("slow", min(ratio * factor, 0.899))] if factor is not None else []

    bounds = propose([sample("right", min(ratio, 0.899 / 1.4)), *slow]).bounds

    assert bounds is not None
    assert bounds.full_at < bounds.zero_at < 1


@given(samples("right"), st.one_of(st.just([]), samples("slow")), st.randoms())
def test_the_order_in_which_submissions_are_timed_changes_nothing(
    right: list[Sample], slow: list[Sample], random: object
) -> None:
    found = [*right, *slow]

    assert propose(found[::-1]).bounds == propose(found).bounds


def test_with_room_the_four_stand_in_equal_steps_and_the_words_say_by_how_much() -> None:
    proposal = propose(
        [sample("reference", 1.0), sample("right", 2.0, name="row_by_row"), sample("slow", 8.0, name="loop")]
    )

    assert proposal == Proposal(
        Threshold(4.0, 16.0),
        (
            "full is 2 times what row_by_row takes, the slowest right one (2)",
            "loop, the fastest slow one (8), takes 2 times full and gets 50% of the points",
        ),
    )


def test_with_little_room_full_goes_up_as_far_as_the_slow_one_lets_it_and_the_words_say_what_is_lacking() -> None:
    proposal = propose([sample("right", 4.0, name="base_two"), sample("slow", 5.8, name="double")])

    assert proposal == Proposal(
        Threshold(5.04, 7.56),
        (
            "full is 1.26 times what base_two takes, the slowest right one (4); 1.33 times is wanted, and there is no "
            "room for it",
            "double, the fastest slow one (5.8), takes 1.15 times full and gets 65% of the points",
        ),
    )


def test_where_right_and_slow_overlap_no_bound_is_proposed_and_both_are_named() -> None:
    proposal = propose([sample("right", 3.0, 1.1, "two_threads"), sample("slow", 3.2, 1.05, "one_einsum")])

    assert proposal == Proposal(
        None,
        (
            "right and slow overlap, and no bound separates them: two_threads is right and takes up to 3.3, one_einsum "
            "is slow and takes from 3.05; time inputs on which they differ more, or keep one of the two elsewhere",
        ),
    )


def test_where_they_lie_too_close_for_any_margin_no_bound_is_proposed() -> None:
    proposal = propose([sample("right", 3.0), sample("slow", 3.6)])

    assert proposal == Proposal(
        None,
        (
            "right and slow lie too close together: right_one is right and takes up to 3, slow_one is slow and takes "
            "from 3.6; full has to be 1.15 times the one, and the other 1.15 times full",
        ),
    )


def test_without_a_slow_one_none_is_called_a_guess() -> None:
    proposal = propose([sample("reference", 3.0)])

    assert proposal == Proposal(
        Threshold(4.0, 8.0),
        (
            "full is 1.33 times what reference_one takes, the slowest right one (3)",
            "no slow wrong solution has a ratio, so none is a guess; keep one that loses this check",
        ),
    )


def test_without_a_right_one_there_is_nothing_to_go_by() -> None:
    proposal = propose([sample("slow", 3.0)])

    assert proposal == Proposal(
        None, ("neither the reference nor a right solution has a ratio: there is nothing to go by",)
    )


@given(st.floats(1e-7, 1e7))
def test_a_number_is_written_without_an_exponent_and_means_the_same(value: float) -> None:
    text = number(value)

    assert float(text) == value
    assert "e" not in text and "." in text


# -- the ratio that decided --------------------------------------------------------------------------------------------

MEASURED = {"ratio": 3.0, "ratio_low": 2.9, "ratio_high": 3.2, "pairs": 11.0, "full_at": 2.0, "zero_at": 4.0}


def check(verdict: str, **changes: float) -> CheckResult:
    return CheckResult("speed", "Fast", 4.0, 0.0, verdict, "slow; much\nvery", measured=MEASURED | changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("result", [check("passed"), check("failed", zero_at=2.5)], ids=["earned", "too slow"])
def test_a_ratio_that_decided_is_taken(result: CheckResult) -> None:
    assert timing_of(result) == Timing(3.0, 2.9, 3.2)


@pytest.mark.parametrize(
    "result",
    [check("failed"), check("forbidden", zero_at=2.5), check("raised"), check("failed", ratio=math.nan, zero_at=2.5)],
    ids=["lost for another reason", "forbidden", "raised", "no number"],
)
def test_a_ratio_that_did_not_decide_is_none(result: CheckResult) -> None:
    assert timing_of(result) is None


def test_a_ratio_without_an_interval_is_its_own() -> None:
    result = CheckResult("speed", "Fast", 4.0, 2.0, "passed", measured={"ratio": 3.0, "full_at": 2.0, "zero_at": 4.0})

    assert timing_of(result) == Timing(3.0, 3.0, 3.0)


def test_the_reason_why_nothing_was_timed_is_one_line() -> None:
    assert why_untimed(check("out_of_memory")) == "out of memory: slow"


# -- the command -------------------------------------------------------------------------------------------------------

CHECKS = '''
"""Checks for echo."""

import torch

from autograder import Speed, Student, assert_close, points


@points(2)
def check_echo(student: Student, rng: torch.Generator) -> None:
    """Echo returns what it got."""
    x = torch.randn(4, generator=rng)
    assert_close(student.echo(x), x)


@points(4)
def check_speed(speed: Speed, rng: torch.Generator) -> None:
    """Echo is fast."""
    speed("echo", lambda: (torch.randn(1 << 16, generator=rng),), lambda x: x)


@points(1, needs="speed")
def check_needy(speed: Speed, rng: torch.Generator) -> None:
    """Twice is fast."""
    speed("twice", lambda: (torch.randn(1 << 16, generator=rng),), lambda x: 2 * x)
'''
RIGHT = "def echo(x):\n    return x.clone()\n\ndef twice(x):\n    return 2 * x\n"
SLOW = '''"""Work for nothing."""

FAILS = ["speed", "needy"]

def echo(x):
    for _ in range(100):
        x.sin()
    return x.clone()

def twice(x):
    return 2 * x
'''
OFF = (
    '"""Add one."""\n\nFAILS = ["echo", "speed"]\n\ndef echo(x):\n    return x + 1\n\ndef twice(x):\n    return 2 * x\n'
)
WRONG = '"""Thrice."""\n\nFAILS = ["echo"]\n\ndef echo(x):\n    return 3 * x\n\ndef twice(x):\n    return 2 * x\n'
THRESHOLDS = """
    thresholds:
      speed:
        cpu: {full_at: 3.0, zero_at: 6.0}
      needy:
        cpu: {full_at: 3.0, zero_at: 6.0}
"""


@pytest.fixture
def kept(lab: Lab) -> Lab:
    lab.make(CHECKS, baseline=RIGHT)
    course = (lab.root / "course.yml").read_text(encoding="utf-8")
    (lab.root / "course.yml").write_text(course + THRESHOLDS.lstrip("\n"), encoding="utf-8")
    lab.write("solutions/echo/echo.py", RIGHT)
    lab.write("solutions/echo/right/twin.py", RIGHT)
    for name, text in (("idle", SLOW), ("off", OFF), ("thrice", WRONG)):
        lab.write(f"solutions/echo/wrong/{name}.py", text)
    return lab


def rows_of(result: Result, check: str) -> dict[str, list[str]]:
    """Return the table of a check: by submission its other cells."""
    lines = result.stdout.splitlines()
    start = lines.index(next(line for line in lines if line.startswith(f"{check} on cpu"))) + 2
    rows = [line.split() for line in lines[start:]]
    return {row[0]: row[1:] for row in rows[: next(i for i, row in enumerate(rows) if len(row) != 7)]}


def test_what_is_kept_is_timed_and_lines_for_the_course_come_out(kept: Lab) -> None:
    before = sorted(path.relative_to(kept.root) for path in kept.root.rglob("*") if ".autograde" not in path.parts)

    result = autograde(kept, "calibrate", "echo")

    speed = rows_of(result, "speed")
    assert {name: cells[0] for name, cells in speed.items()} == {
        "reference": "reference",
        "twin": "right",
        "idle": "slow",
    }
    assert speed["twin"][4:] == ["4/4", "4/4"] and speed["idle"][4] == "0/4"
    assert {name: cells[0] for name, cells in rows_of(result, "needy").items()} == {
        "reference": "reference",
        "twin": "right",
    }
    assert "left out: off: failed: " in result.stdout
    assert "left out: idle: loses needy by losing speed" in result.stdout
    assert "thrice" not in result.output
    after = sorted(path.relative_to(kept.root) for path in kept.root.rglob("*") if ".autograde" not in path.parts)
    assert (result.exit_code, after) == (0, before)


def test_the_lines_can_be_pasted_into_the_course(kept: Lab) -> None:
    result = autograde(kept, "calibrate", "echo")

    lines = result.stdout[result.stdout.index("    thresholds:\n") :]
    assert "# now full_at: 3.0, zero_at: 6.0" in lines
    path = kept.root / "course.yml"
    path.write_text(path.read_text(encoding="utf-8").replace(THRESHOLDS.lstrip("\n"), lines), encoding="utf-8")
    bounds = load_course(path).assignment("echo").thresholds
    assert set(bounds) == {"speed", "needy"}
    assert 1.3 < bounds["speed"]["cpu"].full_at < bounds["speed"]["cpu"].zero_at
    assert bounds["needy"]["cpu"].zero_at < bounds["speed"]["cpu"].zero_at


def test_where_no_bound_can_be_the_command_fails_and_proposes_none(kept: Lab) -> None:
    kept.write("solutions/echo/right/idle_too.py", SLOW)

    result = autograde(kept, "calibrate", "echo")

    assert result.exit_code == 1
    assert "idle_too is right and takes up to" in result.stdout.replace("\n", " ")
    assert "      speed:\n" not in result.stdout


def test_a_device_without_bounds_is_refused(kept: Lab) -> None:
    course = (kept.root / "course.yml").read_text(encoding="utf-8")
    (kept.root / "course.yml").write_text(course.replace("cpu:", "mps:"), encoding="utf-8")

    assert refusal(kept, "calibrate", "echo", "--device", "cpu") == (
        "echo: course.yml has no thresholds on cpu; expected some to start from, under the name of each timed check; "
        "write for example `cpu: {full_at: 1.0, zero_at: 2.0}` and calibrate again"
    )


def test_a_students_copy_cannot_be_calibrated(lab: Lab) -> None:
    lab.make(CHECKS)

    assert refusal(lab, "calibrate", "echo").endswith(
        "has no solutions/; expected the instructor's copy; change to that"
    )
