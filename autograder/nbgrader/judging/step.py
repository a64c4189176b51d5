"""Find, from inside one of nbgrader's steps, the course and the folders that it works on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from autograder.course.loading import COURSE_FILE, Course, load_course


def directory_of(step: Any) -> Any:
    """Return nbgrader's course directory, which the converter has that a preprocessor or an exporter works for."""
    while not hasattr(step, "coursedir"):
        step = step.parent
    return step.coursedir


def course_of(step: Any) -> Course:
    """Return the course that a step works on.

    Raises:
        CourseError: If there is no `course.yml` in nbgrader's course directory, or it is not in order.
    """
    return load_course(Path(directory_of(step).root) / COURSE_FILE)


def submitted_folder(step: Any, student: str, name: str) -> Path:
    """Return the folder with a student's own files."""
    directory = directory_of(step)
    return Path(directory.format_path(directory.submitted_directory, student, name))


def released_notebook(step: Any, course: Course, name: str) -> Path:
    """Return the notebook that students got; where it was not kept, the one that it is generated from."""
    directory = directory_of(step)
    released = Path(directory.format_path(directory.release_directory, ".", name), f"{name}.ipynb")
    return released if released.is_file() else course.assignment(name).notebook
