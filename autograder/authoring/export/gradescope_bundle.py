"""Put together the archive that Gradescope builds an autograder from.

    setup.sh            installs Python, the wheel and the pinned versions; run once, as root
    run_autograder      grades one submission; run as root in a fresh container
    dist/*.whl          this engine
    constraints.txt     the versions that are installed here
    course/             `course.yml`, the assignment, its hidden checks and reference
    secret              what seeds are derived from, so that a verdict can be reproduced at home

Source: "Autograder Specifications" of Gradescope's documentation of autograders.
"""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from autograder.authoring.export.pins import constraints
from autograder.authoring.export.student_course import student_course
from autograder.authoring.export.template import fill
from autograder.authoring.export.wheel import make_wheel
from autograder.course.bundle import course_files
from autograder.course.loading import COURSE_FILE, Assignment, Course
from autograder.course.secret import read_secret
from autograder.errors import CourseError
from autograder.files import archive

SCRIPTS = ("setup.sh", "run_autograder")
SECRET = "secret"
_HEAD = "# {title}: the assignment {name} as Gradescope grades it, written by `autograde export-gradescope`.\n"
_DATA = "data"


def gradescope_bundle(course: Course, assignment: Assignment, *, data: bool = False, index: str = "") -> bytes:
    """Return the archive for one assignment; it holds hidden checks and the secret, and is for Gradescope alone.

    Args:
        course: The instructor's course.
        assignment: What Gradescope is to grade.
        data: Whether the course's data sets go along.
        index: A second index of packages for pip, such as PyTorch's of builds for CPUs; empty for none.

    Raises:
        CourseError: If a file or the secret cannot be read, or there are no data sets to take along.
    """
    wheel, engine = make_wheel()
    version = ".".join(platform.python_version_tuple()[:2])
    places = {"secret_file": f"../{SECRET}"} | ({_DATA: _DATA} if data else {})
    own = course_files(replace(course, assignments=(assignment,)))
    head = _HEAD.format(title=course.title, name=assignment.name)
    blanks = {"name": assignment.name, "python": version, "index": shlex.quote(index)}
    files = {
        **{f"course/{name}": content for name, content in own.items()},
        f"course/{COURSE_FILE}": student_course(course, [assignment.name], head=head, places=places).encode(),
        f"dist/{wheel}": engine,
        "constraints.txt": constraints().encode(),
        SECRET: read_secret(course.secret_file),
        **{name: fill(f"gradescope/{name}", **blanks).encode() for name in SCRIPTS},
    }
    if data:
        files |= {f"course/{_DATA}/{name}": content for name, content in _data_sets(course)}
    return archive(files, executable=SCRIPTS, private=(SECRET,))


def require_private(file: Path, course: Course) -> None:
    """Insist on a place for the archive that students do not get.

    Raises:
        CourseError: If it lies under `assignments/`.
    """
    place, public = Path(os.path.realpath(file)), Path(os.path.realpath(course.root / "assignments"))
    if place.is_relative_to(public):
        found = f"{file}: lies under assignments/, which students get"
        raise CourseError(
            f"{found}; expected a place of the instructor's own, for it holds hidden checks; name another"
        )


def _data_sets(course: Course) -> Iterator[tuple[str, bytes]]:
    if course.data is None or not course.data.is_dir():
        found = f"course.yml: {course.data or 'names no folder of data sets'}"
        todo = "expected `data:` with a folder that is there; leave --data out, or put the data there"
        raise CourseError(f"{found}{' is not there' if course.data else ''}; {todo}")
    for path in sorted(course.data.rglob("*")):
        if path.is_file():
            yield path.relative_to(course.data).as_posix(), path.read_bytes()
