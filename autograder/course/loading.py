"""Read `course.yml` into the frozen dataclasses that the rest of the engine works with.

    Course ── path, title, pass_mark, device, sandbox, timezone, data, secret_file
      └── Assignment ── name, title, due, hidden_feedback, forbidden, preload, folder, solutions
            ├── Limits       time_s, load_time_s, wall_factor, memory_bytes, processes, threads, output_bytes, …
            ├── LatePolicy   grace_days, penalty_per_day, cap
            └── Threshold    full_at, zero_at; by check and device

`late`, `hidden_feedback`, `gradings_per_day` and `limits` of the course are the defaults of every assignment, key by
key. Every problem is a CourseError of one line, `course.yml:14: what was found; what was expected; what to do`.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from autograder.course.check_list import check_functions, check_name
from autograder.course.digest import digest_of
from autograder.course.families import FAMILIES, expand, is_family
from autograder.course.messages import owner, read_entry, suggestion
from autograder.course.schema import (
    TAKEN_NAMES,
    AssignmentEntry,
    CourseEntry,
    LatePolicy,
    Limits,
    Threshold,
)
from autograder.course.yaml import Document, Loc, read_yaml, show
from autograder.errors import CourseError

__all__ = ["Assignment", "Course", "LatePolicy", "Limits", "Threshold", "find_course", "load_course"]

COURSE_FILE = "course.yml"
_DEFAULTS = ("hidden_feedback", "late", "gradings_per_day", "limits")
# What does not decide about a report: when and how often it may be had, and how much of it a student reads.
_NOT_GRADED = {"title", "due", "late", "hidden_feedback", "gradings_per_day", "stub_score"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assignment(AssignmentEntry):
    """Describe one assignment and where its files lie.

    Attributes:
        folder: `assignments/<name>`, exactly what students get; in a released folder, which holds one assignment
            beside its own `course.yml`, that folder.
        solutions: `solutions/<name>`, which students' copies of a course lack.
    """

    folder: Path
    solutions: Path

    @property
    def module(self) -> str:
        """Return the name under which a submission is imported."""
        return self.name

    @property
    def fetched(self) -> bool:
        """Return whether its folder is there, which in a student's copy of a course comes with time."""
        return self.folder.is_dir()

    @property
    def stub(self) -> Path:
        """Return the path of the file that students start from."""
        return self.folder / f"{self.name}.py"

    @property
    def notebook(self) -> Path:
        """Return the path of the notebook that is built from the stub."""
        return self.folder / f"{self.name}.ipynb"

    @property
    def readme(self) -> Path:
        """Return the path of the text that students read."""
        return self.folder / "README.md"

    def check_files(self) -> list[Path]:
        """Return the public check files, by name."""
        return sorted(self.folder.glob("check_*.py"))

    def hidden_check_files(self) -> list[Path]:
        """Return the hidden check files, by name; none where `solutions/` is absent."""
        return sorted(self.solutions.glob("check_*.py"))

    def check_names(self) -> list[str]:
        """Return the names of the checks that the check files define, public ones first, without running any.

        Raises:
            CourseError: If a check file cannot be read as Python.
        """
        root = self.solutions.parent.parent
        files = self.check_files() + self.hidden_check_files()
        return [check_name(function) for file in files for function in check_functions(file, root)]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Course(CourseEntry):
    """Describe a course.

    Attributes:
        path: The `course.yml` that this was read from, absolute.
        data: The folder of data sets, absolute; it need not exist.
        secret_file: The file with the secret that seeds are derived from, absolute; it need not exist.
        exchange: nbgrader's exchange folder, absolute; None for nbgrader's own default.
    """

    path: Path
    assignments: tuple[Assignment, ...]

    @property
    def root(self) -> Path:
        """Return the folder that `course.yml` lies in."""
        return self.path.parent

    def assignment(self, name: str) -> Assignment:
        """Return the assignment called `name`.

        Raises:
            CourseError: If there is none, or it is not fetched yet.
        """
        for assignment in self.assignments:
            if assignment.name == name:
                if not assignment.fetched:
                    found = f"{name}: not fetched yet; expected {assignment.folder.relative_to(self.root).as_posix()}/"
                    raise CourseError(f"{found}; run `autograde fetch {name}`")
                return assignment
        names = [assignment.name for assignment in self.assignments]
        hint = suggestion(name, names) or f"; expected one of {', '.join(names) or 'none yet'}"
        raise CourseError(f"there is no assignment {show(name)}{hint}")

    def assignment_digest(self, name: str) -> str:
        """Return 'sha256:...' over all that decides about a report: an assignment's settings and files.

        The settings are those of this assignment with the defaults it inherits. Due date, lateness and what students
        read of a report are no part of it: a change there measures nothing anew. Caches and the notebook, which is
        built from the stub, do not count, and neither does where the course lies on the disk.

        Raises:
            CourseError: If there is no such assignment, or one of its files cannot be read.
        """
        assignment = self.assignment(name)
        names = {field.name for field in dataclasses.fields(AssignmentEntry)} - _NOT_GRADED
        settings = {name: getattr(assignment, name) for name in sorted(names)}
        settings["data"] = self.data and Path(os.path.relpath(self.data, self.root)).as_posix()
        folders = (assignment.folder, assignment.solutions)
        return digest_of(settings, folders, root=self.root, but=assignment.notebook)


