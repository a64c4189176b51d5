"""The commands around timing: parse, call one function, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.cli.completion import name_argument
from autograder.cli.html_option import html_option, known_standings, write_html
from autograder.cli.options import device_option, instructors_course
from autograder.report.text import number, plain

if TYPE_CHECKING:
    from autograder.authoring.calibrate import Calibration
    from autograder.nbgrader.gradebook.stored_reports import StoredReports
    from autograder.report.measure import Timing
    from autograder.report.ranking import Ranking

_FAILED, _UNUSABLE = 1, 2


@click.command()
@name_argument
@click.option("--jobs", type=click.IntRange(1), default=1, help="How many submissions are timed at once.")
@device_option
@click.pass_context
def calibrate(ctx: click.Context, name: str, jobs: int, device: str | None) -> None:
    """Propose thresholds for the speed checks of an assignment (instructors).

    Times the reference, the right solutions and those wrong ones that are kept for being slow, on this machine, and
    prints what each check's bounds should be, as lines for course.yml. Writes nothing. Exits 1 where the right and the
    slow ones of a check lie too close together for any bounds.
    """
    from autograder.authoring.calibrate import calibrate as run
    from autograder.checks.device import choose_device
    from autograder.grading.job import Job, official_level
    from autograder.sandbox.levels import require

    course = instructors_course(ctx)
    level = official_level(course)
    require(level)
    job = Job(course.path, name, level, choose_device(course, device))
    found = run(course, job, jobs=jobs, progress=lambda words: click.echo(plain(words), err=True))
    for calibration in found:
        _show_calibration(calibration)
    lines = "".join(calibration.yaml() for calibration in found)
    if lines:
        click.echo(f"    thresholds:\n{lines}", nl=False)
    sys.exit(0 if all(calibration.proposal.bounds for calibration in found) else _FAILED)


@click.command()
@name_argument
@device_option
@click.option(
    "--json",
    "document",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take what `grade --json FILE` wrote, in place of what was collected.",
)
@html_option
@click.pass_context
def report(ctx: click.Context, name: str, device: str | None, document: Path | None, html: Path | None) -> None:
    """Rank the speed of graded submissions, or write pages about them (instructors).

    Takes the reports that grading kept of what was collected for NAME and grades nothing. Whoever's interval overlaps
    with that of the first one of a rank shares it. With --html, pages take the place of the ranking: the class's page
    has it.
    """
    from autograder.course.schema import DEVICES
    from autograder.errors import CourseError
    from autograder.nbgrader.gradebook.stored_reports import StoredReports, stored_reports
    from autograder.report.ranking import rankings, read_reports

    course = instructors_course(ctx)
    assignment = course.assignment(name)
    checks = [check for check in assignment.check_names() if check in assignment.thresholds]
    if html is not None:
        from autograder.report.html.folder import prepare

        prepare(html, name)
    elif not checks:
        raise CourseError(
            f"{name}: course.yml has no thresholds for it; expected a timed check with some; `autograde grade {name}` "
            "shows the scores of its checks"
        )
    devices = DEVICES if device in (None, "auto") else (str(device),)
    if document is not None:
        reports = tuple(found for found in read_reports(document, name) if found.device in devices)
        kept = StoredReports(reports, (), ())
    else:
        kept = stored_reports(course, name, devices)
    for ranking in rankings(kept.reports, checks) if html is None else ():
        _show_ranking(ranking)
    _say_what_is_missing(kept, name, devices)
    if html is not None and (kept.reports or kept.ungraded):
        from autograder.report.html.findings import find_out
        from autograder.report.html.folder import Graded

        findings = find_out(assignment, kept.reports, submissions=kept.submissions, ungraded=kept.ungraded)
        standings = known_standings(course, name) if document is None else {}
        pages = Graded(kept.reports, kept.submissions, standings, findings)
        sys.exit(0 if write_html(html, pages, course=course, name=name) else _UNUSABLE)


def _show_calibration(calibration: Calibration) -> None:
    bounds = calibration.proposal.bounds
    table = _table(f"{calibration.check} on {calibration.device}", ("submission", "kind"), ("ratio", "low", "high"))
    table.add_column("now", justify="right")
    table.add_column("proposed", justify="right")
    for sample in calibration.samples:
        timing = sample.timing
        now, then = (
            f"{number(calibration.credit(sample, each))}/{number(calibration.points)}" if each is not None else "-"
            for each in (calibration.now, bounds)
        )
        figures = [f"{value:.3g}" for value in (timing.ratio, timing.low, timing.high)]
        table.add_row(sample.name, sample.kind, *figures, now, then)
    out = Console(highlight=False)
    out.print(table)
    for name, reason in calibration.left_out:
        out.print(Text(f"left out: {name}: {plain(reason)}", style="dim"))
    for words in calibration.proposal.words:
        out.print(Text(words, style="" if bounds is not None else "red"))
    out.print()


def _show_ranking(ranking: Ranking) -> None:
    figure = "speed-up" if ranking.speed_up else "ratio"
    what = ranking.check or "all checks, geometric mean"
    table = _table(f"{what} on {ranking.device}", ("rank", "student"), (figure, "low", "high"))
    for place in ranking.places:
        table.add_row(str(place.rank), Text(plain(place.student)), *_figures(place.timing, ranking.speed_up))
    out = Console(highlight=False)
    out.print(table)
    for student, reason in ranking.unranked:
        out.print(Text(f"not ranked: {plain(student)}: {plain(reason)}", style="dim"))
    out.print()


def _figures(timing: Timing, speed_up: bool) -> list[str]:
    values = (timing.ratio, timing.low, timing.high)
    if speed_up:
        values = (1 / timing.ratio, 1 / timing.high, 1 / timing.low)
    return [f"{value:.3g}" for value in values]


def _say_what_is_missing(kept: StoredReports, name: str, devices: tuple[str, ...]) -> None:
    for warning in kept.warnings:
        click.echo(f"warning: {plain(warning)}", err=True)
    for student in kept.ungraded:
        click.echo(f"{plain(student)}: not graded yet; run `autograde grade {name}`", err=True)
    if not kept.reports and not kept.ungraded:
        click.echo(f"{name}: no report on {', '.join(devices)}", err=True)


def _table(title: str, words: tuple[str, ...], figures: tuple[str, ...]) -> Table:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in words:
        table.add_column(column, overflow="fold")
    for column in figures:
        table.add_column(column, justify="right")
    return table


COMMANDS: tuple[click.Command, ...] = (calibrate, report)
