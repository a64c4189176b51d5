"""The command line: the group of commands, and how it ends when something is wrong."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from autograder import __version__
from autograder.cli import check, completion, course, exchange, grade, validate
from autograder.cli import export as exporting
from autograder.cli import new as scaffold
from autograder.cli import ranking as timing
from autograder.cli import regrade as review
from autograder.cli.help import SECTIONS, epilog
from autograder.cli.options import UNUSABLE
from autograder.cli.progress import Stopped
from autograder.errors import AutograderError


class Commands(click.Group):
    """Print an ``AutograderError`` as one line and exit 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except AutograderError as error:
            from autograder.report.text import plain

            click.echo(f"autograde: {plain(str(error))}", err=True)
            sys.exit(UNUSABLE)
        except KeyboardInterrupt as stop:
            click.echo(
                f"autograde: stopped; {stop if isinstance(stop, Stopped) else 'nothing is half written'}", err=True
            )
            sys.exit(130)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by what they are for."""
        known = [name for names in SECTIONS.values() for name in names]
        others = tuple(name for name in self.list_commands(ctx) if name not in known)
        for title, names in (*SECTIONS.items(), ("Others", others)):
            rows = [(name, self.commands[name].get_short_help_str(200)) for name in names if name in self.commands]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--course", metavar="PATH", type=click.Path(path_type=Path), help="The course.yml to use, or its folder.")
@click.version_option(__version__, prog_name="autograde")
@click.pass_context
def main(ctx: click.Context, course: Path | None) -> None:
    """Check, grade and validate exercises of a PyTorch course."""
    ctx.obj = course


for _command in (
    check.check,
    grade.grade,
    validate.validate,
    completion.completion,
    *(command for module in (course, exchange, exporting, review, scaffold, timing) for command in module.COMMANDS),
):
    _command.epilog = epilog(str(_command.name))
    main.add_command(_command)

if __name__ == "__main__":
    main()
