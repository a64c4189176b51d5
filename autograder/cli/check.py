"""The command for students' own checks."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.text import Text

from autograder.cli.completion import check_names, name_argument
from autograder.cli.options import (
    FAILED,
    UNUSABLE,
    device_option,
    find_assignment,
    next_step,
    quiet_option,
    results_console,
    sandbox_option,
)
from autograder.cli.outputs import Outputs, results_options
from autograder.cli.progress import progress_bar
from autograder.cli.results import write_results
from autograder.course.loading import Assignment
from autograder.errors import AutograderError, SubmissionError

if TYPE_CHECKING:
    from autograder.report.model import Report
    from autograder.submission.reading import Submission


@click.command()
@name_argument
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--only", metavar="CHECK", shell_complete=check_names, help="Run a single check.")
@click.option("--watch", is_flag=True, help="Run again whenever the submission is saved, until Ctrl-C.")
@click.option("--pictures/--no-pictures", default=True, help="Draw what is better looked at than read.")
@sandbox_option
@device_option
@results_options("json", "junit", "ci")
@quiet_option
@click.pass_context
def check(
    ctx: click.Context,
    name: str,
    path: Path | None,
    only: str | None,
    watch: bool,
    pictures: bool,
    sandbox: str | None,
    device: str | None,
    outputs: Outputs,
    quiet: bool,
) -> None:
    """Run the public checks over your own submission.

    PATH is a module, a notebook, an archive or a folder; by default your copy under assignments/NAME. Exits 0 if the
    score reaches the course's pass mark, else 1, or 2 where a check ended in an internal grader error.
    """
    course, assignment = find_assignment(ctx, name, only)
    outputs.require()
    from autograder.checks.device import choose_device
    from autograder.grading.grader import LastingGrader
    from autograder.grading.job import Job
    from autograder.report.model import told
    from autograder.report.student_view import reaches
    from autograder.sandbox.levels import best_level

    level = best_level() if sandbox in (None, "auto") else str(sandbox)
    drawn = course.root / ".autograde" / "pictures" / name if pictures else None
    device = choose_device(course, device)
    job = Job(course.path, name, level, device, hidden=False, select=(only,) if only else None, pictures=drawn)
    grader = LastingGrader()
    written: list[bool] = []

    def look() -> Report:
        submission, before = _read(assignment, path), _pictures(drawn)
        silent = quiet or outputs.ci or outputs.on_stdout
        with progress_bar(name, None, quiet=silent, lines=watch) as step:
            report = grader.grade(job, submission, progress=lambda news: step(told(news)))
        report = _without_flag(report, "graded at sandbox level")
        written.append(write_results(outputs, [report], course=course, assignment=assignment, submissions=[submission]))
        if not outputs.on_stdout:
            (report,) = outputs.seen([report], assignment)
            _show(outputs.console(), report, sorted(set(_pictures(drawn)) - set(before)), quiet=quiet)
        return report

    try:
        if watch:
            _read(assignment, path)  # what cannot be read at all is not waited for
            report = _keep_looking(look, [path or assignment.folder, assignment.folder])
        else:
            report = look()
    finally:
        grader.close()
    if not report.complete or not written[-1]:
        sys.exit(UNUSABLE)
    passed = reaches(report, course.pass_mark)
    if passed and not quiet and not outputs.ci and not outputs.on_stdout:
        next_step(f"`autograde submit {name}` hands it in")
    sys.exit(0 if passed else FAILED)


def _read(assignment: Assignment, path: Path | None) -> Submission:
    from autograder.submission.reading import other_stub, read_submission

    place = path or assignment.folder
    submission = read_submission(place, name=assignment.name, stub=other_stub(assignment, path))
    if any("differ from the stub" in flag for flag in submission.flags):
        raise SubmissionError(f"{place}: {submission.flags[0]}; name the one that counts")
    return submission


def _show(console: Console, report: Report, pictures: list[tuple[Path, int]], *, quiet: bool) -> None:
    from autograder.report.terminal import show_report, show_scores

    if quiet:
        show_scores(console, [report])
        return
    show_report(console, report)
    for path, _ in pictures:
        console.print(Text(f"picture: {path}", style="dim"))


def _keep_looking(look: Callable[[], Report], places: list[Path]) -> Report:
    """Look now and after every save, until Ctrl-C; return the last report.

    Raises:
        AutograderError: If there was nothing to report up to the end.
    """
    from autograder.files import saves

    report: Report | None = None
    problem: BaseException = KeyboardInterrupt()
    console = results_console()
    with contextlib.closing(saves(places)) as changes, contextlib.suppress(KeyboardInterrupt):
        for _ in changes:
            if console.is_terminal:
                console.clear()
            console.print(Text(f"{datetime.now():%H:%M:%S}", style="dim"))
            try:
                report = look()
            except AutograderError as error:  # half a file, or a check file that is being written
                report, problem = None, error
                click.echo(f"autograde: {error}", err=True)
            click.echo("waiting for the next save; Ctrl-C ends", err=True)
    if report is None:
        raise problem
    return report


def _pictures(folder: Path | None) -> list[tuple[Path, int]]:
    """Return the pictures in a folder, each with the time when it was drawn."""
    if folder is None or not folder.is_dir():
        return []
    return [(path, path.stat().st_mtime_ns) for path in folder.glob("*.png")]


def _without_flag(report: Report, start: str) -> Report:
    from dataclasses import replace

    return replace(report, flags=tuple(flag for flag in report.flags if not flag.startswith(start)))
