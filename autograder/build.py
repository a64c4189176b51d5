"""Write the notebooks that students get from the stubs, or say which are stale."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from autograder.course import Assignment
from autograder.errors import CourseError
from autograder.notebook import build_notebook


def stale_notebooks(assignments: Sequence[Assignment]) -> list[Path]:
    """Return the notebooks that are missing or differ from what their stubs give.

    Raises:
        CourseError: If a stub is missing or cannot be read.
    """
    return [assignment.notebook for assignment in assignments if not _is_fresh(assignment)]


def write_notebooks(assignments: Sequence[Assignment]) -> list[Path]:
    """Write the stale notebooks and return their paths; the others stay untouched.

    Raises:
        CourseError: If a stub cannot be read or a notebook cannot be written.
    """
    written = []
    for assignment in assignments:
        if _is_fresh(assignment):
            continue
        write_whole(assignment.notebook, _built(assignment))
        written.append(assignment.notebook)
    return written


def write_whole(path: Path, text: str) -> None:
    """Write a file at once: it is there whole or as it was before.

    Raises:
        CourseError: If it cannot be written.
    """
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}; expected a place that can be written; choose another") from error


def _is_fresh(assignment: Assignment) -> bool:
    try:
        found = assignment.notebook.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return found == _built(assignment)


def _built(assignment: Assignment) -> str:
    try:
        stub = assignment.stub.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{assignment.stub}: cannot be read ({error}); expected the stub that students get"
        ) from error
    return build_notebook(stub, name=assignment.name)
