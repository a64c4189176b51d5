"""The command line: the group of commands, and how it ends when something is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from autograder import __version__
from autograder.commands import check, course, exchange, grade, review, timing, validate
from autograder.commands.progress import Stopped
from autograder.commands.shared import UNUSABLE
from autograder.errors import AutograderError


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


for _command in (
    check.check,
    grade.grade,
    validate.validate,
    *(command for module in (course, exchange, review, timing) for command in module.COMMANDS),
):
    main.add_command(_command)

if __name__ == "__main__":
    main()
