"""The command line: parses, calls one function, prints."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder import __version__
from autograder.course import Assignment, Course, find_course, load_course
from autograder.errors import AutograderError, CourseError, ExchangeError, SubmissionError
from autograder.nbgrader.commands import COMMANDS, course_or_none, exchange_options
from autograder.nbgrader.place import Options, has_exchange
from autograder.nbgrader.review_commands import COMMANDS as REVIEW_COMMANDS
from autograder.timing_commands import COMMANDS as TIMING_COMMANDS

if TYPE_CHECKING:
    from autograder.job import Job
    from autograder.report import CheckResult, Report
    from autograder.store import Reuse
    from autograder.submission import Submission

FAILED, UNUSABLE = 1, 2


class Stopped(KeyboardInterrupt):
    """Somebody stopped the command; says what is done and how to go on."""


class Commands(click.Group):
    """Print an ``AutograderError`` as one line and exit 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except AutograderError as error:
            click.echo(f"autograde: {error}", err=True)
            sys.exit(UNUSABLE)
        except KeyboardInterrupt as stop:
            click.echo(
                f"autograde: stopped; {stop if isinstance(stop, Stopped) else 'nothing is half written'}", err=True
            )
            sys.exit(130)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--course", metavar="PATH", type=click.Path(path_type=Path), help="The course.yml to use, or its folder.")
@click.version_option(__version__, prog_name="autograde")
@click.pass_context
def main(ctx: click.Context, course: Path | None) -> None:
    """Check, grade and validate exercises of a PyTorch course.

    Students use `autograde list`, `fetch`, `check`, `submit` and `feedback`; instructors `release`, `collect`, `grade`,
    `release-feedback` and `export`.
    """
    ctx.obj = course


for _command in (*COMMANDS, *REVIEW_COMMANDS, *TIMING_COMMANDS):
    main.add_command(_command)


def _course(ctx: click.Context) -> Course:
    start: Path = ctx.obj or Path.cwd()
    if start.is_file():
        return load_course(start.absolute())
    return load_course(find_course(start.absolute()))


def _out() -> Console:
    return Console(highlight=False, soft_wrap=False)


def _err() -> Console:
    # The stream as it is now: while checks run, what they write to sys.stderr goes elsewhere.
    return Console(file=sys.stderr, highlight=False)


@main.command("list")
@click.argument("name", required=False)
@click.pass_context
@exchange_options
def list_(ctx: click.Context, name: str | None, options: Options) -> None:
    """List the assignments of the course in order, and where each stands in the exchange.

    With NAME, print the receipts of your submissions of that assignment.
    """
    course = course_or_none(ctx.obj)
    if course is None and not has_exchange(None, options):
        course = _course(ctx)  # which says that there is none
    if name is not None:
        _print_receipts(course, name, options)
        return
    stands, problem = None, ""
    if has_exchange(course, options):
        from autograder.nbgrader.listing import listing

        try:
            stands = listing(course, options)
        except ExchangeError as error:
            if course is None:
                raise
            problem = str(error)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "title", "due", "checks", *(stands.columns if stands else ())):
        table.add_column(column)
    for assignment in course.assignments if course is not None else ():
        due = assignment.due.strftime("%Y-%m-%d %H:%M %Z") if assignment.due else "-"
        checks = str(len(assignment.check_names())) if assignment.fetched else "not fetched"
        row = stands.rows[assignment.name] if stands else ()
        table.add_row(assignment.name, assignment.title, due, checks, *row)
    if stands:
        for other in stands.others:
            table.add_row(other, "-", "-", "-", *stands.rows[other])
    if course is not None:
        _out().print(Text(course.title, style="bold"))
    _out().print(table)
    if problem:
        click.echo(f"autograde: {problem}", err=True)