def find_course(start: Path) -> Path:
    """Return the `course.yml` of the course that `start` lies in.

    Raises:
        CourseError: If there is none in `start` or above it.
    """
    start = Path(os.path.abspath(start))
    for folder in (start, *start.parents):
        if os.path.isfile(folder / COURSE_FILE):  # unlike Path.is_file, no error where a folder is closed to us
            return folder / COURSE_FILE
        if os.path.isfile(folder / "course.yaml"):
            raise CourseError(f"{folder / 'course.yaml'}: found; expected the name {COURSE_FILE}; rename it")
    todo = "change to the folder of a course, or name its course.yml"
    raise CourseError(f"{start}: in no course; expected a {COURSE_FILE} here or in a folder above; {todo}")


def load_course(path: Path) -> Course:
    """Return the course that a `course.yml` describes, with all that can be checked without running it checked.

    Raises:
        CourseError: For the first problem in the file.
    """
    path = Path(os.path.abspath(path))
    document = read_yaml(path)
    entry = read_entry(_inherited(document))
    zone = _zone(document, entry.timezone)
    if pair := _repeated([item.name for item in entry.assignments]):
        first, second = (("assignments", index, "name") for index in pair)
        found = f"{owner(document, second)} stands here and on line {document.line(first)}"
        raise document.error(second, f"{found}; expected each name once; rename one")
    assignments = []
    for index, item in enumerate(entry.assignments):
        due = item.due if item.due is None or item.due.tzinfo else item.due.replace(tzinfo=zone)
        folder, solutions = _folder(path.parent, item.name), path.parent / "solutions" / item.name
        place = ("assignments", index)
        _check_names_once(document, place, item)
        forbidden = _forbidden(document, place, item.forbidden)
        settings = vars(item) | {"due": due, "folder": folder, "solutions": solutions, "forbidden": forbidden}
        assignments.append(Assignment(**settings))
        _check_assignment(document, place, assignments[-1])
    secret_file = _absolute(path.parent, entry.secret_file)
    if secret_file.is_relative_to(path.parent / "assignments"):
        found = "secret_file lies under assignments/, which students get"
        raise document.error(("secret_file",), f"{found}; expected a place of the grader's own; move it")
    placed = {
        "path": path,
        "assignments": tuple(assignments),
        "data": entry.data and _absolute(path.parent, entry.data),
        "secret_file": secret_file,
        "exchange": entry.exchange and _absolute(path.parent, entry.exchange),
    }
    return Course(**(vars(entry) | placed))


def _folder(root: Path, name: str) -> Path:
    """Return the folder of an assignment; that of the course itself where this assignment was released alone."""
    alone = not (root / "assignments").is_dir() and (root / f"check_{name}.py").is_file()
    return root if alone else root / "assignments" / name


def _absolute(root: Path, path: Path) -> Path:
    return Path(os.path.normpath(root / path))


