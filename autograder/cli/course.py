"""The commands around a course: what is in it, its notebooks, what this machine can do."""

from __future__ import annotations

import sys

import click
from rich.table import Table
from rich.text import Text

from autograder.cli.completion import assignment_names, names_argument
from autograder.cli.options import (
    FAILED,
    course_of,
    course_or_none,
    exchange_options,
    results_console,
)
from autograder.course.loading import Course
from autograder.errors import CourseError, ExchangeError
from autograder.nbgrader.exchange.location import Options, has_exchange


@click.command("list")
@click.argument("name", required=False, shell_complete=assignment_names)
@click.pass_context
@exchange_options
def list_(ctx: click.Context, name: str | None, options: Options) -> None:
    """List the assignments of the course in order, and where each stands in the exchange.

    With NAME, print the receipts of your submissions of that assignment.
    """
    course = course_or_none(ctx.obj)
    if course is None and not has_exchange(None, options):
        course = course_of(ctx)  # which says that there is none
    if name is not None:
        _print_receipts(course, name, options)
        return
    stands, problem = None, ""
    if has_exchange(course, options):
        from autograder.nbgrader.exchange.listing import listing

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
        results_console().print(Text(course.title, style="bold"))
    results_console().print(table)
    if problem:
        click.echo(f"autograde: {problem}", err=True)


def _print_receipts(course: Course | None, name: str, options: Options) -> None:
    from autograder.nbgrader.exchange.listing import receipts
    from autograder.nbgrader.exchange.submit import show_receipt

    if course is not None and name not in [item.name for item in course.assignments]:
        course.assignment(name)  # which says what may have been meant
    found = receipts(course, name, options)
    for receipt in found:
        show_receipt(receipt)
    if not found:
        click.echo(f"{name}: no submission from this account", err=True)


@click.command()
@names_argument
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a notebook is stale or missing.")
@click.pass_context
def build(ctx: click.Context, names: tuple[str, ...], only_check: bool) -> None:
    """Build the notebooks that students get from the stubs."""
    from autograder.authoring.notebooks import stale_notebooks, write_notebooks

    course = course_of(ctx)
    chosen = [course.assignment(name) for name in names] or [item for item in course.assignments if item.fetched]
    paths = stale_notebooks(chosen) if only_check else write_notebooks(chosen)
    for path in paths:
        click.echo(f"{path.relative_to(course.root)}: {'stale; run `autograde build`' if only_check else 'written'}")
    if not paths:
        click.echo("every notebook is up to date", err=True)
    sys.exit(FAILED if only_check and paths else 0)


@click.command()
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

    from autograder.doctor.machine import Finding, examine, official

    problem: list[Finding] = []
    if measure:
        from autograder.doctor.timing import examine_timing

        findings = examine_timing(device)
    else:
        course: Course | None = None
        try:
            course = course_of(ctx)
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
        results_console().print(table)
    if measure and not official(findings):
        from autograder.doctor.timing import refusal

        click.echo(f"autograde: {refusal(findings)}", err=True)
    sys.exit(0 if official(findings) else FAILED)


COMMANDS: tuple[click.Command, ...] = (list_, build, doctor)
