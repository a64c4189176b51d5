"""What commands share: options, the course, consoles, the progress bar, grading."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from autograder.course.loading import Assignment, Course, find_course, load_course
from autograder.errors import CourseError
from autograder.nbgrader.exchange.location import Options

FAILED, UNUSABLE = 1, 2


sandbox_option = click.option(
    "--sandbox",
    type=click.Choice(["auto", "namespaces", "user", "process"]),
    default=None,
    help="The sandbox level; by default the course's for `grade`, the strongest here for `check`.",
)
device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default=None,
    help="The device; by default the course's.",
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="Say no more than the scores, warnings and errors.")


def exchange_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name an exchange, a course and a student, as one argument `options`."""

    @functools.wraps(command)
    def wrapped(*args: Any, exchange: Path | None, course_id: str | None, student: str | None, **named: Any) -> None:
        command(*args, options=Options(exchange, course_id, student), **named)

    for option in (
        click.option("--student", metavar="ID", help="Act as this student; by default your account's name."),
        click.option("--course-id", metavar="ID", help="nbgrader's name of the course, where there is no course.yml."),
        click.option("--exchange", metavar="DIR", type=click.Path(path_type=Path), help="nbgrader's exchange folder."),
    ):
        wrapped = option(wrapped)
    return wrapped


def course_or_none(start: Path | None) -> Course | None:
    """Return the course at a path or around the working folder; None where no path was given and there is none.

    Raises:
        CourseError: If a course.yml is not in order, or there is none at the path that was given.
    """
    if start is not None and start.is_file():
        return load_course(start)
    try:
        path = find_course(start or Path.cwd())
    except CourseError:
        if start is not None or any((folder / "course.yaml").is_file() for folder in _upwards(Path.cwd())):
            raise
        return None
    return load_course(path)


def _upwards(folder: Path) -> tuple[Path, ...]:
    return (folder, *folder.parents)


def instructors_course(ctx: click.Context) -> Course:
    """Return the course that a command was started in.

    Raises:
        CourseError: If there is none, it is not in order, or it is a student's copy.
    """
    course = course_or_none(ctx.obj)
    if course is None:
        return load_course(find_course(Path.cwd()))  # which says that there is none
    if not (course.root / "solutions").is_dir():
        raise CourseError(f"{course.root}: has no solutions/; expected the instructor's copy; change to that")
    return course


def course_of(ctx: click.Context) -> Course:
    """Return the course that a command was started in, a student's copy or the instructor's.

    Raises:
        CourseError: If there is none, or it is not in order.
    """
    start: Path = ctx.obj or Path.cwd()
    if start.is_file():
        return load_course(start.absolute())
    return load_course(find_course(start.absolute()))


def results_console() -> Console:
    """Return the console for results: standard output."""
    return Console(highlight=False, soft_wrap=False)


def progress_console() -> Console:
    """Return the console for progress: standard error."""
    # The stream as it is now: while checks run, what they write to sys.stderr goes elsewhere.
    return Console(file=sys.stderr, highlight=False)


def next_step(words: str) -> None:
    """Say what a user may do next, on standard error."""
    click.echo(f"next: {words}", err=True)


def find_assignment(ctx: click.Context, name: str, only: str | None) -> tuple[Course, Assignment]:
    """Return the course and one of its assignments.

    Raises:
        CourseError: If there is no such course, assignment or check.
    """
    course = course_of(ctx)
    assignment = course.assignment(name)
    if only is not None and only not in assignment.check_names():
        raise CourseError(f"{name}: there is no check {only!r}; expected one of {', '.join(assignment.check_names())}")
    return course, assignment


def stub_of(assignment: Assignment) -> str | None:
    """Return the text of an assignment's stub; None where there is none."""
    return assignment.stub.read_text(encoding="utf-8") if assignment.stub.is_file() else None
