"""Make an assignment: its two folders and its entry in `course.yml`, all of them or nothing.

Everything is written under a temporary name inside the course, where the new entry is read and the notebook is built
as well; what is moved to its place is finished. `course.yml` changes last, and at once.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from autograder.authoring.new.course_entry import extended, plain_or_quoted
from autograder.authoring.notebooks import write_notebooks
from autograder.course.loading import COURSE_FILE, Course, load_course
from autograder.course.messages import keys_of
from autograder.course.schema import TAKEN_NAMES, AssignmentEntry, is_module_name, is_text
from autograder.course.yaml import show
from autograder.errors import CourseError

EXAMPLE = Path(__file__).parent / "example"
_PARTS = ("assignments", "solutions")
_PLACEHOLDER = "NAME"  # in the names of files; in texts it is {{name}}
_COURSE_FILES = {COURSE_FILE: "course.yml", "nbgrader_config.py": "nbgrader_config.py", ".gitignore": "gitignore"}


def add_assignment(course: Course, name: str, title: str) -> list[Path]:
    """Make a new assignment in a course and return the files that were written, relative to the course's folder.

    Raises:
        CourseError: If the name or the title cannot be taken, `course.yml` cannot be extended, or a file cannot be
            written; then everything is as it was.
    """
    _require_example()
    _require_new(course, name)
    _require_text("title", title)
    entry = _filled(EXAMPLE / "entry.yml", {"name": name, "title": plain_or_quoted(title)})
    with _in_words(), contextlib.ExitStack() as undo:
        text = extended(course.path.read_bytes().decode("utf-8"), entry, name=course.path.name)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=course.root) as staging:
            _write_example(Path(staging), {"name": name, "title": title}, entry)
            for part in _PARTS:
                _move_folder(Path(staging, part, name), course.root / part / name, undo)
        os.replace(_draft(course, text, undo), os.path.realpath(course.path))
        undo.pop_all()
    found = (file for part in _PARTS for file in (course.root / part / name).rglob("*") if file.is_file())
    made = sorted((file.relative_to(course.root) for file in found), key=lambda file: (file.parent, file.name))
    return [Path(course.path.name), *made]


def start_course(folder: Path, course_title: str, *, name: str, title: str) -> list[Path]:
    """Make a course with one new assignment in a folder that lies in none.

    Files that are there already, such as a `.gitignore`, stay as they are.

    Returns:
        The files that were written, relative to the folder.

    Raises:
        CourseError: As for ``add_assignment``; then everything is as it was.
    """
    _require_example()
    _require_text("course's title", course_title)
    written = []
    with _in_words(), contextlib.ExitStack() as undo:
        for file_name, source in _COURSE_FILES.items():
            place = folder / file_name
            if not os.path.lexists(place):
                undo.callback(place.unlink, missing_ok=True)
                text = _filled(EXAMPLE / "course" / source, {"title": plain_or_quoted(course_title)})
                place.write_text(text, encoding="utf-8")
                written.append(Path(file_name))
        added = add_assignment(load_course(folder / COURSE_FILE), name, title)
        undo.pop_all()
    return [*written, *added[1:]]


def _require_example() -> None:
    if not EXAMPLE.is_dir():
        found = "autograde new: this engine was installed from a wheel, which students get, and holds no example"
        raise CourseError(f"{found}; expected a clone of its repository; run `pip install --editable .` in that")


def _require_new(course: Course, name: str) -> None:
    """Refuse a name that no assignment may have, or that one has."""
    if course.assignments and not (course.root / "solutions").is_dir():
        raise CourseError(f"{course.root}: has no solutions/; expected the instructor's copy; change to that")
    if not is_module_name(name):
        expected = keys_of(AssignmentEntry)["name"]
        raise CourseError(f"{show(name)}: no name of an assignment; expected {expected}; choose another")
    if name in TAKEN_NAMES or importlib.util.find_spec(name) is not None:
        found = f"{name}: a module of this name is in use here"
        raise CourseError(f"{found}; expected a name of the assignment's own; choose another")
    if name in [assignment.name for assignment in course.assignments]:
        raise CourseError(f"{name}: stands in {course.path.name} already; expected a new name; choose another")
    for part in _PARTS:
        if os.path.lexists(course.root / part / name):
            raise CourseError(f"{part}/{name}: is there already; expected no such folder; choose another name")


def _require_text(what: str, text: str) -> None:
    if not is_text(text):
        raise CourseError(
            f"the {what} is {show(text)}; expected one line of text of at most 200 characters; shorten it"
        )


def _write_example(root: Path, values: Mapping[str, str], entry: str) -> None:
    """Write the example's folders under `root`, with the assignment's name in names and texts, and its notebook."""
    for part in _PARTS:
        for source in sorted((EXAMPLE / part).rglob("*")):
            if source.suffix in (".py", ".md"):
                place = root / source.relative_to(EXAMPLE).as_posix().replace(_PLACEHOLDER, values["name"])
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(_filled(source, values), encoding="utf-8")
    draft = root / COURSE_FILE
    draft.write_text(f"title: A draft\nassignments:\n{entry}", encoding="utf-8")
    write_notebooks(load_course(draft).assignments)


def _filled(source: Path, values: Mapping[str, str]) -> str:
    """Return a file's text with each {{key}} replaced by its value."""
    text = source.read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace("{{" + key + "}}", value)
    return text


def _move_folder(source: Path, place: Path, undo: contextlib.ExitStack) -> None:
    """Move a finished folder to its place, whose parent is made where it is missing."""
    if not place.parent.is_dir():
        place.parent.mkdir()
        undo.callback(place.parent.rmdir)
    os.rename(source, place)
    undo.callback(shutil.rmtree, place, ignore_errors=True)


def _draft(course: Course, text: str, undo: contextlib.ExitStack) -> Path:
    """Write the new text beside `course.yml` and make sure that it says what the old one said, and one entry more.

    Raises:
        CourseError: If it does not.
    """
    handle, draft = tempfile.mkstemp(prefix=f".{course.path.name}.", dir=course.root)
    undo.callback(Path(draft).unlink, missing_ok=True)
    with os.fdopen(handle, "wb") as file:
        file.write(text.encode("utf-8"))
    shutil.copymode(course.path, draft)
    try:
        same = load_course(Path(draft)).assignments[:-1] == course.assignments
    except CourseError:
        same = False
    if not same:
        found = f"{course.path.name}: no entry can be added to this text and leave the others as they are"
        raise CourseError(f"{found}; expected entries below each other that begin with '- name: ...'; write them so")
    return Path(draft)


@contextlib.contextmanager
def _in_words() -> Iterator[None]:
    """Word an error of the file system for an instructor."""
    try:
        yield
    except OSError as error:
        found = f"{error.filename or 'the course'}: {error.strerror or error}"
        raise CourseError(f"{found}; expected a place that can be written; see who may write there") from error
