"""Regrading shows who would gain or lose before it writes anything, and what it showed is what it writes."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from exchange_world import World, lines_of
from graded_world import BROKEN, HALF, TRIPLE, change_checks, change_grade, grades, hand_in
from graded_world import gradebook as open_book
from harness import CHECKS, RIGHT

from autograder.course.loading import load_course
from autograder.nbgrader.gradebook.writing import standings

# nbgrader opens a file of each student's and leaves closing it to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*timestamp.txt:ResourceWarning")

LOST = "failed: twice() is 4 at [0]; expected 6 within 1.8e-05; 4 of 4 elements are off"
DIFF = [
    "cyd: 3 -> 2 (-1)",
    f"  twice: 1 -> 0 of 1: {LOST}",
    "ada: 2.4 -> 1.6 (-0.8)",
    f"  twice: 1 -> 0 of 1: {LOST}",
    "  late: -0.6 -> -0.4",
    "bob: 2 -> 3 (+1)",
    "  twice: 0 -> 1 of 1: passed",
    "echo: 1 would gain, 2 would lose, 0 unchanged, 0 not graded before",
]
FULL, PART = {"echo": 2.0, "twice": 1.0}, {"echo": 2.0, "twice": 0.0}
BEFORE = {"ada": FULL, "bob": PART, "cyd": FULL}
AFTER = {"ada": PART, "bob": FULL, "cyd": PART}
DECLINED = "echo: nothing is written; `autograde regrade echo --yes` writes it"


def finals(world: World) -> dict[str, float]:
    """Return the points that count."""
    book = standings(load_course(world.course / "course.yml"), "echo")
    return {student: round(standing.final, 9) for student, standing in book.items()}


def test_a_changed_check_shows_who_would_gain_or_lose_and_writes_nothing(world: World) -> None:
    change_checks(world, TRIPLE)
    book = (world.course / "gradebook.db").read_bytes()
    folders = {path: path.stat().st_mtime_ns for path in (world.course / "autograded").rglob("*")}

    result = world.instructor("regrade", "echo")

    assert lines_of(result) == DIFF
    assert result.stderr.splitlines()[-1] == DECLINED
    assert (world.course / "gradebook.db").read_bytes() == book
    assert {path: path.stat().st_mtime_ns for path in (world.course / "autograded").rglob("*")} == folders


def test_with_yes_what_was_shown_is_written_and_then_nothing_changes(world: World) -> None:
    change_checks(world, TRIPLE)

    first = world.instructor("regrade", "echo", "--yes")
    again = world.instructor("regrade", "echo", "--yes")

    assert lines_of(first) == DIFF
    assert first.stderr.splitlines()[-1] == "echo: 3 written to the gradebook, 0 there already"
    assert grades(world) == AFTER
    assert finals(world) == {"ada": 1.6, "bob": 3.0, "cyd": 2.0}
    assert lines_of(again) == ["echo: 0 would gain, 0 would lose, 3 unchanged, 0 not graded before"]
    assert again.stderr.splitlines()[-1] == "echo: 0 written to the gradebook, 3 there already"


@pytest.mark.parametrize(("answer", "expected"), [("y", AFTER), ("n", BEFORE)])
def test_on_a_terminal_the_question_decides(world: World, answer: str, expected: object) -> None:
    change_checks(world, TRIPLE)
    master, slave = pty.openpty()
    os.write(master, f"{answer}\n".encode())

    done = subprocess.run(
        [sys.executable, "-m", "autograder.cli.main", "regrade", "echo"],
        cwd=world.course,
        env=os.environ | world.environment(),
        stdin=slave,
        capture_output=True,
        text=True,
        timeout=200,
    )
    os.close(master)
    os.close(slave)

    assert done.returncode == 0, done.stderr
    assert "Write these grades into the gradebook? [y/N]: " in done.stderr
    assert grades(world) == expected


def test_reports_under_the_new_digest_are_used_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = "    if __import__('os').environ.get('ECHO_BROKEN'):\n        raise RuntimeError\n    assert_close"
    change_checks(world, TRIPLE.replace("    assert_close", fault))
    shown = lines_of(world.instructor("regrade", "echo"))
    monkeypatch.setenv("ECHO_BROKEN", "1")

    again = world.instructor("regrade", "echo", "--yes")

    assert lines_of(again) == shown
    assert grades(world) == AFTER


def test_a_fault_of_ours_is_no_loss_and_keeps_the_old_grade(world: World) -> None:
    change_checks(world, BROKEN)

    result = world.instructor("regrade", "echo", "--yes")

    assert lines_of(result, 2) == ["echo: 0 would gain, 0 would lose, 3 unchanged, 0 not graded before"]
    assert result.stderr.splitlines()[-3:] == [
        f"autograde: {student}: a check ended in an internal grader error; its old score stays; grade again"
        for student in ("ada", "bob", "cyd")
    ]
    assert grades(world) == BEFORE
    assert finals(world) == {"ada": 2.4, "bob": 2.0, "cyd": 3.0}


def test_what_a_human_grader_entered_stays_and_counts(world: World) -> None:
    change_grade(world, "bob", "twice", manual_score=0.5, extra_credit=0.25)
    with open_book(world) as book:
        name = book.find_submission_notebook("echo", "echo", "bob").comments[0].name
        book.find_comment(name, "echo", "echo", "bob").manual_comment = "nearly"
        book.db.commit()
    change_checks(world, TRIPLE)

    result = world.instructor("regrade", "echo", "--yes")

    assert lines_of(result)[-3:] == [
        "bob: 2.75 -> 2.75 (no change)",
        "  twice: 0 -> 1 of 1: passed; a human grader's 0.5 counts",
        "echo: 0 would gain, 2 would lose, 1 unchanged, 0 not graded before",
    ]
    assert finals(world)["bob"] == 2.75
    with open_book(world) as book:
        kept = book.find_grade("twice", "echo", "echo", "bob")
        assert (kept.auto_score, kept.manual_score, kept.extra_credit) == (1.0, 0.5, 0.25)
        assert book.find_comment(name, "echo", "echo", "bob").comment == "nearly"


def test_who_was_not_graded_before_neither_gains_nor_loses(world: World) -> None:
    hand_in(world, "dan", HALF)

    result = world.instructor("regrade", "echo")

    assert lines_of(result) == [
        "dan: not graded before -> 2",
        "echo: 0 would gain, 0 would lose, 3 unchanged, 1 not graded before",
    ]


def test_another_submission_than_the_one_before_is_said(world: World) -> None:
    hand_in(world, "bob", RIGHT, when="2030-01-31 13:00:00.000000 UTC")

    result = world.instructor("regrade", "echo")

    assert lines_of(result) == [
        "bob: 2 -> 3 (+1)",
        "  another submission than the one that was graded before",
        "  twice: 0 -> 1 of 1: passed",
        "echo: 1 would gain, 0 would lose, 2 unchanged, 0 not graded before",
    ]


def test_who_is_in_the_gradebook_and_not_collected_any_more_keeps_the_grade(world: World) -> None:
    (world.course / "submitted" / "cyd").rename(world.root / "elsewhere")

    result = world.instructor("regrade", "echo", "--yes")

    assert result.stderr.splitlines()[-2] == (
        "warning: cyd: is in the gradebook and nothing is collected; the grade stays"
    )
    assert grades(world) == BEFORE


def test_a_check_that_is_gone_leaves_its_points_to_a_human_grader(world: World) -> None:
    change_checks(world, CHECKS.partition("@points(1)")[0])

    result = world.instructor("regrade", "echo", "--yes")

    words = "1 -> no score of 1: no check of this name is left; a human grader has to give a score"
    assert [line for line in result.stdout.splitlines() if line.startswith("  twice: 1")] == [f"  twice: {words}"] * 2
    assert grades(world)["cyd"] == {"echo": 2.0, "twice": None}


def test_a_check_that_is_worth_something_else_now_is_named(world: World) -> None:
    change_checks(world, CHECKS.replace("@points(2)", "@points(5)"))

    result = world.instructor("regrade", "echo", "--yes")

    assert (
        "warning: the check echo is worth 5, and 2 in the gradebook; release the assignment again"
        in result.stderr.splitlines()
    )
    assert grades(world) == BEFORE


def test_an_unknown_assignment_and_a_students_copy_are_refused(world: World) -> None:
    unknown = world.instructor("regrade", "eco")
    (world.course / "solutions").rmdir()
    copy = world.instructor("regrade", "echo")

    assert (unknown.exit_code, unknown.stderr) == (
        2,
        "autograde: there is no assignment 'eco'; did you mean 'echo'?\n",
    )
    assert (copy.exit_code, copy.stdout) == (2, "")
    assert "expected the instructor's copy" in copy.stderr
