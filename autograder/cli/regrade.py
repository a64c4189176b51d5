"""The commands that look a graded class over: parse, call one function, print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.cli.completion import name_argument, names_argument
from autograder.cli.options import instructors_course
from autograder.nbgrader.wording import count

if TYPE_CHECKING:
    from autograder.nbgrader.gradebook.regrade import Change, CheckChange, Regraded
    from autograder.report.model import Report
    from autograder.report.similarity import Pair

_DIFFER, _UNUSABLE = 1, 2


@click.command()
@name_argument
@click.option("--jobs", type=click.IntRange(1), default=1, help="How many submissions are graded at once.")
@click.option("--yes", is_flag=True, help="Write the new grades without asking.")
@click.pass_context
def regrade(ctx: click.Context, name: str, jobs: int, yes: bool) -> None:
    """Grade again after the course changed, and show who would gain or lose (instructors).

    What was collected for NAME is graded with the course as it is now and compared with the gradebook. Nothing is
    written there without --yes or a yes to the question on a terminal. What human graders entered stays.
    """
    from autograder.grading.report_store import Reuse, store_url
    from autograder.nbgrader.gradebook.regrade import regrade as run
    from autograder.nbgrader.gradebook.writing import write_grades
    from autograder.nbgrader.judging.official_report import official_job
    from autograder.report.text import number, plain
    from autograder.sandbox.levels import require

    course = instructors_course(ctx)
    course.assignment(name)
    job = official_job(course, name)
    require(job.level)

    def progress(report: Report) -> None:
        click.echo(plain(f"{report.student}: {number(report.score)}/{number(report.max_score)}"), err=True)

    found = run(course, job, jobs=jobs, reuse=Reuse(store_url(course)), progress=progress)
    for warning in found.warnings:
        click.echo(f"warning: {plain(warning)}", err=True)
    for change in found.changes:
        _show_change(change)
    _show_summary(name, found)
    unfinished = [report.student for _, report in found.graded if not report.complete]
    if yes or (sys.stdin.isatty() and click.confirm("Write these grades into the gradebook?", err=True)):
        written = write_grades(course, job, found.graded)
        for warning in written.warnings:
            click.echo(f"warning: {plain(warning)}", err=True)
        new, same = len(written.written), len(written.current)
        click.echo(f"{name}: {new} written to the gradebook, {same} there already", err=True)
    else:
        click.echo(f"{name}: nothing is written; `autograde regrade {name} --yes` writes it", err=True)
    for student in unfinished:
        words = "a check ended in an internal grader error; its old score stays; grade again"
        click.echo(plain(f"autograde: {student}: {words}"), err=True)
    for words in found.refused:
        click.echo(plain(f"autograde: {words}"), err=True)
    if unfinished or found.refused:
        sys.exit(_UNUSABLE)


def _show_change(change: Change) -> None:
    """Print a student's old and new score and the checks that changed; nothing where nothing did."""
    from autograder.report.text import number, plain

    before, after = change.before, change.after
    if change.kind == "unchanged" and not change.checks:
        return
    if change.kind == "new":
        click.echo(plain(f"{change.student}: not graded before -> {number(after.final)}"))
        return
    difference = "no change" if change.kind == "unchanged" else f"{change.difference:+.10g}"
    click.echo(plain(f"{change.student}: {number(before.final)} -> {number(after.final)} ({difference})"))
    if change.other:
        click.echo("  another submission than the one that was graded before")
    for check in change.checks:
        click.echo(f"  {check.name}: {_points(check)}: {plain(check.reason)}")
    if abs(before.late - after.late) > 1e-9:
        click.echo(f"  late: -{number(before.late)} -> -{number(after.late)}")


def _points(check: CheckChange) -> str:
    from autograder.report.text import number

    old, new = ("no score" if score is None else number(score) for score in (check.before, check.after))
    return f"{old} -> {new} of {number(check.points)}"


