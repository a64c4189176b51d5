"""Finish what nbgrader generates: a `course.yml` for the one assignment, and its due date in the gradebook."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from traitlets.log import get_logger

from autograder.authoring.export.student_course import student_course
from autograder.course.loading import COURSE_FILE, Assignment, Course, find_course, load_course
from autograder.errors import AutograderError, CourseError
from autograder.files import write_atomically
from autograder.nbgrader.config import config_of, gradebook_url

_HEAD = "# {title}, the assignment {name} alone. `autograde check {name}` works in this folder; keep this file in it.\n"


def after_generating(assignment: str, student: str, notebooks: Sequence[str]) -> None:
    """Write `course.yml` beside a generated assignment, and the due date into the gradebook.

    nbgrader calls this in the course's folder when it has converted an assignment, whichever of its commands or
    buttons asked for that. It goes on where this fails, so that what is wrong is logged here.

    Args:
        assignment: The assignment's name.
        student: Not used; nbgrader names the pseudo-student of released files.
        notebooks: Not used; the files that were converted.

    Raises:
        CourseError: If `course.yml` is not in order or a file cannot be written.
    """
    try:
        course = load_course(find_course(Path.cwd()))
        item = course.assignment(assignment)
        folder = _release_folder(course, assignment)
        write_atomically(folder / COURSE_FILE, released_course(course, item))
        load_course(folder / COURSE_FILE)
        _write_due_date(course, item)
    except AutograderError as error:
        get_logger().error("%s", error)
        raise


def released_course(course: Course, assignment: Assignment) -> str:
    """Return the `course.yml` of one assignment alone: nothing secret, and paths that hold wherever it lies.

    Raises:
        CourseError: If the course's own `course.yml` cannot be read.
    """
    shared = {"data": course.data, "exchange": course.exchange}
    places = {key: str(path) for key, path in shared.items() if path is not None}
    head = _HEAD.format(title=course.title, name=assignment.name)
    return student_course(course, [assignment.name], head=head, places=places)


def _release_folder(course: Course, name: str) -> Path:
    from nbgrader.coursedir import CourseDirectory

    directory = CourseDirectory(config=config_of(course))
    folder = Path(directory.format_path(directory.release_directory, ".", name))
    if not folder.is_dir():
        raise CourseError(f"{folder}: no such folder; expected what nbgrader generated; leave release_directory alone")
    return Path(os.path.normpath(folder))


def _write_due_date(course: Course, assignment: Assignment) -> None:
    """Tell the gradebook when the assignment is due, if the gradebook knows it."""
    from nbgrader.api import Gradebook, MissingEntry

    due = assignment.due.astimezone(UTC).replace(tzinfo=None) if assignment.due else None
    with Gradebook(gradebook_url(course), course.course_id) as gradebook:
        try:
            gradebook.find_assignment(assignment.name)
        except MissingEntry:  # generated with --no-db
            return
        gradebook.update_or_create_assignment(assignment.name, duedate=due)