def _print_receipts(course: Course | None, name: str, options: Options) -> None:
    from autograder.nbgrader.handing_in import show_receipt
    from autograder.nbgrader.listing import receipts

    if course is not None and name not in [item.name for item in course.assignments]:
        course.assignment(name)  # which says what may have been meant
    found = receipts(course, name, options)
    for receipt in found:
        show_receipt(receipt)
    if not found:
        click.echo(f"{name}: no submission from this account", err=True)


_sandbox = click.option(
    "--sandbox",
    type=click.Choice(["auto", "namespaces", "user", "process"]),
    default=None,
    help="The sandbox level; by default the course's for `grade`, the strongest here for `check`.",
)
_device = click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default=None, help="The device to run on."
)
_json = click.option(
    "--json",
    "json_path",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the report as JSON; - is stdout.",
)


@main.command()
@click.argument("name")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--only", metavar="CHECK", help="Run a single check.")
@click.option("--pictures/--no-pictures", default=True, help="Draw what is better looked at than read.")
@_sandbox
@_device
@_json
@click.pass_context
def check(
    ctx: click.Context,
    name: str,
    path: Path | None,
    only: str | None,
    pictures: bool,
    sandbox: str | None,
    device: str | None,
    json_path: Path | None,
) -> None:
    """Run the public checks over your own submission.

    PATH is a module, a notebook, an archive or a folder; by default your copy under assignments/NAME.
    """
    course, assignment = _find(ctx, name, only)
    from autograder.job import Job, choose_device
    from autograder.sandbox.levels import best_level, require
    from autograder.submission import other_stub, read_submission

    level = best_level() if sandbox in (None, "auto") else str(sandbox)
    require(level)
    submission = read_submission(path or assignment.folder, name=name, stub=other_stub(assignment, path))
    if any("differ from the stub" in flag for flag in submission.flags):
        raise SubmissionError(f"{path or assignment.folder}: {submission.flags[0]}; name the one that counts")
    drawn = course.root / ".autograde" / "pictures" / name if pictures else None
    device = choose_device(course, device)
    job = Job(course.path, name, level, device, hidden=False, select=(only,) if only else None, pictures=drawn)
    before = _pictures(drawn)
    (report,) = _grade(job, [submission], jobs=1, quiet=json_path == Path("-"))
    report = _without_flag(report, "graded at sandbox level")
    if json_path is not None:
        _write_json(json_path, [report])
    if json_path != Path("-"):
        from autograder.render import show_report

        show_report(_out(), report)
        for picture in sorted(set(_pictures(drawn)) - set(before)):
            _out().print(Text(f"picture: {picture[0]}", style="dim"))
    sys.exit(0 if report.score >= course.pass_mark * report.max_score else FAILED)


