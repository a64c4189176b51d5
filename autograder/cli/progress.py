"""Grade submissions for a command, and show how it goes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from autograder.cli.options import progress_console

if TYPE_CHECKING:
    from autograder.grading.job import Job
    from autograder.grading.report_store import Reuse
    from autograder.report.model import Progress, Report
    from autograder.submission.reading import Submission


class Stopped(KeyboardInterrupt):
    """Somebody stopped the command; says what is done and how to go on."""


def run_grading(
    job: Job,
    submissions: list[Submission],
    *,
    jobs: int,
    quiet: bool,
    reuse: Reuse | None = None,
    scheduler: str | None = None,
) -> list[Report]:
    """Grade submissions and return their reports, in the order of the submissions.

    Args:
        job: How.
        submissions: What.
        jobs: How many at once.
        quiet: Whether nothing is said while it works.
        reuse: Which kept reports may be taken; None keeps nothing.
        scheduler: The scheduler of a Dask cluster; None grades on this machine.

    Raises:
        Stopped: If somebody stopped it; what is done is kept.
    """
    from autograder.grading.executor import grade_all
    from autograder.report.model import told

    reports: dict[int, Report] = {}
    single = len(submissions) == 1
    with progress_bar(job.assignment, None if single else len(submissions), quiet=quiet, lines=not single) as step:
        progress: Progress | None = (lambda news: step(told(news))) if single else None
        graded = grade_all(job, submissions, jobs=jobs, progress=progress, reuse=reuse, scheduler=scheduler)
        try:
            for place, report in graded:
                reports[place] = report
                if not single:
                    step(f"{report.student}: {report.score:g}/{report.max_score:g}")
        except KeyboardInterrupt:
            graded.close()
            if reuse is None or single:
                raise
            words = (
                f"{len(reports)} of {len(submissions)} are graded and kept; the same command goes on with the others"
            )
            raise Stopped(words) from None
    return [reports[place] for place in sorted(reports)]


@contextlib.contextmanager
def progress_bar(title: str, total: int | None, *, quiet: bool, lines: bool = True) -> Iterator[Callable[[str], None]]:
    """Show a progress bar on standard error while something works; on a terminal only.

    Args:
        title: What works.
        total: How many steps there are; None if nobody knows.
        quiet: Whether nothing is shown.
        lines: Whether each step is a plain line where there is no terminal.
    """
    from autograder.report.text import plain

    console = progress_console()
    if quiet or not console.is_terminal:
        stream = sys.stderr  # as it is now: while checks run, what they write goes elsewhere
        yield (lambda words: None) if quiet or not lines else (lambda words: click.echo(plain(words), file=stream))
        return
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns: list[ProgressColumn] = [TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()]
    if total is not None:
        columns += [MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn()]
    columns.append(TextColumn("{task.fields[last]}"))
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title, total=total, last="", rate="")

        def step(words: str) -> None:
            progress.update(task, advance=1, last=plain(words))
            done = progress.tasks[0]
            if done.elapsed:
                progress.update(task, rate=f"{60 * done.completed / done.elapsed:.3g} a minute")

        yield step
