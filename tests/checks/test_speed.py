"""Speed is a ratio of CPU times, over fresh inputs and checked outputs; nothing that happens later counts."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from harness import RIGHT, Lab
from hypothesis import given
from hypothesis import strategies as st

from autograder.checks.measure import bandwidth as floor
from autograder.checks.measure import speed
from autograder.checks.measure.speed import MOST_PAIRS, PAIRS, Ratio, ratio_of
from autograder.course.loading import Threshold
from autograder.report.model import CheckResult
from autograder.sandbox.process import Process
from autograder.verdicts import Crashed

CHECKS = '''
import torch
from autograder import Speed, points

@points(4)
def check_speed(speed: Speed, rng: torch.Generator) -> None:
    """Echo is fast."""
    speed("echo", lambda: (torch.randn(64, generator=rng),), lambda x: x)
'''

# A thousandth of the ratio is a step that people see.
FINE = CHECKS.replace("points(4)", "points(1000)")
GENEROUS, STRICT = Threshold(1e5, 1e6), Threshold(1.5, 2.0)


def timed(lab: Lab, source: str, threshold: Threshold = GENEROUS, checks: str = CHECKS, **files: str) -> CheckResult:
    """Return the result of the one check of speed."""
    files = {"baseline": RIGHT} | files
    report = lab.grade(source, checks, thresholds={"speed": threshold}, **files)
    (check,) = report.checks
    return check


# -- the ratio -------------------------------------------------------------------------------------------------------


def test_the_ratio_is_minimum_over_minimum_and_its_interval_that_of_five_groups() -> None:
    ratio = ratio_of([9.0, 4.0, 6.0, 2.0, 8.0, 3.0], [1.0, 2.0, 1.0, 4.0, 1.0, 1.0])

    assert ratio == Ratio(ratio=2.0, low=0.5, high=8.0, student_s=2.0, baseline_s=1.0, pairs=6)


def test_one_pair_is_a_ratio_without_an_interval() -> None:
    assert ratio_of([3.0], [2.0]) == Ratio(1.5, 1.5, 1.5, 3.0, 2.0, 1)


@pytest.mark.parametrize("short", [0.0, 1e-9, 0.4])
def test_a_time_of_a_clock_that_ran_short_counts_for_neither_side(short: float) -> None:
    student, baseline = [4.0, 5.0, 4.0, 6.0, 4.0, 4.5, 4.0], [2.0, 2.5, 2.0, 2.0, 3.0, 2.0, 2.0]
    ratio = ratio_of(student, baseline)

    assert ratio_of([4.0, 5.0, 4.0, 6.0, short, 4.5, 4.0], baseline) == ratio
    assert ratio_of(student, [2.0, 2.5, 2.0, short, 3.0, 2.0, 2.0]) == ratio


# An honest clock's times lie within a factor of four of each other.
TIMES = st.lists(st.tuples(st.floats(0.01, 0.04), st.floats(0.01, 0.04)), min_size=1, max_size=33)


@given(TIMES)
def test_the_interval_holds_the_ratio(pairs: list[tuple[float, float]]) -> None:
    student, baseline = ([pair[side] for pair in pairs] for side in (0, 1))

    ratio = ratio_of(student, baseline)

    assert ratio.low <= ratio.ratio <= ratio.high
    assert ratio.ratio == min(student) / min(baseline)


# -- what is timed ---------------------------------------------------------------------------------------------------


def test_a_right_submission_is_timed_against_the_baseline(any_lab: Lab) -> None:
    check = timed(any_lab, RIGHT)

    assert (check.verdict, check.score, check.message) == ("passed", 4.0, "")
    assert set(check.measured) == {"ratio", "ratio_low", "ratio_high", "pairs", "full_at", "zero_at"}
    assert 0.02 < check.measured["ratio"] < 50


def test_a_slow_submission_loses_its_points_and_reads_by_how_much(lab: Lab) -> None:
    source = "import torch\n\ndef echo(x):\n    for _ in range(500):\n        torch.sin(x)\n    return x.clone()\n"

    check = timed(lab, source, STRICT)

    assert (check.verdict, check.score) == ("failed", 0.0)
    assert check.measured["ratio"] > 5
    words, _, bounds = check.message.partition("; ")
    assert words.startswith(f"took {check.measured['ratio']:.3g} times the baseline (")
    assert " ms against " in words and words.endswith(f"ms, best of {PAIRS})")
    assert bounds == "full credit is at 1.5, none at 2"


def test_between_the_bounds_a_share_is_earned_from_a_bounded_number_of_pairs(lab: Lab) -> None:
    checks = f'''
import torch
from autograder import points

@points(1)
def check_speed(speed, rng):
    """Echo is fast."""
    ratio = speed("echo", lambda: (torch.randn(64, generator=rng),), lambda x: x)
    assert {PAIRS} <= ratio.pairs <= {MOST_PAIRS}
    assert ratio.low <= ratio.ratio <= ratio.high
'''

    check = timed(lab, RIGHT, Threshold(1e-9, 1e9), checks)

    assert check.verdict == "passed"
    assert 0.0 < check.score < 1.0


def test_an_open_verdict_takes_all_the_pairs_and_says_which_end_counts(lab: Lab) -> None:
    check = timed(lab, RIGHT, Threshold(0.1, 10.0), FINE)

    low, high = check.measured["ratio_low"], check.measured["ratio_high"]
    assert check.measured["pairs"] == MOST_PAIRS
    assert f"best of {MOST_PAIRS}; between {low:.3g} and {high:.3g}, of which {low:.3g} counts)" in check.message


def test_a_settled_verdict_takes_no_more_pairs_than_it_must(lab: Lab) -> None:
    check = timed(lab, RIGHT, GENEROUS)

    assert check.measured["pairs"] == PAIRS


def test_an_open_verdict_ends_when_it_has_cost_enough(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "MOST_S", 1e-9)

    check = timed(lab, RIGHT, Threshold(0.1, 10.0), FINE)

    assert check.measured["pairs"] == PAIRS


def test_several_calls_make_a_block_and_a_probe_may_be_the_target(lab: Lab) -> None:
    checks = '''
import torch
from autograder import points

@points(4)
def check_speed(speed, rng):
    """Echo and its gradient are fast."""
    ratio = speed("both", lambda: (torch.randn(64, generator=rng), 2), lambda x, n: (x, torch.full_like(x, n)), calls=3)
    assert ratio.student_s > 0
'''
    probes = """
    import torch

    def both(module, x, n):
        x.requires_grad_()
        y = module.echo(x)
        (gradient,) = torch.autograd.grad((n * y).sum(), x)
        return y, gradient
    """

    check = timed(lab, RIGHT, checks=checks, probes=probes)

    assert (check.verdict, check.message) == ("passed", "")


def test_inputs_keep_their_strides_and_are_private(lab: Lab) -> None:
    checks = CHECKS.replace("torch.randn(64, generator=rng)", "torch.randn(8, 8, generator=rng).t()")
    source = "def echo(x):\n    assert x.stride() == (1, 8)\n    y = x.clone()\n    x.zero_()\n    return y\n"

    check = timed(lab, source, checks=checks)

    assert check.verdict == "passed"


# -- what earns nothing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        """
calls = 0

