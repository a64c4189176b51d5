"""Find the exchange of a course: its folder, nbgrader's name of the course, this student's name and cache.

    exchange/COURSE_ID/outbound/NAME                               what was released
    exchange/COURSE_ID/inbound/STUDENT+NAME+TIMESTAMP+RANDOM       what was submitted
    exchange/COURSE_ID/feedback/HASH.html                          what was returned
    cache/COURSE_ID/STUDENT+NAME+TIMESTAMP                         the student's own copy of what they submitted

Folders, names and files are nbgrader's, so that either side may use its plain commands or the buttons in JupyterLab.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jupyter_core.paths import jupyter_config_path

from autograder.course.loading import Course
from autograder.errors import ExchangeError
from autograder.submission.source import shown

NBGRADERS_OWN = Path("/usr/local/share/nbgrader/exchange")
"""Where nbgrader looks for an exchange unless it is told. Source: nbgrader.exchange.default.Exchange.root."""


@dataclass(frozen=True)
class Options:
    """What a person said about the exchange on the command line; None where nothing was said."""

    exchange: Path | None = None
    course_id: str | None = None
    student: str | None = None


UNSAID = Options()


@dataclass(frozen=True)
class Place:
    """Where one course's files change hands, seen by one student.

    Attributes:
        course_id: nbgrader's name of the course.
        root: The exchange.
        cache: nbgrader's cache of this student's own submissions.
        student: The student's name.
        timestamp_format: How nbgrader writes the time of a submission.
        timezone: The time zone that it writes it in.
    """

    course_id: str
    root: Path
    cache: Path
    student: str
    timestamp_format: str = "%Y-%m-%d %H:%M:%S.%f %Z"
    timezone: str = "UTC"

    @property
    def outbound(self) -> Path:
        """Return the folder of what was released."""
        return self.root / self.course_id / "outbound"

    @property
    def inbound(self) -> Path:
        """Return the folder of what was submitted."""
        return self.root / self.course_id / "inbound"

    @property
    def feedback(self) -> Path:
        """Return the folder of what was returned."""
        return self.root / self.course_id / "feedback"

    @property
    def cached(self) -> Path:
        """Return the folder of this student's copies of what they submitted."""
        return self.cache / self.course_id

    def released(self) -> list[str]:
        """Return the names of the released assignments.

        Raises:
            ExchangeError: If there is no exchange, or it may not be read.
        """
        if not self.root.is_dir():
            raise ExchangeError(
                f"{self.root}: there is no exchange; expected the folder that `autograde release` makes; "
                "ask your instructor, or name it with --exchange"
            )
        try:
            names = os.listdir(self.outbound)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise unusable(self.outbound, error, "a folder that you may read") from None
        return sorted(name for name in names if not name.startswith(".") and (self.outbound / name).is_dir())

    def released_folder(self, name: str) -> Path:
        """Return the folder of a released assignment.

        Raises:
            ExchangeError: If it is not released.
        """
        names = self.released()
        if name not in names:
            found = f"there are {', '.join(names)}" if names else "nothing is released yet"
            raise ExchangeError(
                f"{shown(name)}: not released in {self.outbound}; {found}; "
                "check the name, or ask your instructor when it comes"
            )
        return self.outbound / name

    def stamp(self, moment: datetime) -> str:
        """Return a moment as nbgrader writes it into the names of folders and into `timestamp.txt`."""
        try:
            zone: tzinfo = ZoneInfo(self.timezone)
        except (LookupError, ValueError, OSError):
            zone = UTC
        return moment.astimezone(zone).strftime(self.timestamp_format)


def moment_of(stamp: str) -> datetime | None:
    """Return the moment that a timestamp of nbgrader's names; None if it names none."""
    from nbgrader.utils import parse_utc

    try:
        moment: datetime = parse_utc(stamp)
        return moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def unusable(path: Path, error: OSError, expected: str) -> ExchangeError:
    """Return the error for a place in the exchange that the operating system does not let us use."""
    reason = os.strerror(error.errno) if error.errno else str(error)
    if isinstance(error, PermissionError):
        todo = "ask your instructor to run `autograde doctor`"
    else:
        todo = "look at it, or name another place"
    return ExchangeError(f"{path}: {reason}; expected {expected}; {todo}")


