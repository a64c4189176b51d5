"""Keep reports, so that nothing is graded twice and every command gives the same answer.

A report is found again by what decides about it: the submission's text, the assignment's files and settings, the
engine, the device, the sandbox level, and which checks ran. Whose it is does not count: identical submissions share
one report, and so one score.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from autograder.course.loading import Course
from autograder.errors import CourseError
from autograder.grading.job import Job
from autograder.report.model import Report, report_of
from autograder.submission.reading import Submission

STORE_VARIABLE = "AUTOGRADE_STORE"
"""Names the store's URL in place of the file beside the course, for several machines that share one."""
_WAIT_S = 60
_LOG = logging.getLogger(__name__)
METADATA = sa.MetaData()
"""The tables of the store."""
_REPORTS = sa.Table(
    "autograde_reports",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("digest", sa.String(64), nullable=False),  # of the document, so that half a row is never taken for one
    sa.Column("document", sa.Text, nullable=False),
)


@dataclass(frozen=True)
class Reuse:
    """Which reports of earlier gradings count.

    Attributes:
        url: The database that keeps reports.
        resume: Whether what it holds is the answer; if not, everything is measured anew and written over it.
    """

    url: str
    resume: bool = True


@functools.cache
def engine_digest() -> str:
    """Return a digest of what grades: this package's files, and the versions of torch and Python."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256(f"{version('torch')} {platform.python_version()}".encode())
    for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".ini"}):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def job_key(course: Course, job: Job) -> str:
    """Return a digest of all but the submission that decides about a report.

    Raises:
        CourseError: If a file of the assignment cannot be read.
    """
    parts = [
        *(job.assignment, course.assignment_digest(job.assignment), engine_digest()),
        *(job.device, job.level, course.sandbox, job.hidden, job.select, job.pairs),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def report_key(job: str, submission: Submission) -> str:
    """Return the key of a submission's report, from the job's key."""
    return hashlib.sha256(f"{job}\0{submission.digest}".encode()).hexdigest()


class Store:
    """Reports in a database. What is wrong with the database is logged, and grading goes on without it."""

    def __init__(self, url: str) -> None:
        """Name a database; its table is made where it is missing.

        Raises:
            CourseError: If the URL is none, or names a driver that is not installed.
        """
        try:
            address = sa.make_url(url)
            self._shown = address.render_as_string()  # without the password
            options = {"timeout": _WAIT_S} if address.get_backend_name() == "sqlite" else {}
            self._engine = sa.create_engine(address, connect_args=options, poolclass=sa.NullPool)
        except (sa.exc.ArgumentError, ImportError) as error:
            # Neither message is passed on: what was given may hold a password.
            kind = "no URL of a database" if isinstance(error, sa.exc.ArgumentError) else "its driver is not installed"
            raise CourseError(
                f"the store of reports: {kind}; expected one such as sqlite:////srv/reports.db; set {STORE_VARIABLE}"
            ) from None
        if address.get_backend_name() == "sqlite":
            sa.event.listen(self._engine, "connect", _prepare_sqlite)
            if address.database:
                with contextlib.suppress(OSError):  # the first transaction says what is wrong
                    Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        self._ready = False

    def find(self, job: str, submission: Submission) -> Report | None:
        """Return the report of a submission, in its own student's name; None where there is none that can be read."""
        key = report_key(job, submission)
        report = self.read(key)
        if report is None:
            return None
        if report.digest != submission.digest or report.assignment != submission.assignment:
            self._warn(f"row {key[:12]} is ignored", ValueError("it is of another submission"))
            return None
        return replace(
            report,
            student=submission.student,
            submitted_at=submission.submitted_at.isoformat() if submission.submitted_at else None,
            flags=(*submission.flags, *report.flags),
            notes=submission.notes,
            error=submission.error,
        )

    def read(self, key: str) -> Report | None:
        """Return the report with this key, in nobody's name; None where there is none that can be read."""
        row: Any = None
        try:
            with self.transaction() as connection:
                row = connection.execute(sa.select(_REPORTS).where(_REPORTS.c.key == key)).first()
        except sa.exc.SQLAlchemyError as error:
            self._warn("cannot be read", error)
        if row is None:
            return None
        try:
            if _digest(row.document) != row.digest:
                raise ValueError("its digest is another")
            report = report_of(json.loads(row.document))
            if not report.complete:
                raise ValueError("it is not complete")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._warn(f"row {key[:12]} is ignored", error)
            return None
        return report

    def keep(self, job: str, submission: Submission, report: Report) -> None:
        """Write a report in one transaction, in place of an earlier one; one that is not complete is not kept."""
        if not report.complete:
            return
        key = report_key(job, submission)
        own = replace(
            report, student="", submitted_at=None, flags=report.flags[len(submission.flags) :], notes=(), error=""
        )
        document = json.dumps(own.document(), allow_nan=False)
        values = {"key": key, "digest": _digest(document), "document": document}
        for attempt in (1, 2):
            try:
                with self.transaction() as connection:
                    connection.execute(sa.delete(_REPORTS).where(_REPORTS.c.key == key))
                    connection.execute(sa.insert(_REPORTS).values(values))
                return
            except sa.exc.IntegrityError as error:  # another process wrote the same report in between
                if attempt == 2:
                    self._warn("cannot be written", error)
            except sa.exc.SQLAlchemyError as error:
                self._warn("cannot be written", error)
                return

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Open a transaction; the tables are there.

        Raises:
            SQLAlchemyError: If the database cannot be reached or written.
        """
        if not self._ready:
            try:
                METADATA.create_all(self._engine)
            except sa.exc.SQLAlchemyError:  # another process made the table between the look and the making
                METADATA.create_all(self._engine)
            self._ready = True
        with self._engine.begin() as connection:
            yield connection

    def _warn(self, what: str, error: Exception) -> None:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()
        _LOG.warning("%s: %s (%s); it is graded anew", self._shown, what, reason[0] if reason else "no reason given")


def store_url(course: Course) -> str:
    """Return the URL of a course's store: that of the environment, else of a file in its folder `.autograde`."""
    return os.environ.get(STORE_VARIABLE) or f"sqlite:///{course.root / '.autograde' / 'reports.db'}"


def _digest(document: str) -> str:
    return hashlib.sha256(document.encode()).hexdigest()


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Let readers and a writer work at once; a transaction outlasts a crash of the process, not one of the machine."""
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=NORMAL")
    finally:
        cursor.close()
