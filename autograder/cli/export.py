"""The commands for what leaves the instructor's repository: parse, call one function, print."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.completion import name_argument
from autograder.cli.options import FAILED, course_of, instructors_course, next_step


@click.command("export-students")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--package", metavar="REQUIREMENT", help="What students install, in place of a wheel under DIR/dist.")
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if something would change.")
@click.pass_context
def export_students(ctx: click.Context, folder: Path, package: str | None, only_check: bool) -> None:
    """Write the students' repository to a folder (instructors).

    It holds course.yml, the assignments as students get them, the engine to install, and a workflow that runs the
    public checks on GitHub; nothing of solutions/. Written again, it takes the place of an earlier export, and what
    somebody has changed or added since stays. REQUIREMENT is as pip reads it, such as autograder==0.1.0 or a URL.
    """
    from autograder.authoring.export.managed_folder import changes, named, write
    from autograder.authoring.export.student_repository import require_outside, student_files

    course = instructors_course(ctx)
    require_outside(folder, course)
    files = student_files(course, package)
    found = changes(folder, files) if only_check else write(folder, files)
    for name in named(found, "written"):
        click.echo(f"{name}: {'missing or out of date' if only_check else 'written'}")
    for name in named(found, "removed"):
        click.echo(f"{name}: {'no longer in the course' if only_check else 'removed'}")
    for name in named(found, "kept"):
        todo = "delete it to get the course's own" if name in files else "the course no longer has it"
        click.echo(f"{name}: kept, for it was changed here; {todo}", err=True)
    ours = [change for change in found if change.what != "kept"]
    if not ours:
        click.echo(f"{folder}: up to date", err=True)
    elif not only_check:
        next_step(f"look at {folder}, then commit and push it from there")
    sys.exit(FAILED if only_check and ours else 0)


@click.command("export-gradescope")
@name_argument
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--data", is_flag=True, help="Take the course's folder of data sets along.")
@click.option(
    "--extra-index-url", "index", metavar="URL", default="", help="Where pip finds PyTorch's builds for CPUs."
)
@click.pass_context
def export_gradescope(ctx: click.Context, name: str, file: Path | None, data: bool, index: str) -> None:
    """Write an assignment's autograder for Gradescope (instructors).

    FILE is a zip archive, by default NAME-gradescope.zip in this folder. It holds the hidden checks and the course's
    secret: upload it as the autograder of a programming assignment, and give it to nobody else.

    PyTorch's builds for CPUs take a tenth of the room of the others; pytorch.org names their index ("Get started",
    pip, CPU).
    """
    from autograder.authoring.export.gradescope_bundle import gradescope_bundle, require_private
    from autograder.files import write_atomically

    course = instructors_course(ctx)
    assignment = course.assignment(name)
    file = file or Path(f"{name}-gradescope.zip")
    require_private(file, course)
    bundle = gradescope_bundle(course, assignment, data=data, index=index)
    write_atomically(file, bundle, mode=0o600)
    click.echo(f"{file}: written, {len(bundle) / 1024:.0f} KiB")
    click.echo("it holds the hidden checks and the course's secret; give it to Gradescope and to nobody else", err=True)


@click.command()
@click.pass_context
def started(ctx: click.Context) -> None:
    """Name the assignments that you have started, one on each line.

    Those are the ones whose module or notebook is no longer the stub. CI checks these alone.
    """
    from autograder.submission.started import started as names

    for name in names(course_of(ctx)):
        click.echo(name)


COMMANDS: tuple[click.Command, ...] = (export_students, export_gradescope, started)
