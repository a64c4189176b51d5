"""Release, collect and return: an instructor's side of the exchange, through nbgrader's own classes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.authoring.notebooks import stale_notebooks
from autograder.course.loading import Course
from autograder.errors import CourseError, ExchangeError, SubmissionError
from autograder.nbgrader.exchange.folders import read_folder
from autograder.nbgrader.exchange.location import UNSAID, Options, Place, find_place, settings
from autograder.submission.source import shown


@dataclass(frozen=True)
class Released:
    """What was released.

    Attributes:
        folder: Where.
        files: The names of the files.
        before: ``new``, ``same`` or ``replaced``: what stood there before.
        submitted: How many students have submitted already.
    """

    folder: Path
    files: tuple[str, ...]
    before: str
    submitted: int


@dataclass(frozen=True)
class Returned:
    """What feedback was returned, and in words what was not.

    Attributes:
        students: Whose feedback was returned.
        warnings: Whose was not, and why.
    """

    students: tuple[str, ...]
    warnings: tuple[str, ...]


def release(course: Course, name: str, options: Options = UNSAID) -> Released:
    """Generate the students' version of an assignment and put it into the exchange, in place of an earlier one.

    Raises:
        CourseError: If its notebook is stale, or nbgrader cannot generate it.
        ExchangeError: If it cannot be put into the exchange.
    """
    from nbgrader.converters import GenerateAssignment

    from autograder.nbgrader.exchange.classes import ReleaseAssignment

    assignment = course.assignment(name)
    for stale in stale_notebooks([assignment]):
        where = stale.relative_to(course.root)
        raise CourseError(f"{where}: stale; expected the notebook of this stub; run `autograde build {name}`")
    place = find_place(course, options)
    target = place.outbound / name
    before = _files(target)
    directory, config = _directory(course, options, name)
    converter = GenerateAssignment(coursedir=directory, config=config)
    converter.force = converter.create_assignment = True
    _run(converter, CourseError, f"{name}: nbgrader generates no assignment")
    generated = Path(directory.format_path(directory.release_directory, ".", name))
    if not (generated / "course.yml").is_file():
        # nbgrader goes on where a hook of ours fails.
        raise CourseError(f"{generated}: no course.yml was written; expected that of the one assignment; look at it")
    exchange = ReleaseAssignment(coursedir=directory, config=config)
    exchange.force = True
    _run(exchange, ExchangeError, f"{place.root}: {name} is not released")
    after = _files(target)
    state = "new" if not before else "same" if before == after else "replaced"
    return Released(target, tuple(sorted(after)), state, len(_submitters(place, name)))


def collect(course: Course, name: str, options: Options = UNSAID) -> Any:
    """Collect the latest submission of each student, and return what came.

    Raises:
        ExchangeError: If the exchange cannot be read.
    """
    from autograder.nbgrader.exchange.classes import Collect

    course.assignment(name)
    place = find_place(course, options)
    if not place.inbound.is_dir():
        raise ExchangeError(
            f"{place.inbound}: there is no such folder; expected what was submitted; "
            f"run `autograde release {name}` first"
        )
    directory, config = _directory(course, options, name)
    exchange = Collect(coursedir=directory, config=config)
    exchange.update = True
    _run(exchange, ExchangeError, f"{exchange.root}: nothing is collected")
    return exchange.collected


def release_feedback(course: Course, name: str, options: Options = UNSAID) -> Returned:
    """Write the feedback for every graded submission of an assignment, and put it into the exchange.

    Raises:
        ExchangeError: If nothing is graded, or the exchange cannot be written.
    """
    from nbgrader.converters import GenerateFeedback
    from nbgrader.exchange.default import ExchangeReleaseFeedback

    course.assignment(name)
    directory, config = _directory(course, options, name)
    graded = _students_in(directory, directory.autograded_directory, name)
    if not graded:
        raise ExchangeError(f"{name}: nothing is graded; expected autograded/; run `autograde grade {name}` first")
    converter = GenerateFeedback(coursedir=directory, config=config)
    converter.force = True
    _run(converter, ExchangeError, f"{name}: nbgrader generates no feedback")
    written = _students_in(directory, directory.feedback_directory, name)
    warnings, strangers = [], []
    for student in written:
        folder = Path(directory.format_path(directory.feedback_directory, student, name))
        if not all((folder / file).is_file() for file in ("submission_secret.txt", "timestamp.txt")):
            strangers.append(student)
            warnings.append(f"{student}: did not come through the exchange; give them {folder} yourself")
    directory.student_id_exclude = ",".join(strangers)
    exchange = ExchangeReleaseFeedback(coursedir=directory, config=config)
    _run(exchange, ExchangeError, f"{exchange.root}: no feedback is released")
    return Returned(tuple(student for student in written if student not in strangers), tuple(warnings))


def waiting(course: Course, place: Place, name: str) -> tuple[int, int]:
    """Return how many students' latest submissions are to be collected, and how many are collected."""
    from nbgrader.coursedir import CourseDirectory

    from autograder.nbgrader.config import config_of
    from autograder.nbgrader.exchange.classes import existing_timestamp

    directory = CourseDirectory(config=config_of(course))
    collected = _students_in(directory, directory.submitted_directory, name)
    count = 0
    for student, stamp in _submitters(place, name).items():
        before = existing_timestamp(
            directory, Path(directory.format_path(directory.submitted_directory, student, name))
        )
        count += before is None or stamp > before
    return count, len(collected)


