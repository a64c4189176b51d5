"""Write reports wherever they are wanted; what cannot be written loses none of the others."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.outputs import STDOUT, Outputs
from autograder.course.loading import Assignment, Course
from autograder.errors import AutograderError, CourseError

if TYPE_CHECKING:
    from autograder.report.formats.github import Origin
    from autograder.report.model import Report
    from autograder.submission.reading import Submission

_SUMMARY, _WORKSPACE, _ACTIONS = "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", "GITHUB_ACTIONS"


def write_results(
    outputs: Outputs,
    reports: Sequence[Report],
    *,
    course: Course,
    assignment: Assignment,
    submissions: Sequence[Submission] = (),
) -> bool:
    """Write reports wherever they go, and say what could not be written.

    Args:
        outputs: Where they go.
        reports: The reports.
        course: The course, for its pass mark.
        assignment: Their assignment, for how much students read of its hidden checks.
        submissions: What was graded, where it lies in files that annotations may point to.

    Returns:
        Whether all was written.
    """
    from autograder.report.text import plain

    problems: list[str] = []

    def attempt(write: Callable[[], None]) -> None:
        try:
            write()
        except AutograderError as error:
            problems.append(str(error))

    with contextlib.ExitStack() as everything:  # goes on with the others when one raises
        for write in reversed(list(_writers(outputs, reports, assignment.hidden_feedback, course.pass_mark))):
            everything.callback(attempt, write)
    if outputs.ci and os.environ.get(_ACTIONS) == "true":
        from autograder.report.formats.github import annotate

        for command in annotate(reports, feedback=assignment.hidden_feedback, origins=_origins(submissions)):
            click.echo(command, err=outputs.on_stdout)
    for problem in problems:
        click.echo(f"autograde: {plain(problem)}", err=True)
    return not problems


def _writers(
    outputs: Outputs, reports: Sequence[Report], feedback: str, pass_mark: float
) -> Iterator[Callable[[], None]]:
    """Yield what writes each format."""
    from autograder.report.formats.classroom50 import classroom50
    from autograder.report.formats.github import summary
    from autograder.report.formats.gradescope import gradescope
    from autograder.report.formats.junit import junit
    from autograder.report.model import to_json

    if outputs.json is not None:
        yield functools.partial(_write, outputs.json, lambda: to_json(reports))
    if outputs.junit is not None:
        yield functools.partial(_write, outputs.junit, lambda: junit(reports, feedback=feedback))
    if outputs.gradescope is not None:
        results = functools.partial(gradescope, feedback=feedback)
        yield functools.partial(_write_grade, outputs.gradescope, reports, results)
    if outputs.classroom50 is not None:
        result = functools.partial(classroom50, feedback=feedback, environment=os.environ, now=datetime.now(UTC))
        yield functools.partial(_write_grade, outputs.classroom50, reports, result)
    if outputs.ci and (path := os.environ.get(_SUMMARY)):
        text = functools.partial(summary, reports, feedback=feedback, pass_mark=pass_mark)
        yield functools.partial(_append, Path(path), text)


def _write(path: Path, text: Callable[[], str]) -> None:
    from autograder.files import write_atomically

    if path == STDOUT:
        click.echo(_without_commands(text()), nl=False)
    else:
        write_atomically(path, text())


def _write_grade(path: Path, reports: Sequence[Report], text: Callable[[Report], str]) -> None:
    """Write a file that somebody takes a grade from; where no grade is final, it stays as it is."""
    if not reports or not reports[0].complete:
        why = "a check ended in an internal grader error" if reports else "nothing was graded"
        raise CourseError(f"{path}: not written, for {why}; expected a grade that is final; grade again")
    _write(path, lambda: text(reports[0]))


def _append(path: Path, text: Callable[..., str]) -> None:
    """Append to the summary of a step, which others may have written to."""
    from autograder.report.formats.github import SUMMARY_BYTES

    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text(room=SUMMARY_BYTES - os.fstat(file.fileno()).st_size))
    except OSError as error:
        found = f"{_SUMMARY} is {path}: {error.strerror}"
        raise CourseError(f"{found}; expected a file that can be written; look at the runner") from error


def _without_commands(text: str) -> str:
    """Return the same JSON with escapes in `::` and `##`, by which commands in the log of a CI service begin."""
    return text.replace("::", ":\\u003a").replace("##", "#\\u0023")


def _origins(submissions: Sequence[Submission]) -> Mapping[str, Origin]:
    """Return the file that each submission lies in, relative to GitHub's workspace where that holds it."""
    from autograder.report.formats.github import Origin

    found = {}
    workspace = os.path.realpath(os.environ.get(_WORKSPACE) or os.curdir)
    for submission in submissions:
        path = Path(submission.path)
        file = next((part for part in (path, *path.parents) if os.path.isfile(part)), None)
        if file is None:
            continue
        place = Path(os.path.realpath(file))
        shown = place.relative_to(workspace) if place.is_relative_to(workspace) else file
        if shown.as_posix().isprintable():
            found[submission.student] = Origin(shown.as_posix(), file == path and file.suffix.lower() == ".py")
    return found
