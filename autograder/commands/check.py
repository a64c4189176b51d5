"""The command for students' own checks."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from autograder.commands.progress import run_grading
from autograder.commands.shared import (
    FAILED,
    device_option,
    find_assignment,
    json_option,
    results_console,
    sandbox_option,
    write_json,
)
from autograder.errors import SubmissionError

if TYPE_CHECKING:
    from autograder.report import Report


@click.command()
@click.argument("name")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--only", metavar="CHECK", help="Run a single check.")
@click.option("--pictures/--no-pictures", default=True, help="Draw what is better looked at than read.")
@sandbox_option
@device_option
@json_option
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
    course, assignment = find_assignment(ctx, name, only)
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
    (report,) = run_grading(job, [submission], jobs=1, quiet=json_path == Path("-"))
    report = _without_flag(report, "graded at sandbox level")
    if json_path is not None:
        write_json(json_path, [report])
    if json_path != Path("-"):
        from autograder.render import show_report

        show_report(results_console(), report)
        for picture in sorted(set(_pictures(drawn)) - set(before)):
            results_console().print(Text(f"picture: {picture[0]}", style="dim"))
    sys.exit(0 if report.score >= course.pass_mark * report.max_score else FAILED)


def _pictures(folder: Path | None) -> list[tuple[Path, int]]:
    """Return the pictures in a folder, each with the time when it was drawn."""
    if folder is None or not folder.is_dir():
        return []
    return [(path, path.stat().st_mtime_ns) for path in folder.glob("*.png")]


def _without_flag(report: Report, start: str) -> Report:
    from dataclasses import replace

    return replace(report, flags=tuple(flag for flag in report.flags if not flag.startswith(start)))