@main.command()
@click.argument("name")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--jobs", type=click.IntRange(1), default=1, help="How many submissions are graded at once.")
@click.option("--resume/--no-resume", default=True, help="Take what was graded before; --no-resume measures anew.")
@click.option("--executor", type=click.Choice(["local", "dask"]), default=None, help="Where graders run.")
@click.option("--scheduler", metavar="ADDRESS", help="The scheduler of a Dask cluster, or its scheduler file.")
@_sandbox
@_device
@_json
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
    course, assignment = _find(ctx, name, None)
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
    run = functools.partial(_grade, job, jobs=jobs, quiet=False, reuse=reuse, scheduler=cluster)
    if paths:
        submissions, refused = _admitted(course, reuse, _named(paths, assignment))
        reports = run(submissions)
    else:
        reports, standings, refused = _grade_collected(course, job, reuse, run)
    if json_path is not None:
        _write_json(json_path, reports)
    if json_path != Path("-"):
        from autograder.render import show_class, show_report

        if len(reports) == 1 and standings is None and not refused:
            show_report(_out(), reports[0])
        elif reports:
            show_class(_out(), reports, standings)
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
    return read_submissions(list(paths), name=assignment.name, stub=_stub(assignment))


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


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--jobs", type=click.IntRange(1), default=1, help="How many submissions are graded at once.")
@click.option("--only", metavar="FILE", multiple=True, help="Grade only these kept submissions, by stem.")
@click.option("--kind", multiple=True, type=click.Choice(["stub", "reference", "right", "wrong", "attack"]))
@click.option(
    "--quick",
    is_flag=True,
    help="Grade representatives only: wrong solutions that together lose every check, a few others.",
)
@_sandbox
@click.pass_context
def validate(
    ctx: click.Context,
    names: tuple[str, ...],
    jobs: int,
    only: tuple[str, ...],
    kind: tuple[str, ...],
    quick: bool,
    sandbox: str | None,
) -> None:
    """Grade the grader: stub, reference, right variants, wrong solutions and attacks."""
    course = _course(ctx)
    chosen = [course.assignment(name) for name in names] or list(course.assignments)
    from autograder.sandbox.levels import best_level, require
    from autograder.validate import KINDS, Expectation, expectations, representatives, uncovered
    from autograder.validate import validate as run

    level = course.sandbox if sandbox is None else best_level() if sandbox == "auto" else sandbox
    require(level)

    def keep(item: Expectation) -> bool:
        return (not only or item.name in only) and (not kind or item.kind in kind)

    bad = 0
    out = _out()
    for assignment in chosen:
        table = Table(title=assignment.name, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for column in ("kind", "submission", "score", "seconds", "lost", "verdict"):
            table.add_column(column, overflow="fold", justify="right" if column in ("score", "seconds") else "left")
        found = expectations(assignment)
        total = sum(keep(item) for item in (representatives(found) if quick else found))
        rows = []
        with _progress(assignment.name, total, quiet=False) as step:
            for item, report, problem in run(course, assignment, level=level, jobs=jobs, quick=quick, keep=keep):
                rows.append((item, report, problem))
                step(f"{item.name}: {problem or 'as expected'}")
        for item, report, problem in sorted(rows, key=lambda row: (KINDS.index(row[0].kind), row[0].name)):
            lost = ", ".join(check.name for check in report.checks if not check.full) or "-"
            bad += bool(problem)
            verdict = Text(problem or "as expected", style="red" if problem else "green")
            table.add_row(item.kind, item.name, f"{report.score:g}", f"{report.seconds:.1f}", lost, verdict)
        out.print(table)
        if not only and not kind:
            for check_name in uncovered(assignment, expectations(assignment)):
                bad += 1
                out.print(Text(f"no wrong solution loses the check {check_name}", style="red"))
    sys.exit(FAILED if bad else 0)


@main.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a notebook is stale or missing.")
@click.pass_context
def build(ctx: click.Context, names: tuple[str, ...], only_check: bool) -> None:
    """Build the notebooks that students get from the stubs."""
    from autograder.build import stale_notebooks, write_notebooks

    course = _course(ctx)
    chosen = [course.assignment(name) for name in names] or [item for item in course.assignments if item.fetched]
    paths = stale_notebooks(chosen) if only_check else write_notebooks(chosen)
    for path in paths:
        click.echo(f"{path.relative_to(course.root)}: {'stale; run `autograde build`' if only_check else 'written'}")
    if not paths:
        click.echo("every notebook is up to date", err=True)
    sys.exit(FAILED if only_check and paths else 0)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--measure", is_flag=True, help="Measure instead whether this machine can time; a few seconds.")
@click.option(
    "--device", type=click.Choice(["cpu", "cuda", "mps"]), default="cpu", help="With --measure: the device to time."
)
@click.pass_context
def doctor(ctx: click.Context, as_json: bool, measure: bool, device: str) -> None:
    """Say what this machine can do, and what stands in the way of official grading."""
    import dataclasses
    import json

    from autograder.doctor import Finding, examine, official

    problem: list[Finding] = []
    if measure:
        from autograder.fitness import examine_timing

        findings = examine_timing(device)
    else:
        course: Course | None = None
        try:
            course = _course(ctx)
        except CourseError as error:
            problem.append(Finding("course.yml", "warning", str(error)))
        findings = [*examine(course), *problem]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1))
    else:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("what", "state", "finding"):
            table.add_column(column, overflow="fold")
        colours = {"ok": "green", "warning": "yellow", "missing": "red"}
        for finding in findings:
            table.add_row(finding.name, Text(finding.state, style=colours[finding.state]), Text(finding.text))
        _out().print(table)
    if measure and not official(findings):
        from autograder.fitness import refusal

        click.echo(f"autograde: {refusal(findings)}", err=True)
    sys.exit(0 if official(findings) else FAILED)