def echo(x):
    global calls
    calls += 1
    return x.clone() if calls < 9 else x + 1
""",
        """
kept = []

def echo(x):
    kept.append(x.clone())
    return kept[0]
""",
        """
import torch

buffer = torch.zeros(64)

def echo(x):
    result = buffer.clone()
    buffer.copy_(x)
    return result
""",
        """
import threading, torch

def echo(x):
    result = torch.zeros_like(x)
    threading.Timer(1.0, result.copy_, [x.clone()]).start()
    return result
""",
    ],
    ids=["wrong once", "the first result again", "the result before", "filled in later"],
)
def test_a_wrong_output_in_any_timed_call_earns_nothing(lab: Lab, source: str) -> None:
    check = timed(lab, source)

    assert (check.verdict, check.score) == ("failed", 0.0)
    assert "elements are off" in check.message
    assert check.measured == {}


def test_memory_that_is_never_filled_in_holds_no_answer(lab: Lab) -> None:
    # Not with echo: where the answer is the input, a freed copy of it may lie there.
    checks = CHECKS.replace('speed("echo"', 'speed("twice"').replace("lambda x: x)", "lambda x: 2 * x)")

    check = timed(lab, "import torch\n\ndef twice(x):\n    return torch.empty_like(x)\n", checks=checks)

    assert (check.verdict, check.score) == ("failed", 0.0)


def test_every_timed_call_gets_values_and_memory_that_it_has_never_seen(lab: Lab) -> None:
    source = """