def has_exchange(course: Course | None, options: Options = UNSAID) -> bool:
    """Say, without the seconds that importing nbgrader takes, whether there may be an exchange for a course."""
    if options.exchange is not None or (course is not None and course.exchange is not None) or NBGRADERS_OWN.is_dir():
        return True
    folders = (os.getcwd(), *jupyter_config_path())
    if course is not None and Path.cwd() == course.root:
        folders = folders[1:]  # what lies there says what course.yml says
    return any(os.path.isfile(os.path.join(folder, "nbgrader_config.py")) for folder in folders)


def settings(course: Course | None, options: Options = UNSAID) -> Any:
    """Return nbgrader's configuration: its own files, then `course.yml`, then the options.

    Raises:
        ExchangeError: If nbgrader is not installed, or one of its files cannot be read.
    """
    import logging

    from autograder.nbgrader.config import config_of

    try:
        from nbgrader.apps.baseapp import NbGrader
    except ModuleNotFoundError as error:
        raise ExchangeError(
            f"exchange: the package {error.name} is not installed; expected nbgrader; run `pip install nbgrader`"
        ) from None

    app = NbGrader(log_level=logging.CRITICAL)  # it warns where there is no configuration, which is no fault here
    app.raise_config_file_errors = True
    try:
        app.load_config_file()
    except Exception as error:  # whatever a configuration file raises is its mistake
        raise ExchangeError(
            f"nbgrader_config.py: {type(error).__name__}: {shown(str(error))}; expected nbgrader's configuration; "
            f"correct it (nbgrader looks in {os.getcwd()} and where `jupyter --paths` says)"
        ) from error
    config = app.config
    if course is not None:
        config.merge(config_of(course))
    if options.exchange is not None:
        config.Exchange.root = os.path.abspath(options.exchange)
    if options.course_id is not None:
        config.CourseDirectory.course_id = options.course_id
    if options.student is not None:
        config.CourseDirectory.student_id = options.student
    return config


def find_place(course: Course | None, options: Options = UNSAID) -> Place:
    """Return where a course's files change hands.

    Args:
        course: The course; None where the options and nbgrader's own configuration say all.
        options: What the person said.

    Raises:
        ExchangeError: If it is not clear which course or whose submission is meant, or the student has no access.
    """
    if sys.platform == "win32":
        raise ExchangeError("exchange: nbgrader has none on Windows; hand your file in as your instructor says")
    config = settings(course, options)
    from nbgrader.auth import Authenticator
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default import Exchange
    from nbgrader.utils import get_username

    directory = CourseDirectory(config=config)
    exchange = Exchange(coursedir=directory, config=config)
    if not directory.course_id:
        raise ExchangeError(
            "course: neither a course.yml nor nbgrader's configuration says which; expected one of them; "
            "change to the folder that you fetched, or give --exchange and --course-id"
        )
    student = get_username() if directory.student_id == "*" else directory.student_id
    # Source: nbgrader.exchange.default.submit, which refuses the first two; the others would leave the folder.
    if not student or set(student) & set("*+/\0") or student.startswith(".") or not student.isprintable():
        raise ExchangeError(
            f"student: {shown(student)!r}; expected a name without *, + and / that begins with no dot; "
            "give it with --student"
        )
    if not Authenticator(config=config).has_access(directory.student_id, directory.course_id):
        raise ExchangeError(
            f"course {directory.course_id}: {student} has no access to it; expected a student of the course; "
            "ask your instructor"
        )
    return Place(
        course_id=directory.course_id,
        root=Path(exchange.root),
        cache=Path(exchange.cache),
        student=student,
        timestamp_format=exchange.timestamp_format,
        timezone=exchange.timezone,
    )