def _find(ctx: click.Context, name: str, only: str | None) -> tuple[Course, Assignment]:
    course = _course(ctx)
    assignment = course.assignment(name)
    if only is not None and only not in assignment.check_names():
        raise CourseError(f"{name}: there is no check {only!r}; expected one of {', '.join(assignment.check_names())}")
    return course, assignment


def _stub(assignment: Assignment) -> str | None:
    return assignment.stub.read_text(encoding="utf-8") if assignment.stub.is_file() else None


def _pictures(folder: Path | None) -> list[tuple[Path, int]]:
    """Return the pictures in a folder, each with the time when it was drawn."""
    if folder is None or not folder.is_dir():
        return []
    return [(path, path.stat().st_mtime_ns) for path in folder.glob("*.png")]


def _without_flag(report: Report, start: str) -> Report:
    from dataclasses import replace

    return replace(report, flags=tuple(flag for flag in report.flags if not flag.startswith(start)))


def _grade(
    job: Job,
    submissions: list[Submission],
    *,
    jobs: int,
    quiet: bool,
    reuse: Reuse | None = None,
    scheduler: str | None = None,
) -> list[Report]:
    from autograder.executor import grade_all

    reports: dict[int, Report] = {}
    single = len(submissions) == 1
    with _progress(job.assignment, None if single else len(submissions), quiet=quiet) as step:

        def progress(news: CheckResult | str) -> None:
            step(news if isinstance(news, str) else f"{news.name}: {news.verdict}")

        graded = grade_all(
            job, submissions, jobs=jobs, progress=progress if single else None, reuse=reuse, scheduler=scheduler
        )
        try:
            for place, report in graded:
                reports[place] = report
                if not single:
                    step(f"{report.student}: {report.score:g}/{report.max_score:g}")
        except KeyboardInterrupt:
            graded.close()
            if reuse is None or single:
                raise
            words = (
                f"{len(reports)} of {len(submissions)} are graded and kept; the same command goes on with the others"
            )
            raise Stopped(words) from None
    return [reports[place] for place in sorted(reports)]


@contextlib.contextmanager
def _progress(title: str, total: int | None, *, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on standard error while something works; on a terminal only."""
    from autograder.render import plain

    console = _err()
    if quiet or not console.is_terminal:
        # Without a terminal, a class or a validation says how it goes in plain lines; a single check does not.
        yield (lambda words: None) if quiet or total is None else (lambda words: click.echo(plain(words), err=True))
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if total is not None:
        columns += [MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()]
    columns.append(TextColumn("{task.fields[last]}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=total, last="", rate="")

        def step(words: str) -> None:
            progress.update(task, advance=1, last=plain(words))
            done = progress.tasks[0]
            if done.elapsed:
                progress.update(task, rate=f"{60 * done.completed / done.elapsed:.3g} a minute")

        yield step


def _write_json(path: Path, reports: list[Report]) -> None:
    from autograder.build import write_whole
    from autograder.report import to_json

    text = to_json(reports)
    if path == Path("-"):
        click.echo(text, nl=False)
    else:
        write_whole(path, text)


if __name__ == "__main__":
    main()
