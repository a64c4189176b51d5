"""Stand in for two classes of nbgrader's exchange, collect and release_assignment, in its commands and its buttons.

What students put into the inbound folder is theirs until it is collected, and stays theirs afterwards: names, times and
contents can be anything. So here one odd folder stops nobody else's collection, links are not followed (nbgrader's own
copying follows them with the instructor's rights, into `solutions/` if they point there), and an earlier submission
stays in place until the later one has arrived whole.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect, ExchangeReleaseAssignment
from nbgrader.utils import parse_utc

from autograder.errors import SubmissionError
from autograder.nbgrader.exchange.folders import put_in_place, read_folder, write_folder
from autograder.submission.source import shown

SET_BACK = timedelta(minutes=5)
"""How much later than the student's own timestamp the disk may have seen the last change."""
_TIMESTAMP = "timestamp.txt"


@dataclass
class Collected:
    """What collecting found.

    Attributes:
        new: Students whose first submission was collected.
        updated: Students whose earlier submission gave way to a later one.
        same: Students of whom there was nothing later.
        warnings: What an instructor should look at, in words.
    """

    new: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


class Collect(ExchangeCollect):  # type: ignore[misc]
    """Collect submissions, trusting nothing about them."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self.collected = Collected()

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Return what a folder's name says; a nameless student where it says nothing that can be read."""
        file_name = os.path.basename(path)
        parts = file_name.rsplit("+", 3)
        try:
            student, assignment, stamp = parts[0], parts[1], parse_utc(parts[2])
            sane = not student.startswith(".") and student.isprintable() and stamp.tzinfo is None
            if sane and assignment == self.coursedir.assignment_id and os.path.isdir(path) and not os.path.islink(path):
                owned = not self.check_owner or _owner(path) == student
                return {"username": student, "filename": file_name, "timestamp": stamp, "owned": owned}
        except (IndexError, ValueError, OverflowError, OSError):
            pass
        self._warn(f"{shown(path)}: no submission; expected a folder STUDENT+ASSIGNMENT+TIME+RANDOM; left where it is")
        return {"username": "", "filename": file_name, "timestamp": datetime.min, "owned": False}

    def _sort_by_timestamp(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the latest first, but what bears a student's name and another's ownership after the student's own."""
        return sorted(records, key=lambda record: (record["owned"], record["timestamp"]), reverse=True)

    def copy_files(self) -> None:
        """Collect what `init_src` chose, student by student."""
        strangers: dict[str, list[str]] = {}
        for record in sorted(self.src_records, key=lambda one: str(one["username"])):
            student = record["username"]
            if not student:
                continue
            source = Path(self.inbound_path, record["filename"])
            if not record["owned"]:
                strangers.setdefault(_owner(str(source)), []).append(student)
            directory = self.coursedir.submitted_directory
            target = Path(self.coursedir.format_path(directory, student, self.coursedir.assignment_id))
            try:
                self._collect(student, record["timestamp"], source, target)
            except (OSError, SubmissionError) as error:
                self._warn(f"{student}: not collected ({error}); collect again, or look at {shown(str(source))}")
        for owner, students in strangers.items():
            names = ", ".join(students[:5]) + (f" and {len(students) - 5} more" if students[5:] else "")
            self._warn(
                f"{names}: submitted by the account {owner}; expected each student's own; somebody may "
                "have used another's name (where all share one account, set c.ExchangeCollect.check_owner = False)"
            )

    def _collect(self, student: str, stamp: datetime, source: Path, target: Path) -> None:
        there = target.is_dir()
        if there:
            before = existing_timestamp(self.coursedir, target)
            later = self.update and (before is None or stamp > before)
            if not later and not (self.before_duedate and before != stamp):
                self.collected.same.append(student)
                self.log.info("No newer submission to collect: %s %s", student, self.coursedir.assignment_id)
                return
        files, left_out = read_folder(source, ignore=self.coursedir.ignore)
        said = files.get(_TIMESTAMP, b"")
        written = source.name.rsplit("+", 3)[2]
        files[_TIMESTAMP] = written.encode()  # grading goes by this file, collecting by the folder's name
        target.parent.mkdir(parents=True, exist_ok=True)
        shared = bool(self.coursedir.groupshared)
        write_folder(
            target,
            files,
            replace=True,
            folder_mode=0o2775 if shared else 0o755,
            file_mode=0o664 if shared else 0o644,
        )
        (self.collected.updated if there else self.collected.new).append(student)
        self.log.info("Collected: %s %s", student, self.coursedir.assignment_id)
        for words in left_out:
            self._warn(f"{student}: left out {words}")
        if said.decode(errors="replace").strip() != written:
            self._warn(f"{student}: {_TIMESTAMP} differs from the folder's name, which says {written}; took the name")
        changed = _last_change(source)
        if changed - stamp.replace(tzinfo=UTC) > SET_BACK:
            self._warn(
                f"{student}: says that it was submitted {stamp:%Y-%m-%d %H:%M} UTC, but the disk saw its last change "
                f"{_span(changed - stamp.replace(tzinfo=UTC))} later; the time was set back, files were changed "
                "afterwards, or the exchange was moved; review it"
            )

    def _warn(self, words: str) -> None:
        self.collected.warnings.append(words)
        self.log.warning(words)


class ReleaseAssignment(ExchangeReleaseAssignment):  # type: ignore[misc]
    """Release an assignment at once: a student who fetches it meanwhile gets the earlier one or the later one."""

    def copy_files(self) -> None:
        """Copy the release into the exchange, in place of an earlier one if `force`."""
        target = Path(self.dest_path)
        if target.is_dir() and not self.force:
            self.fail(
                f"Destination already exists, add --force to overwrite: {self.coursedir.course_id} "
                f"{self.coursedir.assignment_id}"
            )
        shared = bool(self.coursedir.groupshared)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            folder = temporary / target.name
            self.do_copy(self.src_path, str(folder))
            self.set_perms(str(folder), fileperms=0o664 if shared else 0o644, dirperms=0o2775 if shared else 0o755)
            put_in_place(folder, target, replace=True)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self.log.info("Released as: %s %s", self.coursedir.course_id, self.coursedir.assignment_id)


def existing_timestamp(directory: Any, folder: Path) -> Any:
    """Return the timestamp of a submission that was collected; None where there is none that can be read."""
    try:
        return directory.get_existing_timestamp(str(folder))
    except (OSError, ValueError, OverflowError, AttributeError):  # the last is nbgrader's slip in saying so
        return None


def _owner(path: str) -> str:
    """Return the name of the account that a folder belongs to."""
    import pwd

    number = os.lstat(path).st_uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"number {number}"


def _last_change(folder: Path) -> datetime:
    """Return when the disk last saw a change in a folder.

    That is the latest of the change times of the folder and what is in it. Unlike the time of modification, nobody but
    the system's administrator can set these.
    """
    latest = os.lstat(folder).st_ctime
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            latest = max(latest, os.lstat(os.path.join(parent, name)).st_ctime)
    return datetime.fromtimestamp(latest, UTC)


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} days"
