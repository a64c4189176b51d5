"""A made-up class that handed `echo` in and was graded, for tests of what happens to its grades later."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exchange_world import World, lines_of, make_course
from harness import CHECKS, RIGHT
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning

from autograder.sandbox.levels import best_level

HALF = "def echo(x):\n    return x.clone()\n\ndef twice(x):\n    return 3 * x\n"
IN_TIME = "2030-01-31 12:00:00.000000 UTC"
LATE = "2030-02-03 06:00:00.000000 UTC"  # two days count beyond the one of grace: a fifth is lost
BROKEN = CHECKS.replace("    assert_close(student.twice", "    raise RuntimeError\n    assert_close(student.twice")
"""Checks, of which one fails by the instructor's fault."""
TRIPLE = (
    CHECKS.partition("@points(1)")[0]
    + '''@points(1)
def check_twice(student: Student) -> None:
    """Twice returns three times what it got."""
    x = torch.full((4,), 2.0)
    assert_close(student.twice(x), 3 * x)
'''
)
"""Checks that take the wrong answer for right and the right one for wrong."""


def make_graded(root: Path) -> World:
    """Grade ada (right, late), bob (half right) and cyd (right)."""
    world = make_course(root, level=best_level(), due={"echo": "2030-01-31 23:59"})
    lines_of(world.instructor("build"))
    lines_of(world.instructor("release", "echo"))
    for student, source, when in (("ada", RIGHT, LATE), ("bob", HALF, IN_TIME), ("cyd", RIGHT + "\n", IN_TIME)):
        hand_in(world, student, source, when=when)
    lines_of(world.instructor("grade", "echo"))
    return world


def copy_of(world: World, root: Path) -> World:
    """Return a copy that a test may change; a new gradebook takes nbgrader seconds."""
    shutil.copytree(world.root, root)
    return World(root)


def hand_in(world: World, student: str, source: str, *, when: str = IN_TIME) -> None:
    """Put a module where nbgrader collects to, in place of an earlier one."""
    folder = world.course / "submitted" / student / "echo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "echo.py").write_text(source)
    (folder / "timestamp.txt").write_text(when)


def change_checks(world: World, checks: str) -> None:
    (world.course / "assignments" / "echo" / "check_echo.py").write_text(checks.lstrip("\n"))


@contextmanager
def gradebook(world: World) -> Iterator[Any]:
    """Open the course's gradebook as nbgrader does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        with Gradebook(f"sqlite:///{world.course / 'gradebook.db'}", "made_up") as book:
            yield book


def grades(world: World) -> dict[str, dict[str, float | None]]:
    """Return what the checks gave each student, as the gradebook has it."""
    with gradebook(world) as book:
        return {
            entry.student.id: {grade.name: grade.auto_score for grade in entry.notebooks[0].grades}
            for entry in book.assignment_submissions("echo")
        }


def change_grade(world: World, student: str, check: str, **values: float) -> None:
    """Change a grade behind everybody's back, or as a human grader does."""
    with gradebook(world) as book:
        grade = book.find_grade(check, "echo", "echo", student)
        for name, value in values.items():
            setattr(grade, name, value)
        book.db.commit()
