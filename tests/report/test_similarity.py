"""Near-copies are found whatever hides them, and what everybody has makes none."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import Result
from exchange_world import World, lines_of, make_course
from harness import RIGHT

from autograder.report.similarity import Copies, fingerprints, near_copies
from autograder.submission.reading import Submission

STUB = '''
"""Normalise."""

import torch


def given(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Stand for what the stub brings along."""
    lowest = x.amin(dim, keepdim=True)
    highest = x.amax(dim, keepdim=True)
    return torch.where(highest > lowest, (x - lowest) / (highest - lowest), torch.zeros_like(x))


def normalise(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Return x with mean 0 and variance 1."""
    raise NotImplementedError("normalise")
'''
ADA = """
import torch


class Moments:
    def __init__(self, dim):
        self.dim = dim
        self.count = 0

    def update(self, x):
        self.count += x.shape[self.dim]
        return x.sum(self.dim, keepdim=True) / max(1, self.count)


def normalise(x, dim):
    moments = Moments(dim)
    mean = moments.update(x)
    centred = x - mean
    variance = (centred * centred).sum(dim, keepdim=True) / x.shape[dim]
    return centred * torch.rsqrt(variance + 1e-5)
"""
# The same with other names, hints, comments, docstrings, imports, layout and order.
HIDDEN = '''
"""My very own work."""
from torch import (Tensor, rsqrt as one_over_root)

def normalise(values: Tensor,
              axis: int) -> Tensor:
    """I thought of this alone."""
    helper: Statistics = Statistics(axis)  # keeps count
    average = helper.feed(values)
    difference = (values - average)

    spread = ((difference * difference)
              .sum(axis, keepdim=True) / values.shape[axis])
    return difference * one_over_root(spread + 0.00001)

class Statistics:
    "Statistics."
    def feed(self, values: Tensor) -> Tensor:
        self.seen += values.shape[self.axis]
        return values.sum(self.axis, keepdim=True) / max(1, self.seen)
    def __init__(self, axis: int) -> None:
        pass
        self.axis: int = axis
        self.seen: int = 0
'''
OTHER = """
import torch


def normalise(x, dim):
    result = torch.empty_like(x)
    for index in range(x.numel() // x.shape[dim]):
        row = x.movedim(dim, -1).reshape(-1, x.shape[dim])[index]
        total = 0.0
        for value in row.tolist():
            total = total + value
        result.movedim(dim, -1).reshape(-1, x.shape[dim])[index] = (row - total / len(row)) / row.std(unbiased=False)
    if not torch.isfinite(result).all():
        raise ValueError("a row is constant")
    return result
"""


def submission(student: str, source: str) -> Submission:
    return Submission(student, "normalise", source, f"sha256:{hash(source)}", f"{student}.py")


def compare(at_least: float = 0.6, **sources: str) -> Copies:
    return near_copies([submission(*item) for item in sources.items()], stub=STUB, at_least=at_least)


def found(copies: Copies) -> list[tuple[str, str, int, bool]]:
    return [(pair.first.student, pair.second.student, round(100 * pair.share), pair.identical) for pair in copies.pairs]


def test_names_comments_hints_layout_imports_and_order_hide_no_copy() -> None:
    assert fingerprints(ADA) == fingerprints(HIDDEN)
    assert found(compare(ada=ADA, bob=HIDDEN, cyd=OTHER)) == [("ada", "bob", 100, False)]


def test_independent_work_is_far_below_what_is_listed() -> None:
    result = compare(0.2, ada=ADA, cyd=OTHER)

    assert (result.pairs, result.short) == ((), 0)


def test_a_copy_with_a_passage_exchanged_and_junk_around_it_is_found_and_says_how_much() -> None:
    edited = ADA.replace("(centred * centred)", "centred.pow(2)") + OTHER.replace("normalise", "unused")

    ((first, second, share, _),) = found(compare(ada=ADA, bob=edited))

    assert (first, second) == ("ada", "bob")
    assert 70 < share < 100


def test_what_the_stub_brings_along_makes_no_copy() -> None:
    kept = {"ada": STUB.replace('raise NotImplementedError("normalise")', "return x"), "bob": STUB + OTHER}

    result = compare(0.01, **kept)

    assert (result.pairs, result.short) == ((), 1)


def test_a_few_lines_that_anybody_would_write_make_no_copy() -> None:
    result = compare(ada=RIGHT, bob=RIGHT.replace("x", "y"))

    assert (result.pairs, result.short) == ((), 2)


def test_the_stub_as_it_was_is_no_copy_however_many_hand_it_in() -> None:
    assert compare(ada=STUB, bob=STUB).pairs == ()


def test_what_most_of_the_class_shares_makes_no_copy_and_a_few_who_share_it_do() -> None:
    # Each has something of its own beside the passage that all share.
    def one(number: int) -> str:
        calls = "\n".join(f"    x = torch.own_{number}_{step}(x, {step})" for step in range(10))
        return f"{ADA}\n\ndef own_{number}(x):\n{calls}\n    return x\n"

    few = near_copies([submission(f"s{number}", one(number)) for number in range(4)], at_least=0.4)
    many = near_copies([submission(f"s{number}", one(number)) for number in range(12)], at_least=0.4)

    assert len(few.pairs) == 6
    assert many.pairs == ()


def test_the_most_similar_come_first_and_identical_ones_before_all() -> None:
    edited = ADA.replace("(centred * centred)", "centred.pow(2)")

    listed = found(compare(ada=ADA, bob=HIDDEN, cyd=ADA, dan=edited))

    assert listed[:3] == [("ada", "cyd", 100, True), ("ada", "bob", 100, False), ("cyd", "bob", 100, False)]
    assert [pair[:2] for pair in listed[3:]] == [("ada", "dan"), ("bob", "dan"), ("cyd", "dan")]
    assert all(pair[2] < 100 for pair in listed[3:])


def test_no_valid_python_is_named_and_found_only_where_it_is_identical() -> None:
    broken = ADA + "\ndef ("

    result = compare(ada=ADA, bob=broken, cyd=broken)

    assert found(result) == [("bob", "cyd", 100, True)]
    assert [one.student for one in result.unread] == ["bob", "cyd"]


@pytest.mark.parametrize("source", ["", "x = " + "(" * 500, "x = " + "-" * 100_000 + "1", "x" + ".y" * 50_000])
def test_nothing_that_is_handed_in_stops_the_comparison(source: str) -> None:
    assert found(compare(ada=ADA, bob=HIDDEN, eve=source)) == [("ada", "bob", 100, False)]


def test_a_class_of_400_is_compared_in_seconds() -> None:
    def one(number: int) -> str:
        bodies = (
            f"def part_{step}(x):\n    return x.op_{number * step % 397}({step}, x[{number % 7}] + {number})\n"
            for step in range(40)
        )
        return ADA + "\n".join(bodies)

    started = time.process_time()
    result = near_copies([submission(f"s{number}", one(number)) for number in range(400)], stub=STUB)

    assert time.process_time() - started < 20  # 1 s on an idle core
    assert result.unread == ()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A course in which three submitted by files of their own."""
    world = make_course(tmp_path, level="process", due={"echo": "2030-01-31 23:59"})
    (world.course / "class").mkdir()
    for student, source in (("ada", ADA), ("bob", HIDDEN), ("cyd", ADA), ("dan", OTHER), ("eve", RIGHT)):
        (world.course / "class" / f"{student}.py").write_text(source)
    return world


def run(world: World, *options: str) -> Result:
    return world.instructor("copies", "echo", *options)


def test_the_command_lists_pairs_and_leaves_the_verdict_to_people(world: World) -> None:
    result = run(world, "class")

    assert lines_of(result) == [
        "identical  ada  cyd  (class/ada.py, class/cyd.py)",
        "     100%  ada  bob  (class/ada.py, class/bob.py)",
        "     100%  cyd  bob  (class/cyd.py, class/bob.py)",
        "echo: 5 submissions, 3 pairs; similarity is a reason to look, never a verdict",
    ]
    assert result.stderr == (
        "1 submission has too little code of their own to compare; only identical copies are found\n"
    )


def test_without_a_path_what_was_collected_is_compared(world: World) -> None:
    for student, source in (("ada", ADA), ("bob", HIDDEN)):
        folder = world.course / "submitted" / student / "echo"
        folder.mkdir(parents=True)
        (folder / "echo.py").write_text(source)
        (folder / "timestamp.txt").write_text("2030-01-31 12:00:00.000000 UTC")

    lines = lines_of(run(world))

    assert [line.split()[:3] for line in lines[:-1]] == [["100%", "ada", "bob"]]


def test_less_similar_pairs_are_listed_on_request(world: World) -> None:
    edited = ADA.replace("(centred * centred)", "centred.pow(2)")
    (world.course / "class" / "fay.py").write_text(edited)

    usual, strict = lines_of(run(world, "class")), lines_of(run(world, "class", "--at-least", "1"))

    assert len(usual) == 3 + 3 + 1
    assert strict == [
        *usual[:3],
        "echo: 6 submissions, 3 pairs; similarity is a reason to look, never a verdict",
    ]
