"""The command that grades submissions."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.completion import name_argument
from autograder.cli.html_option import html_option, write_html
from autograder.cli.options import (
    FAILED,
    UNUSABLE,
    device_option,
    find_assignment,
    next_step,
    quiet_option,
    sandbox_option,
    stub_of,
)
from autograder.cli.outputs import Outputs, results_options
from autograder.cli.progress import run_grading
from autograder.cli.results import write_results
from autograder.course.loading import Assignment, Course
from autograder.errors import CourseError, SubmissionError

if TYPE_CHECKING:
    from autograder.grading.job import Job
    from autograder.grading.report_store import Reuse
    from autograder.report.model import Report
    from autograder.submission.reading import Submission


@click.command()
@name_argument
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1), default=1, help="How many submissions are graded at once.")
@click.option("--resume/--no-resume", default=True, help="Take what was graded before; --no-resume measures anew.")
@click.option("--executor", type=click.Choice(["local", "dask"]), default=None, help="Where graders run.")
@click.option("--scheduler", metavar="ADDRESS", help="The scheduler of a Dask cluster, or its scheduler file.")
@sandbox_option
@device_option
@results_options("json", "junit", "gradescope", "classroom50", "ci")
@html_option
@quiet_option
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
    outputs: Outputs,
    html: Path | None,
    quiet: bool,
) -> None:
    """Grade submissions with public and hidden checks.

    A PATH is a module, a notebook, an archive or a folder of one submission, or a folder with one folder or file for
    each student. Without one, everything that was collected for NAME is graded and goes into the gradebook, as with
    `nbgrader autograde NAME`.
    """
    course, assignment = find_assignment(ctx, name, None)
    outputs.require()
    if html is not None:
        from autograder.report.html.folder import prepare

        prepare(html, name)
    from autograder.checks.device import choose_device
    from autograder.grading.job import Job, official_level
    from autograder.grading.quota import admitted
    from autograder.grading.report_store import Reuse, Store, store_url
    from autograder.report.student_view import reaches
    from autograder.report.text import plain
    from autograder.sandbox.levels import best_level, require

    level = official_level(course) if sandbox is None else best_level() if sandbox == "auto" else sandbox
    cluster = _cluster(executor, scheduler)
    if cluster is None:
        require(level)
    job = Job(course.path, name, level, choose_device(course, device))
    reuse = Reuse(store_url(course), resume)
    standings: dict[str, tuple[float, float]] | None = None
    graded: list[Submission] = []

    def run(submissions: list[Submission]) -> list[Report]:
        graded.extend(submissions)
        return run_grading(job, submissions, jobs=jobs, quiet=quiet or outputs.ci, reuse=reuse, scheduler=cluster)

    named = _named(paths, assignment) if paths else []
    outputs.require_one(len(named))
    if paths:
        submissions, refused = admitted(course, Store(reuse.url), named)
        reports = run(submissions)
    else:
        reports, standings, refused = _grade_collected(course, job, reuse, run)
    written = write_results(outputs, reports, course=course, assignment=assignment, submissions=named)
    if html is not None and reports:
        from autograder.report.html.findings import find_out
        from autograder.report.html.folder import Graded

        # One submission is no class: its page goes beside those of the others, whose class page stays.
        alone = len(reports) == 1 and standings is None
        findings = None if alone else find_out(assignment, reports, submissions=graded)
        pages = Graded(reports, graded, standings or {}, findings)
        written = write_html(html, pages, course=course, name=name) and written
    if not outputs.on_stdout:
        _show(outputs, outputs.seen(reports, assignment), standings, alone=not refused, quiet=quiet)
    unfinished = [report for report in reports if not report.complete]
    for report in unfinished:
        end = "no grade is final" if standings is None else "its old score stays; grade again"
        click.echo(f"autograde: {plain(report.student)}: a check ended in an internal grader error; {end}", err=True)
    for words in refused:
        click.echo(f"autograde: {plain(words)}", err=True)
    if unfinished or refused or not written:
        sys.exit(UNUSABLE)
    if standings is not None and not quiet and not outputs.ci:
        next_step(f"`autograde release-feedback {name}` gives it back to the students")
    sys.exit(0 if all(reaches(report, course.pass_mark) for report in reports) else FAILED)


def _show(
    outputs: Outputs,
    reports: list[Report],
    standings: dict[str, tuple[float, float]] | None,
    *,
    alone: bool,
    quiet: bool,
) -> None:
    """Print reports: one alone in full, a class as a table."""
    from autograder.report.terminal import show_class, show_report, show_scores

    if quiet:
        show_scores(outputs.console(), reports)
    elif len(reports) == 1 and standings is None and alone:
        show_report(outputs.console(), reports[0])
    elif reports:
        show_class(outputs.console(), reports, standings)


def _named(paths: tuple[Path, ...], assignment: Assignment) -> list[Submission]:
    from autograder.submission.reading import read_submissions

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


def _grade_collected(
    course: Course, job: Job, reuse: Reuse, run: Callable[[list[Submission]], list[Report]]
) -> tuple[list[Report], dict[str, tuple[float, float]], list[str]]:
    """Grade what was collected and write the gradebook.

    Returns:
        The reports, each student's standing in the gradebook, and what is to be said about those who may not be graded
        today; their old scores stay.
    """
    from autograder.grading.quota import admitted
    from autograder.grading.report_store import Store
    from autograder.nbgrader.gradebook.writing import read_class, require_generated, write_grades
    from autograder.report.text import plain

    submissions, warnings = read_class(course, job.assignment)
    require_generated(course, job.assignment)
    submissions, refused = admitted(course, Store(reuse.url), submissions)
    reports = run(submissions)
    written = write_grades(course, job, list(zip(submissions, reports, strict=True)))
    for warning in (*warnings, *written.warnings):
        click.echo(f"warning: {plain(warning)}", err=True)
    new, same = len(written.written), len(written.current)
    click.echo(f"{job.assignment}: {new} written to the gradebook, {same} there already", err=True)
    return reports, {student: (entry.late, entry.final) for student, entry in written.standings.items()}, refused