def _show_summary(name: str, found: Regraded) -> None:
    click.echo(
        f"{name}: {found.count('gain')} would gain, {found.count('lose')} would lose, "
        f"{found.count('unchanged')} unchanged, {found.count('new')} not graded before"
    )


@click.command()
@names_argument
@click.pass_context
def verify(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Verify that the store of reports, the gradebook and the export agree (instructors).

    Prints a line for each disagreement and exits 1 if there is one. Without NAME all assignments with something
    collected are verified. Manual scores of human graders are no disagreement.
    """
    from autograder.nbgrader.gradebook.verify import exported_scores
    from autograder.nbgrader.gradebook.verify import verify as run
    from autograder.nbgrader.gradebook.writing import collected
    from autograder.report.text import plain

    course = instructors_course(ctx)
    every = [item.name for item in course.assignments]
    chosen = [course.assignment(name).name for name in names] or [name for name in every if collected(course, name)]
    exported = exported_scores(course)
    disagreements = 0
    for name in chosen:
        found = run(course, name, exported)
        disagreements += len(found.disagreements)
        for warning in found.warnings:
            click.echo(f"warning: {plain(warning)}", err=True)
        for disagreement in found.disagreements:
            click.echo(plain(str(disagreement)))
        for student in found.ungraded:
            click.echo(plain(f"{student}, {name}: collected and not graded; run `autograde grade {name}`"))
        if found.earlier:
            many = count(len(found.earlier), "grade is", "grades are")
            click.echo(f"{name}: {many} from before the last change; `autograde regrade {name}` compares", err=True)
        different = count(len(found.disagreements), "disagreement", "disagreements")
        click.echo(f"{name}: {found.agreed} agree, {different}, {len(found.ungraded)} not graded")
    if not chosen:
        click.echo("nothing is collected for any assignment", err=True)
    sys.exit(_DIFFER if disagreements else 0)


@click.command()
@name_argument
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option(
    "--at-least",
    metavar="SHARE",
    type=click.FloatRange(0.0, 1.0),
    default=0.6,
    show_default=True,
    help="The smallest similarity to list, from 0 to 1.",
)
@click.pass_context
def copies(ctx: click.Context, name: str, paths: tuple[Path, ...], at_least: float) -> None:
    """List submissions that are near-copies of each other (instructors).

    Comments, names, layout, the order of definitions and the stub's code neither hide a copy nor make one. PATHs are
    those of `grade`; without one, what was collected for NAME is compared.
    """
    from autograder.nbgrader.gradebook.writing import read_class
    from autograder.report.similarity import near_copies
    from autograder.report.text import plain
    from autograder.submission.reading import read_submissions

    course = instructors_course(ctx)
    assignment = course.assignment(name)
    stub = assignment.stub.read_text(encoding="utf-8") if assignment.stub.is_file() else None
    submissions = read_submissions(list(paths), name=name, stub=stub) if paths else read_class(course, name)[0]
    found = near_copies(submissions, stub=stub or "", at_least=at_least)
    for pair in found.pairs:
        click.echo(plain(_pair(pair)))
    for submission in submissions:
        if submission.error:
            click.echo(plain(f"{submission.student}: not compared: {submission.error}"), err=True)
    for submission in found.unread:
        click.echo(plain(f"{submission.student}: no valid Python; only identical copies of it are found"), err=True)
    if found.short:
        many = count(found.short, "submission has", "submissions have")
        click.echo(f"{many} too little code of their own to compare; only identical copies are found", err=True)
    pairs = count(len(found.pairs), "pair", "pairs")
    click.echo(f"{name}: {len(submissions)} submissions, {pairs}; similarity is a reason to look, never a verdict")


def _pair(pair: Pair) -> str:
    both = f"{pair.first.student}  {pair.second.student}  ({pair.first.path}, {pair.second.path})"
    return f"identical  {both}" if pair.identical else f"{100 * pair.share:8.0f}%  {both}"


COMMANDS: tuple[click.Command, ...] = (regrade, verify, copies)