seen = {}

def echo(x):
    key = bytes(x.numpy())
    if key in seen:
        raise ValueError("the same values again")
    seen[key] = x  # keeps the memory, so that no later input can lie there
    if any(other.data_ptr() == x.data_ptr() for other in list(seen.values())[:-1]):
        raise ValueError("the same memory again")
    return x.clone()
"""

    check = timed(lab, source)

    assert check.verdict == "passed", check.message


def test_a_forbidden_call_in_the_timed_part_alone_is_seen(lab: Lab) -> None:
    source = """
import torch
calls = 0

def echo(x):
    global calls
    calls += 1
    return torch.relu(x) - torch.relu(-x) if calls > 5 else x.clone()
"""
    report = lab.grade(source, CHECKS, thresholds={"speed": GENEROUS}, baseline=RIGHT, forbidden=["aten::relu"])

    assert report.check("speed").verdict == "forbidden"


def test_what_the_submission_raises_in_the_timed_part_is_told(lab: Lab) -> None:
    check = timed(lab, "def echo(x):\n    raise ValueError('no')\n")

    assert (check.verdict, check.message) == (
        "raised",
        "ValueError: no\n  echo.py, line 2, in echo: raise ValueError('no')",
    )


FILL = """
import torch
from autograder import Speed, points

@points(4)
def check_speed(speed: Speed, rng: torch.Generator) -> None:
    \"\"\"The filling is fast.\"\"\"
    speed("echo", lambda: (torch.randn(4, generator=rng),), lambda x: torch.full((1 << 23,), 7.0))
"""
FILLS = "import torch\n\ndef echo(x):\n    return torch.full((1 << 23,), 7.0)\n"


def test_a_result_that_nobody_can_have_written_in_that_time_earns_nothing_and_is_a_flag(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine with other work an answer alone may take half of the least time; here nothing else may decide.
    monkeypatch.setattr(floor, "SHARE", 4.0)
    source = "import torch\n\nREADY = torch.full((1 << 23,), 7.0)\n\ndef echo(x):\n    return READY\n"

    report = lab.grade(source, FILL, thresholds={"speed": GENEROUS}, baseline=FILLS)

    (check,) = report.checks
    assert (check.verdict, check.score) == ("failed", 0.0)
    assert re.fullmatch(
        r"too fast to be true: [0-9.e-]+ ms for 33554432 bytes of results, which takes [0-9.]+ ms to write here at "
        r"[0-9]+ GB/s; it earns nothing until your instructor has reviewed it",
        check.message,
    )
    (flag,) = report.flags
    assert flag.startswith("speed: too fast to be true: ") and flag.endswith("; needs review")


def test_a_result_that_was_written_in_the_timed_part_is_believed(lab: Lab) -> None:
    check = timed(lab, FILLS, checks=FILL, baseline=FILLS)

    assert (check.verdict, check.score) == ("passed", 4.0)


def test_a_view_of_an_argument_need_not_be_written() -> None:
    x = torch.zeros(2, 3)

    assert floor.written_bytes((x.T, [x[0]], {"a": torch.zeros(4, dtype=torch.float64)}, 3), (x,)) == 32


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ("{'l': [TENSOR(16)]}", "the worker's answer lies outside its memory"),
        ("{'l': [TENSOR(2**62)]}", "the worker's answer lies outside its memory"),
        ("{'l': []}", "the worker's answer is malformed: a block has the wrong number of results"),
        ("{'d': []}", "the worker's answer is malformed: a block has the wrong number of results"),
        ("{'l': [TENSOR(-1)]}", "the worker's answer is malformed: a tensor has no address"),
    ],
)
def test_a_forged_timed_answer_is_a_crash(lab: Lab, result: str, message: str) -> None:
    source = f"""