def _inherited(document: Document) -> Document:
    """Return the document with the course's defaults written into each assignment."""
    values, lines = dict(document.values), dict(document.lines)
    defaults = {key: values[key] for key in _DEFAULTS if key in values}
    places = {key: [loc for loc in document.lines if loc[:1] == (key,)] for key in defaults}
    if not isinstance(values.get("assignments"), list):
        return document
    values["assignments"] = list(values["assignments"])
    for index, item in enumerate(values["assignments"]):
        if not isinstance(item, dict):
            continue
        own = dict(item)
        for key, default in defaults.items():
            if key not in own:
                own[key] = default
            elif isinstance(default, dict) and isinstance(own[key], dict):
                own[key] = default | own[key]
            for loc in places[key]:
                lines.setdefault(("assignments", index, *loc), document.lines[loc])
        values["assignments"][index] = own
    return dataclasses.replace(document, values=values, lines=lines)


def _zone(document: Document, name: str) -> tzinfo:
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        hint = suggestion(name, available_timezones())
        expected = hint or "; expected a name of the time zone database such as Europe/Vienna"
        raise document.error(("timezone",), f"timezone is {show(name)}{expected}") from error


def _repeated(names: Sequence[str]) -> tuple[int, int] | None:
    """Return the two places of the first name that stands twice."""
    seen: dict[str, int] = {}
    for index, name in enumerate(names):
        if name in seen:
            return seen[name], index
        seen[name] = index
    return None


def _check_names_once(document: Document, place: Loc, item: AssignmentEntry) -> None:
    """Check that the lists of names of one assignment hold each name once."""
    for key in ("forbidden", "preload"):
        names: tuple[str, ...] = getattr(item, key)
        if pair := _repeated(names):
            first, second = ((*place, key, index) for index in pair)
            label = f"{key} of {owner(document, place)}"
            problem = f"{label} lists {show(names[pair[1]])} here and on line {document.line(first)}"
            raise document.error(second, f"{problem}; expected it once; delete one")


def _forbidden(document: Document, place: Loc, names: Sequence[str]) -> tuple[str, ...]:
    """Return the forbidden calls of one assignment, with the named families replaced by what they hold."""
    for index, name in enumerate(names):
        if is_family(name) and name not in FAMILIES:
            hint = suggestion(name, FAMILIES) or f"; expected a dotted name or one of {', '.join(sorted(FAMILIES))}"
            problem = f"forbidden of {owner(document, place)} names the family {show(name)}, which does not exist"
            raise document.error((*place, "forbidden", index), f"{problem}{hint}")
    return expand(names)


def _check_assignment(document: Document, place: Loc, assignment: Assignment) -> None:
    """Check what one assignment says against itself and the disk."""
    label = owner(document, place)
    if assignment.name in TAKEN_NAMES:
        found = f"{label} has the name of a module that Python or the grader uses"
        raise document.error((*place, "name"), f"{found}; expected a name of its own; rename it")
    root = assignment.solutions.parent.parent
    folders = _names(assignment.folder.parent)
    if assignment.folder != root and assignment.name not in folders:
        if not (root / "solutions").is_dir():  # a student's copy of the course: not fetched yet
            return
        hint = suggestion(assignment.name, folders) or f"; create assignments/{assignment.name}/ or delete the entry"
        raise document.error((*place, "name"), f"{label} has no folder under assignments/{hint}")
    if not assignment.check_files():
        expected = f"check_{assignment.name}.py"
        hint = suggestion(expected, [name for name in _names(assignment.folder) if name.endswith(".py")])
        found = f"{label} has no check file in assignments/{assignment.name}/; expected {expected}"
        raise document.error((*place, "name"), f"{found}{hint or '; write it'}")
    _check_thresholds(document, place, assignment)


def _check_thresholds(document: Document, place: Loc, assignment: Assignment) -> None:
    """Check that each threshold names a check; where hidden checks are absent, it may name one of those."""
    if not assignment.thresholds or not assignment.solutions.is_dir():
        return
    try:
        checks = set(assignment.check_names())
    except CourseError:  # said when these checks are loaded: a half-written file must not stop the other assignments
        return
    for name in assignment.thresholds:
        if name not in checks:
            hint = suggestion(name, checks) or f"; expected one of {', '.join(sorted(checks)) or 'none yet'}; rename it"
            found = f"thresholds of {owner(document, place)} name the check {show(name)}, which no check file defines"
            raise document.error((*place, "thresholds", name), f"{found}{hint}")


def _names(folder: Path) -> list[str]:
    """Return the names in a folder as they are spelt there, whatever the file system takes for equal."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
