"""The commands of the exchange and the gradebook: parse, call one function, print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from autograder.cli.completion import name_argument
from autograder.cli.options import course_or_none, exchange_options, instructors_course, next_step
from autograder.errors import ExchangeError
from autograder.nbgrader.exchange.location import Options, find_place
from autograder.nbgrader.wording import count, local

_SOON = timedelta(minutes=15)
"""This close to the due date a submission goes in before it is checked."""


@click.command()
@name_argument
@click.pass_context
@exchange_options
def release(ctx: click.Context, name: str, options: Options) -> None:
    """Give an assignment to the students (instructors).

    Generates the students' version and puts it into the exchange, as `nbgrader generate_assignment` and
    `nbgrader release_assignment` do. A second release takes the place of the first, which nbgrader does only with
    --force: a correction has to reach those who have not fetched yet. Those who have keep what they have.
    """
    from autograder.nbgrader.exchange.release_and_collect import release as run

    course = instructors_course(ctx)
    released = run(course, name, options)
    for file in released.files:
        click.echo(f"  {file}")
    words = {
        "new": "released",
        "same": "released again, the same as before",
        "replaced": "released again, in place of the earlier one; who has fetched that keeps it",
    }[released.before]
    click.echo(f"{name}: {words}: {released.folder}")
    if released.submitted:
        click.echo(f"{name}: {count(released.submitted, 'student has', 'students have')} submitted already", err=True)
    next_step(f"students get it with `autograde fetch {name}`")
    due = course.assignment(name).due
    if due is not None and due < datetime.now(UTC):
        click.echo(f"{name}: was due {local(due, due)}; every submission will be late", err=True)


@click.command()
@name_argument
@click.pass_context
@exchange_options
def collect(ctx: click.Context, name: str, options: Options) -> None:
    """Bring the latest submissions in from the exchange (instructors)."""
    from autograder.nbgrader.exchange.release_and_collect import collect as run

    course = instructors_course(ctx)
    collected = run(course, name, options)
    for who, words in ((collected.new, "collected"), (collected.updated, "collected, in place of an earlier one")):
        for one in who:
            click.echo(f"{one}: {words}")
    for warning in collected.warnings:
        click.echo(f"warning: {warning}", err=True)
    came = len(collected.new) + len(collected.updated)
    click.echo(f"{name}: {count(came, 'submission', 'submissions')} collected, {len(collected.same)} there already")
    if came:
        next_step(f"`autograde grade {name}` grades what was collected")


@click.command("release-feedback")
@name_argument
@click.pass_context
@exchange_options
def release_feedback(ctx: click.Context, name: str, options: Options) -> None:
    """Give feedback on graded submissions back to the students (instructors).

    Writes it and puts it into the exchange, as `nbgrader generate_feedback` and `nbgrader release_feedback` do. It is
    a command of its own, and not `feedback` in the instructor's copy: what everybody will read should go out because
    somebody said so, not because of the folder that they were in.
    """
    from autograder.nbgrader.exchange.release_and_collect import release_feedback as run

    returned = run(instructors_course(ctx), name, options)
    for one in returned.students:
        click.echo(f"{one}: returned")
    for warning in returned.warnings:
        click.echo(f"warning: {warning}", err=True)
    click.echo(f"{name}: feedback returned to {count(len(returned.students), 'student', 'students')}")


@click.command()
@name_argument
@click.option("--missing", is_flag=True, help="Put back files that your copy lacks; the others stay as they are.")
@click.pass_context
@exchange_options
def fetch(
    ctx: click.Context,
    name: str,
    missing: bool,
    options: Options,
) -> None:
    """Get an assignment from the exchange.

    It comes to assignments/NAME in a copy of the course, else to NAME in this folder. A folder that is there already
    is never written over.
    """
    from autograder.nbgrader.exchange.fetch_and_submit import assignment_folder
    from autograder.nbgrader.exchange.fetch_and_submit import fetch as run

    course = course_or_none(ctx.obj)
    place = find_place(course, options)
    target = assignment_folder(course, name)
    files = run(place, name, target, missing=missing)
    for file in files:
        click.echo(f"  {file}")
    words = "nothing is missing in" if not files else "put back into" if missing else "fetched to"
    click.echo(f"{name}: {words} {target}")
    if files and course is not None:
        next_step(f"`autograde check {name}` checks your work there, and again at each save with --watch")


@click.command()
@name_argument
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--check/--no-check", default=True, help="Run the public checks first; they never stop a submission.")
@click.pass_context
@exchange_options
def submit(
    ctx: click.Context,
    name: str,
    path: Path | None,
    check: bool,
    options: Options,
) -> None:
    """Submit your work, and get a receipt.

    PATH is a module or a notebook under any name, an archive or a folder; by default your copy of the assignment. You
    may submit as often as you like: the latest counts.
    """
    from autograder.nbgrader.exchange import submit as words
    from autograder.nbgrader.exchange.fetch_and_submit import require_inbound
    from autograder.nbgrader.exchange.fetch_and_submit import submit as run
    from autograder.nbgrader.exchange.receipts import kept_receipts
    from autograder.nbgrader.exchange.staging import stage

    course = course_or_none(ctx.obj)
    place = find_place(course, options)
    released = place.released_folder(name)
    require_inbound(place)  # before the minutes that checks may take
    path = path or words.own_copy(course, name)
    staged = stage(path, name=name, student=place.student, released=released)
    home, assignment = words.with_checks(course, name, path)
    words.show_staged(staged, name)
    due = assignment.due if assignment is not None else None
    check_after = due is not None and timedelta() <= due - datetime.now(UTC) < _SOON
    if check and not check_after:
        words.run_checks(home, name, staged)
    before = kept_receipts(place, name)
    receipt = run(place, staged, name=name)
    words.show_receipt(receipt)
    if assignment is not None:
        click.echo(words.timeliness(receipt, assignment))
    if before:
        click.echo(words.replaced(before[-1].receipt, receipt, due))
    if check and check_after:
        click.echo("It was submitted first because it is due so soon; now the checks:")
        words.run_checks(home, name, staged)


@click.command()
@name_argument
@click.pass_context
@exchange_options
def feedback(ctx: click.Context, name: str, options: Options) -> None:
    """Get the feedback on your submissions.

    It comes as a page to open in a browser, in the folder `feedback` of your copy of the assignment. Instructors
    return it with `autograde release-feedback NAME`.
    """
    from autograder.nbgrader.exchange.fetch_and_submit import assignment_folder, fetch_feedback

    course = course_or_none(ctx.obj)
    if course is not None and (course.root / "solutions").is_dir() and options.student is None:
        raise ExchangeError(
            f"{course.root}: is the instructor's copy; expected a student's; return feedback with "
            f"`autograde release-feedback {name}`, or give --student"
        )
    place = find_place(course, options)
    for one in fetch_feedback(place, name, assignment_folder(course, name)):
        click.echo(f"{local(one.kept.receipt.moment)}  {one.kept.receipt.digest[:19]}  {one.local}")


@click.command()
@click.option(
    "--format",
    "layout",
    type=click.Choice(["csv", "canvas", "moodle"]),
    default="csv",
    show_default=True,
    help="Whose layout: a spreadsheet's, Canvas's or Moodle's.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path),
    default="-",
    help="Where it goes; - is stdout, the default.",
)
@click.option(
    "--missing",
    type=click.Choice(["empty", "zero"]),
    default="empty",
    show_default=True,
    help="What stands where a student handed nothing in.",
)
@click.pass_context
def export(ctx: click.Context, layout: str, output: Path, missing: str) -> None:
    """Write everybody's final scores as CSV (instructors).

    They are those of the gradebook and of `nbgrader export`: late penalty deducted, and what human graders entered
    counts. A submission that is not fully graded has an empty cell and is named on standard error.
    """
    from autograder.files import write_atomically
    from autograder.nbgrader.gradebook.export import export_table

    table = export_table(instructors_course(ctx), layout, missing="0.0" if missing == "zero" else "")
    if output == Path("-"):
        click.echo(table.text, nl=False)
    else:
        # Spreadsheets take a file without the mark for one in the machine's own encoding. Canvas and Moodle read UTF-8.
        write_atomically(output, ("\ufeff" if layout == "csv" else "") + table.text)
    for warning in table.warnings:
        click.echo(f"warning: {warning}", err=True)
    if output != Path("-"):
        students = count(table.students, "student", "students")
        click.echo(f"{output}: {students}, {count(len(table.assignments), 'assignment', 'assignments')}", err=True)


COMMANDS: tuple[click.Command, ...] = (release, fetch, submit, collect, release_feedback, feedback, export)