import json, os, struct

def TENSOR(pointer):
    return {{"T": {{"dtype": "float32", "shape": [64], "stride": [1], "device": "cpu", "grad": False, "pointer": pointer}}}}

def echo(x):
    # Loading, collecting, staging, going.
    text = json.dumps({{"serial": 4, "buffers": [], "forbidden": [], "result": {result}}}).encode()
    os.write(3, struct.pack("<4sIQ", b"agw1", len(text), 0) + text)
    return x
"""

    check = timed(lab, source)

    assert (check.verdict, check.message) == ("crashed", message)


def test_a_worker_that_goes_on_after_it_was_stopped_is_a_crash(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Process.read_memory

    def resumed(self: Process, address: int, nbytes: int) -> torch.Tensor:
        """Do what a submission would do that found a way to wake itself up."""
        stopped = self.cpu_time_s()
        self.resume()
        while self.cpu_time_s() < stopped + 0.005:  # more than it may take to leave its core
            continue
        return read(self, address, nbytes)

    monkeypatch.setattr(Process, "read_memory", resumed)
    source = """
import threading

def spin():
    while True:
        pass

threading.Thread(target=spin, daemon=True).start()

def echo(x):
    return x.clone()
"""
    baseline = source  # whichever is timed first

    check = timed(lab, source, baseline=baseline)

    assert (check.verdict, check.message) == ("crashed", "the worker went on after it was stopped")


def test_a_check_without_thresholds_is_a_mistake_of_the_course(lab: Lab) -> None:
    report = lab.grade(RIGHT, CHECKS, baseline=RIGHT)

    check = report.check("speed")
    assert (check.verdict, check.message) == (
        "grader_error",
        "LookupError: course.yml has no thresholds for speed on cpu",
    )


def test_a_baseline_that_does_not_load_is_a_mistake_of_the_course(lab: Lab) -> None:
    check = timed(lab, RIGHT, baseline="raise ValueError('no')\n")

    assert check.verdict == "grader_error"
    assert check.message == "RuntimeError: baseline.py does not load: ValueError: no"


# -- the clock -------------------------------------------------------------------------------------------------------


@pytest.fixture
def spinning() -> Iterator[Process]:
    code = (
        "import threading\nprint(flush=True)\ndef f():\n    while True: pass\nthreading.Thread(target=f).start()\nf()"
    )
    with subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE) as popen:
        assert popen.stdout is not None
        popen.stdout.readline()
        process = Process(popen.pid)
        yield process
        process.kill()
        process.close()


def test_a_stopped_process_stands_still_with_all_its_threads(spinning: Process) -> None:
    stopped = spinning.stop()

    assert [spinning.cpu_time_s() for _ in range(1000)] == [stopped] * 1000
    spinning.resume()
    while spinning.cpu_time_s() == stopped:
        continue


def test_a_process_that_is_gone_is_a_crash(spinning: Process) -> None:
    spinning.kill()
    assert spinning.wait(30)
    os.waitpid(spinning.pid, 0)

    for look in (spinning.stop, spinning.resume, spinning.cpu_time_s, lambda: spinning.read_memory(4096, 8)):
        with pytest.raises(Crashed):
            look()
    assert (spinning.memory_bytes(), spinning.alive()) == (0, False)
