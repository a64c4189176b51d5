"""What `autograde submit` does around submitting: find the student's copy, check it, and say what happened."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path

import click

from autograder.course.lateness import penalty
from autograder.course.loading import Assignment, Course, find_course, load_course
from autograder.errors import AutograderError, SubmissionError
from autograder.nbgrader.exchange.fetch_and_submit import assignment_folder
from autograder.nbgrader.exchange.receipts import Receipt
from autograder.nbgrader.exchange.staging import Staged
from autograder.nbgrader.wording import count, local, span


def own_copy(course: Course | None, name: str) -> Path:
    """Return a student's own copy of an assignment.

    Raises:
        SubmissionError: If there is none.
    """
    for folder in (assignment_folder(course, name), Path.cwd() / name, Path.cwd()):
        if any((folder / f"{name}{suffix}").is_file() for suffix in (".py", ".ipynb")):
            return folder
    raise SubmissionError(
        f"{name}: no copy of it here; expected {assignment_folder(course, name)}; "
        f"run `autograde fetch {name}`, or name your file"
    )


def with_checks(course: Course | None, name: str, path: Path) -> tuple[Course | None, Assignment | None]:
    """Return the course that has the assignment with its checks, the one around the working folder or around `path`."""
    for start in (course, path if path.is_dir() else path.parent):
        try:
            found = load_course(find_course(start)) if isinstance(start, Path) else start
            if found is not None and found.assignment(name).check_files():
                return found, found.assignment(name)
        except AutograderError:
            continue
    for assignment in course.assignments if course is not None else ():
        if assignment.name == name:
            return None, assignment
    return None, None


def show_staged(staged: Staged, name: str) -> None:
    """Print what goes in and what stays behind."""
    submission = staged.submission
    size = count(staged.lines, "line", "lines")
    as_name = "" if os.path.basename(staged.source) == staged.file else f" as {staged.file}"
    click.echo(f"{staged.source}{as_name}: {size}, {submission.digest}")
    for note in staged.notes:
        click.echo(f"note: {note}")
    if staged.left_out:
        names = ", ".join(staged.left_out[:5]) + (
            f" and {len(staged.left_out) - 5} more" if staged.left_out[5:] else ""
        )
        click.echo(f"left out: {names}; a submission is one file")
    if staged.unchanged:
        click.echo(f"warning: this is {name} as it was released; if you wrote an answer, save it or name its file")


def run_checks(course: Course | None, name: str, staged: Staged) -> None:
    """Run the public checks over what goes in and say in a line how they went. Nothing that fails here stops it."""
    if course is None:
        click.echo("not checked: there are no checks here")
        return
    try:
        from autograder.grading.executor import grade_all
        from autograder.grading.job import Job
        from autograder.sandbox.levels import best_level

        job = Job(course.path, name, best_level(), "cpu", hidden=False)
        ((_, report),) = grade_all(job, [staged.submission])
    except Exception as error:  # noqa: BLE001  # a student hands in whatever is wrong with our checks
        click.echo(f"not checked: {' '.join(str(error).split())}")
        return
    lost = [check.name for check in report.checks if not check.full]
    click.echo(f"public checks: {report.score:.10g} of {report.max_score:.10g} points")
    if lost:
        click.echo(f"warning: points are lost in {', '.join(lost)}; `autograde check {name}` says why")


def show_receipt(receipt: Receipt) -> None:
    """Print a receipt."""
    click.echo(f"submitted {receipt.assignment} as {receipt.student} to {receipt.course_id}")
    click.echo(f"  time    {local(receipt.moment)} ({receipt.moment:%Y-%m-%d %H:%M:%S} UTC)")
    click.echo(f"  digest  {receipt.digest}")
    click.echo(f"  place   {receipt.place}")


def timeliness(receipt: Receipt, assignment: Assignment) -> str:
    """Say how early or late a submission is, and what that costs."""
    if assignment.due is None:
        return "there is no due date"
    early = assignment.due - receipt.moment
    due = local(assignment.due, assignment.due)
    if early >= timedelta():
        return f"in time: {span(early)} before it is due ({due})"
    return f"late by {span(-early)} (it was due {due}); {_cost(assignment, -early)}"


def _cost(assignment: Assignment, late: timedelta) -> str:
    lost = penalty(assignment.late, 1.0, late.total_seconds())
    return f"that costs {100 * lost:.3g} % of the score" if lost else "that costs nothing"


def replaced(before: Receipt, now: Receipt, due: datetime | None) -> str:
    """Say what becomes of an earlier submission."""
    words = "it is the same as" if before.digest == now.digest else "it replaces"
    text = f"{words} your submission of {local(before.moment)} ({before.digest[:19] or 'unreadable'})"
    late = due is not None and before.moment <= due < now.moment
    return f"{text}; the latest counts{', and this one is late' if late else ''}"
