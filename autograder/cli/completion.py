"""What a shell completes, and the command that teaches it."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from autograder.cli.options import course_or_none
from autograder.course.loading import Assignment, Course
from autograder.errors import AutograderError

_VARIABLE = "_AUTOGRADE_COMPLETE"
_FILES = {
    "bash": "~/.local/share/bash-completion/completions/autograde",
    "zsh": "a folder of $fpath, as _autograde",
    "fish": "~/.config/fish/completions/autograde.fish",
}


def assignment_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of the course's assignments that begin so; none where there is no course."""
    course = _course(ctx)
    return [item.name for item in course.assignments if item.name.startswith(incomplete)] if course else []


def check_names(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of an assignment's checks that begin so."""
    # Where the option's value is still missing, click has not told the arguments apart.
    course, name = _course(ctx), ctx.params.get("name") or next(iter(ctx.args), None)
    found = next((item for item in course.assignments if item.name == name), None) if course else None
    return [check for check in _checks(found) if check.startswith(incomplete)] if found else []


def _course(ctx: click.Context) -> Course | None:
    """Return the course, also where completion has not run the group that sets it."""
    try:
        return course_or_none(ctx.find_root().params.get("course"))
    except AutograderError:  # a shell that completes says nothing
        return None


def _checks(assignment: Assignment) -> list[str]:
    try:
        return assignment.check_names()
    except AutograderError:
        return []


name_argument = click.argument("name", shell_complete=assignment_names)
names_argument = click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=assignment_names)


@click.command()
@click.argument("shell", type=click.Choice(sorted(_FILES)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes a shell complete commands, options, assignments and checks."""
    root = ctx.find_root()
    found = get_completion_class(shell)
    assert found is not None  # all of _FILES are click's
    click.echo(found(root.command, {}, "autograde", _VARIABLE).source())
    click.echo(f"keep it as a file: {_FILES[shell]}", err=True)
