"""Put together the repository that students get: the course without `solutions/`, and what checks it on GitHub.

What students may see is chosen by where it lies, under `assignments/`. As a last look, nothing whose code is that of a
file under `solutions/` goes out, for a reference solution saved over a stub is a mistake that nobody notices in time.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.authoring.export.pins import constraints
from autograder.authoring.export.student_course import student_course
from autograder.authoring.export.template import fill
from autograder.authoring.export.wheel import make_wheel
from autograder.authoring.notebooks import stale_notebooks
from autograder.course.digest import CACHE_FOLDERS, LITTER, read_bytes
from autograder.course.loading import COURSE_FILE, Assignment, Course
from autograder.errors import CourseError
from autograder.submission.source import code_digest, code_lines

_HEAD = (
    "# {title}: the students' copy, written by `autograde export-students`.\n"
    "# Changes belong into course.yml of the instructor's repository.\n"
)
_LEAST_LINES = 3  # what is shorter, such as an empty file, is no solution


def student_files(course: Course, package: str | None = None) -> dict[str, bytes]:
    """Return the files of the students' repository by name.

    Args:
        course: The instructor's course.
        package: What students install as pip names it; by default a wheel of this engine, which lies in `dist/`.

    Raises:
        CourseError: If a notebook is stale, a file cannot be read, or one is the same as a file under `solutions/`.
    """
    if stale := stale_notebooks(course.assignments):
        found = f"{stale[0].relative_to(course.root).as_posix()}: stale"
        raise CourseError(f"{found}; expected what its stub, README and checks give; run `autograde build`")
    files = {name: data for assignment in course.assignments for name, data in _released(course, assignment)}
    _require_no_solution(course, files)
    if package is None:
        wheel, data = make_wheel()
        files[f"dist/{wheel}"], package = data, f"./dist/{wheel}"
    names = [assignment.name for assignment in course.assignments]
    version = ".".join(platform.python_version_tuple()[:2])
    texts = {
        COURSE_FILE: student_course(course, names, head=_HEAD.format(title=course.title)),
        "README.md": fill("students/README.md", title=course.title, assignments=_table(course), python=version),
        "requirements.txt": f"{package}\n",
        "constraints.txt": constraints(),
        ".gitignore": fill("students/gitignore"),
        ".github/workflows/check.yml": fill("students/check.yml", python=version),
    }
    return files | {name: text.encode() for name, text in texts.items()}


def require_outside(folder: Path, course: Course) -> None:
    """Insist on a folder that neither lies in the course nor holds it.

    Raises:
        CourseError: If it does.
    """
    place, root = Path(os.path.realpath(folder)), Path(os.path.realpath(course.root))
    if place.is_relative_to(root):
        raise CourseError(
            f"{folder}: lies in the instructor's course {root}; expected a folder outside it; name another"
        )
    if root.is_relative_to(place):
        raise CourseError(f"{folder}: holds the instructor's course {root}; expected a folder outside it; name another")


def _released(course: Course, assignment: Assignment) -> Iterator[tuple[str, bytes]]:
    """Yield the files of an assignment, which students get as they lie there."""
    for top, folders, names in os.walk(assignment.folder):
        folders[:] = sorted(set(folders) - CACHE_FOLDERS)
        for name in sorted((*names, *folders)):
            path = Path(top) / name
            label = path.relative_to(course.root).as_posix()
            if path.is_symlink():
                raise CourseError(f"{label}: a link; expected a plain file, which students may have; copy it here")
            if name in names and name not in LITTER and not name.endswith((".pyc", ".pyo", "~")):
                yield label, read_bytes(path, course.root)


def _require_no_solution(course: Course, files: Mapping[str, bytes]) -> None:
    hidden: dict[str, str] = {}
    for path in sorted((course.root / "solutions").rglob("*")):
        if path.is_file() and not CACHE_FOLDERS.intersection(path.parts):
            hidden.setdefault(_digest(path.read_bytes()), path.relative_to(course.root).as_posix())
    hidden.pop("", None)
    for name, data in files.items():
        if twin := hidden.get(_digest(data)):
            raise CourseError(f"{name}: is {twin}; expected what students may see; put the stub back")


def _digest(data: bytes) -> str:
    """Return the digest of a text's lines of code; nothing where there are next to none."""
    text = data.decode(errors="backslashreplace")
    return code_digest(text) if len(code_lines(text)) >= _LEAST_LINES else ""


def _table(course: Course) -> str:
    """Return the assignments as rows of a Markdown table."""
    rows = []
    for assignment in course.assignments:
        due = assignment.due.strftime("%Y-%m-%d %H:%M %Z") if assignment.due else "–"
        title = assignment.title.replace("|", "\\|")
        rows.append(f"| [{assignment.name}](assignments/{assignment.name}/README.md) | {title} | {due} |")
    return "\n".join(rows)
