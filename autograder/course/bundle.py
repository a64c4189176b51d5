"""Pack what grading needs of a course into one piece of bytes, and unpack it elsewhere."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from autograder.course.digest import CACHE_FOLDERS, read_bytes
from autograder.course.loading import Course
from autograder.files import archive


def pack_course(course: Course) -> bytes:
    """Return an archive of what grading needs; see ``course_files``."""
    return archive(course_files(course))


def course_files(course: Course) -> dict[str, bytes]:
    """Return `course.yml`, all that students get, and the hidden files beside the reference solutions, by name.

    Kept submissions, data sets and the secret stay where they are.

    Raises:
        CourseError: If one of the files is no plain file or cannot be read.
    """
    paths = [course.path]
    for assignment in course.assignments:
        if assignment.fetched:
            paths += _files(assignment.folder)
        paths += [path for path in _files(assignment.solutions) if path.parent == assignment.solutions]
    named = {path: path.relative_to(course.root).as_posix() for path in sorted(set(paths))}
    return {
        "course.yml" if path == course.path else name: read_bytes(path, course.root) for path, name in named.items()
    }


def unpack_course(bundle: bytes, folder: Path) -> Path:
    """Unpack a bundle of ours into an empty folder, and return the path of its `course.yml`."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        archive.extractall(folder)
    return folder / "course.yml"


def _files(folder: Path) -> list[Path]:
    found = folder.rglob("*") if folder.is_dir() else ()
    return [path for path in found if path.is_file() and not CACHE_FOLDERS.intersection(path.parts)]
