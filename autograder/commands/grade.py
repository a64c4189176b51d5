"""The command that grades submissions."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.commands.progress import run_grading
from autograder.commands.shared import (
    FAILED,
    UNUSABLE,
    device_option,
    find_assignment,
    json_option,
    results_console,
    sandbox_option,
    stub_of,
    write_json,
)
from autograder.course import Assignment, Course
from autograder.errors import CourseError, SubmissionError

if TYPE_CHECKING:
    from autograder.job import Job
    from autograder.report import Report
    from autograder.store import Reuse
    from autograder.submission import Submission


@click.command()
@click.argument("name")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1), default=1, help="How many submissions are graded at once.")
@click.option("--resume/--no-resume", default=True, help="Take what was graded before; --no-resume measures anew.")
@click.option("--executor", type=click.Choice(["local", "dask"]), default=None, help="Where graders run.")
@click.option("--scheduler", metavar="ADDRESS", help="The scheduler of a Dask cluster, or its scheduler file.")
@sandbox_option
@device_option
@json_option
@click.pass_context
def grade(
    ctx: click.Context,
    name: str,
    paths: tuple[Path, ...],
    jobs: int,
    resume: bool,
    executor: str | None,
    scheduler: str | None,
    sandbox: str | None,
    device: str | None,
    json_path: Path | None,
) -> None:
    """Grade submissions with public and hidden checks.

    A PATH is a module, a notebook, an archive or a folder of one submission, or a folder with one folder or file for
    each student. Without one, everything that was collected for NAME is graded and goes into the gradebook, as with
    `nbgrader autograde NAME`.
    """
    course, assignment = find_assignment(ctx, name, None)
    from autograder.job import Job, choose_device, official_level
    from autograder.sandbox.levels import best_level, require
    from autograder.store import Reuse, store_url

    level = official_level(course) if sandbox is None else best_level() if sandbox == "auto" else sandbox
    cluster = _cluster(executor, scheduler)
    if cluster is None:
        require(level)
    job = Job(course.path, name, level, choose_device(course, device))
    reuse = Reuse(store_url(course), resume)
    standings: dict[str, tuple[float, float]] | None = None
    run = functools.partial(run_grading, job, jobs=jobs, quiet=False, reuse=reuse, scheduler=cluster)
    if paths:
        submissions, refused = _admitted(course, reuse, _named(paths, assignment))
        reports = run(submissions)
    else:
        reports, standings, refused = _grade_collected(course, job, reuse, run)
    if json_path is not None:
        write_json(json_path, reports)
    if json_path != Path("-"):
        from autograder.render import show_class, show_report

        if len(reports) == 1 and standings is None and not refused:
            show_report(results_console(), reports[0])
        elif reports:
            show_class(results_console(), reports, standings)
    unfinished = [report for report in reports if not report.complete]
    for report in unfinished:
        end = "no grade is final" if standings is None else "its old score stays; grade again"
        click.echo(f"autograde: {report.student}: a check failed by our fault (grader_error); {end}", err=True)
    for words in refused:
        click.echo(f"autograde: {words}", err=True)
    if unfinished or refused:
        sys.exit(UNUSABLE)
    passed = all(report.score >= course.pass_mark * report.max_score for report in reports)
    sys.exit(0 if passed else FAILED)


def _named(paths: tuple[Path, ...], assignment: Assignment) -> list[Submission]:
    from autograder.submission import read_submissions

    for path in paths:
        if not path.exists():
            raise SubmissionError(f"{path}: there is no such file or folder; expected a submission or a folder of them")
    return read_submissions(list(paths), name=assignment.name, stub=stub_of(assignment))


def _cluster(executor: str | None, scheduler: str | None) -> str | None:
    """Return the scheduler of the cluster to grade on; None for this machine."""
    if executor == "dask" and scheduler is None:
        raise CourseError("--executor dask: no --scheduler; expected its address, such as tcp://10.0.0.1:8786; name it")
    if executor == "local" and scheduler is not None:
        raise CourseError("--executor local: --scheduler is named, too; expected one of the two; leave one out")
    return scheduler


def _admitted(course: Course, reuse: Reuse, submissions: list[Submission]) -> tuple[list[Submission], list[str]]:
    """Return the submissions that may be graded today, and what is to be said about the others."""
    from autograder.quota import admit
    from autograder.store import Store

    store, admitted, refused = Store(reuse.url), [], []
    for submission in submissions:
        try:
            admit(course, store, submission)
            admitted.append(submission)
        except SubmissionError as error:
            refused.append(str(error))
    return admitted, refused


def _grade_collected(
    course: Course, job: Job, reuse: Reuse, run: Callable[[list[Submission]], list[Report]]
) -> tuple[list[Report], dict[str, tuple[float, float]], list[str]]:
    """Grade what was collected and write the gradebook.

    Returns:
        The reports, each student's standing in the gradebook, and what is to be said about those who may not be graded
        today; their old scores stay.
    """
    from autograder.nbgrader.gradebook import read_class, require_generated, write_grades

    submissions, warnings = read_class(course, job.assignment)
    require_generated(course, job.assignment)
    submissions, refused = _admitted(course, reuse, submissions)
    reports = run(submissions)
    written = write_grades(course, job, list(zip(submissions, reports, strict=True)))
    for warning in (*warnings, *written.warnings):
        click.echo(f"warning: {warning}", err=True)
    new, same = len(written.written), len(written.current)
    click.echo(f"{job.assignment}: {new} written to the gradebook, {same} there already", err=True)
    return reports, {student: (entry.late, entry.final) for student, entry in written.standings.items()}, refused