def _submitters(place: Place, name: str) -> dict[str, Any]:
    """Return the latest timestamp of each student in the inbound folder, as far as it can be listed."""
    from nbgrader.utils import parse_utc

    latest: dict[str, Any] = {}
    try:
        folders = os.listdir(place.inbound)
    except OSError:
        return {}
    for folder in folders:
        parts = folder.rsplit("+", 3)
        if folder.startswith(".") or len(parts) < 3 or parts[1] != name:
            continue
        try:
            stamp = parse_utc(parts[2])
        except (ValueError, OverflowError):
            continue
        latest[parts[0]] = max(stamp, latest.get(parts[0], stamp))
    return latest


def _students_in(directory: Any, step: str, name: str) -> list[str]:
    """Return the students who have a folder for an assignment in one of nbgrader's steps."""
    root = Path(directory.root, step)
    try:
        return sorted(entry for entry in os.listdir(root) if entry[0] != "." and (root / entry / name).is_dir())
    except OSError:
        return []


def _directory(course: Course, options: Options, name: str) -> tuple[Any, Any]:
    from nbgrader.coursedir import CourseDirectory

    config = settings(course, options)
    directory = CourseDirectory(config=config)
    directory.assignment_id = name
    return directory, config


def _files(folder: Path) -> dict[str, bytes]:
    try:
        return read_folder(folder)[0] if folder.is_dir() else {}
    except SubmissionError:
        return {}


class _Last(logging.Handler):
    """Keeps the last error that nbgrader logged."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line; of a traceback, which is several, the last one."""
        lines = record.getMessage().strip().splitlines()
        self.text = lines[-1] if lines else self.text


@contextmanager
def _in_folder(folder: str) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _run(step: Any, error: type[CourseError] | type[ExchangeError], what: str) -> None:
    """Run a converter or an exchange class of nbgrader in the course's folder, and say in one line what stopped it."""
    last = _Last()
    step.log.addHandler(last)
    propagates, step.log.propagate = step.log.propagate, False
    try:
        with _in_folder(step.coursedir.root):
            step.start()
    except (KeyboardInterrupt, CourseError, ExchangeError):
        raise
    except SystemExit as stop:
        raise error(
            f"{what} ({shown(last.text or str(stop))}); expected nbgrader to do it; run `autograde doctor`"
        ) from None
    except Exception as problem:  # whatever nbgrader raises
        words = shown(" ".join(str(problem).split()) or type(problem).__name__)
        reason = words if not last.text or last.text in words else f"{words}: {shown(last.text)}"
        raise error(f"{what} ({reason}); expected nbgrader to do it; run `autograde doctor`") from problem
    finally:
        step.log.removeHandler(last)
        step.log.propagate = propagates
