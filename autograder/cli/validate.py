"""The command that grades the grader."""

from __future__ import annotations

import sys

import click
from rich.table import Table
from rich.text import Text

from autograder.cli.completion import names_argument
from autograder.cli.options import (
    FAILED,
    course_of,
    quiet_option,
    results_console,
    sandbox_option,
)
from autograder.cli.progress import progress_bar


@click.command()
@names_argument
@click.option("--jobs", type=click.IntRange(1), default=1, help="How many submissions are graded at once.")
@click.option("--only", metavar="FILE", multiple=True, help="Grade only these kept submissions, by stem.")
@click.option("--kind", multiple=True, type=click.Choice(["stub", "reference", "right", "wrong", "attack"]))
@click.option(
    "--quick",
    is_flag=True,
    help="Grade representatives only: wrong solutions that together lose every check, a few others.",
)
@sandbox_option
@quiet_option
@click.pass_context
def validate(
    ctx: click.Context,
    names: tuple[str, ...],
    jobs: int,
    only: tuple[str, ...],
    kind: tuple[str, ...],
    quick: bool,
    sandbox: str | None,
    quiet: bool,
) -> None:
    """Grade the grader: stub, reference, right variants, wrong solutions and attacks."""
    course = course_of(ctx)
    chosen = [course.assignment(name) for name in names] or list(course.assignments)
    from autograder.authoring.validate import KINDS, Expectation, expectations, never_alone, representatives, uncovered
    from autograder.authoring.validate import validate as run
    from autograder.sandbox.levels import best_level, require

    level = course.sandbox if sandbox is None else best_level() if sandbox == "auto" else sandbox
    require(level)

    def keep(item: Expectation) -> bool:
        return (not only or item.name in only) and (not kind or item.kind in kind)

    bad = 0
    console = results_console()
    for assignment in chosen:
        table = Table(title=assignment.name, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for column in ("kind", "submission", "score", "seconds", "lost", "verdict"):
            table.add_column(column, overflow="fold", justify="right" if column in ("score", "seconds") else "left")
        found = expectations(assignment)
        total = sum(keep(item) for item in (representatives(found) if quick else found))
        rows = []
        with progress_bar(assignment.name, total, quiet=quiet) as step:
            for item, report, problem in run(course, assignment, level=level, jobs=jobs, quick=quick, keep=keep):
                rows.append((item, report, problem))
                step(f"{item.name}: {problem or 'as expected'}")
        for item, report, problem in sorted(rows, key=lambda row: (KINDS.index(row[0].kind), row[0].name)):
            if quiet and not problem:
                continue
            lost = ", ".join(check.name for check in report.checks if not check.full) or "-"
            bad += bool(problem)
            verdict = Text(problem or "as expected", style="red" if problem else "green")
            table.add_row(item.kind, item.name, f"{report.score:g}", f"{report.seconds:.1f}", lost, verdict)
        if table.rows or not quiet:
            console.print(table)
        if not only and not kind:
            for each in never_alone(assignment, found):
                console.print(Text(f"no wrong solution loses {each.check} alone: {each.reason}", style="dim"))
            for check_name in uncovered(assignment, expectations(assignment)):
                bad += 1
                console.print(Text(f"no wrong solution loses the check {check_name}", style="red"))
    sys.exit(FAILED if bad else 0)
