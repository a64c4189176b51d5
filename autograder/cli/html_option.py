"""The option that asks for pages to look at, and what writes them for a command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from autograder.course.loading import Course
from autograder.errors import CourseError

if TYPE_CHECKING:
    from autograder.report.html.folder import Graded

html_option = click.option(
    "--html",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Write pages to look at: one for each student, and one of the class for you.",
)


def write_html(folder: Path, graded: Graded, *, course: Course, name: str) -> bool:
    """Write pages and say where they are, or why they could not be written.

    Returns:
        Whether all were written.
    """
    from autograder.report.html.folder import write_pages
    from autograder.report.text import plain

    try:
        paths = write_pages(folder, graded, course=course, name=name)
    except CourseError as error:
        click.echo(f"autograde: {plain(str(error))}", err=True)
        return False
    if paths:
        click.echo(f"pages: {plain(str(paths[-1]))}", err=True)
    return True


def known_standings(course: Course, name: str) -> dict[str, tuple[float, float]]:
    """Return each student's late penalty, and the score that is left in the gradebook.

    Where that cannot be read, pages do without it, and a warning says why.
    """
    from autograder.nbgrader.gradebook.export import require_gradebook
    from autograder.nbgrader.gradebook.writing import standings
    from autograder.report.text import plain

    try:
        require_gradebook(course)
        return {student: (entry.late, entry.final) for student, entry in standings(course, name).items()}
    except CourseError as error:
        click.echo(f"warning: no page tells of lateness: {plain(str(error))}", err=True)
        return {}
