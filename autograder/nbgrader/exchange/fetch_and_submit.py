"""Fetch, submit and get feedback: a student's side of the exchange, in the format that nbgrader's own commands read."""

from __future__ import annotations

import errno
import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.course.loading import Course
from autograder.errors import ExchangeError
from autograder.nbgrader.exchange.folders import read_folder, write_folder
from autograder.nbgrader.exchange.location import Place, unusable
from autograder.nbgrader.exchange.receipts import FILE, Kept, Receipt, kept_receipts, to_text
from autograder.nbgrader.exchange.staging import Staged

_SECRET, _TIMESTAMP = "submission_secret.txt", "timestamp.txt"


@dataclass(frozen=True)
class Feedback:
    """One submission's feedback.

    Attributes:
        kept: The submission.
        returned: The file in the exchange; None if there is none yet.
        local: Where it goes on the student's side; it may be there already.
    """

    kept: Kept
    returned: Path | None
    local: Path

    @property
    def fetched(self) -> bool:
        """Whether the student has what was returned."""
        if self.returned is None:
            return self.local.is_file()
        try:
            return self.local.read_bytes() == self.returned.read_bytes()
        except OSError:
            return False


def assignment_folder(course: Course | None, name: str) -> Path:
    """Return where an assignment belongs on a student's side.

    In a copy of the course that is `assignments/NAME`; in a fetched folder the folder itself, and for another
    assignment the folder beside it; elsewhere `NAME` in the working folder.
    """
    if course is None:
        here = Path.cwd()
        return here if here.name == name and (here / f"check_{name}.py").is_file() else here / name
    alone = [item.name for item in course.assignments if item.folder == course.root]
    if not alone:
        return course.root / "assignments" / name
    return course.root if name in alone else course.root.parent / name


def fetch(place: Place, name: str, target: Path, *, missing: bool = False) -> list[str]:
    """Copy a released assignment to a student's folder and return the names of the files that were written.

    A folder that is there stays as it is; with `missing`, files that it lacks are put back.

    Raises:
        ExchangeError: If it is not released, the folder is there, or it cannot be written.
    """
    source = place.released_folder(name)
    if os.path.lexists(target) and not missing:
        raise ExchangeError(
            f"{target}: is there already; expected to make it; your work is not overwritten; "
            "give --missing to put back files that it lacks, or move it away"
        )
    files, left_out = read_folder(source)
    if left_out:
        raise ExchangeError(f"{source}: {left_out[0]}; expected plain files; ask your instructor to release it again")
    if _in_a_course(target):
        files.pop("course.yml", None)  # the course's own stands above it
    try:
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_folder(target, files)
            return sorted(files)
        lacking = {file: data for file, data in files.items() if not os.path.lexists(target / file)}
        for file, data in lacking.items():
            _write_file(target / file, data)
        return sorted(lacking)
    except OSError as error:
        raise unusable(target, error, "a place that you may write to") from None


def require_inbound(place: Place) -> Path:
    """Return the folder that takes submissions.

    Raises:
        ExchangeError: If it is not there or takes none from this account.
    """
    inbound = place.inbound
    if not inbound.is_dir():
        raise ExchangeError(
            f"{inbound}: there is no such folder; expected one that `autograde release` makes; ask your instructor"
        )
    if not os.access(inbound, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        error = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        raise unusable(inbound, error, "a folder that you may write to")
    return inbound


def submit(place: Place, staged: Staged, *, name: str, at: datetime | None = None) -> Receipt:
    """Put a submission into the exchange and into nbgrader's cache, and return the receipt.

    Args:
        place: Where.
        staged: What.
        name: The assignment's name.
        at: When; None for now.

    Raises:
        ExchangeError: If a folder cannot be written; then nothing is submitted.
    """
    inbound = require_inbound(place)
    moment = at or datetime.now(UTC)
    stamp = place.stamp(moment)
    label = f"{place.student}+{name}+{stamp}"
    target = inbound / f"{label}+{secrets.token_urlsafe(9)}"
    files = staged.files | {_SECRET: secrets.token_hex(64).encode(), _TIMESTAMP: stamp.encode()}
    receipt = Receipt(
        student=place.student,
        course_id=place.course_id,
        assignment=name,
        submitted_at=moment.astimezone(UTC).isoformat(),
        digest=staged.submission.digest,
        file=staged.file,
        lines=staged.lines,
        place=str(target),
    )
    kept = place.cached / label
    try:
        # First here, for without this copy the feedback could not be fetched.
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_folder(kept, files | {FILE: to_text(receipt).encode()})
    except OSError as error:
        raise unusable(kept.parent, error, "nbgrader's cache, a folder of your own") from None
    try:
        # Of these modes the folder's lets the instructor delete it; its name, which nobody can list, protects it.
        write_folder(target, files, folder_mode=0o777)
    except BaseException as error:
        _remove(kept)
        if isinstance(error, OSError):
            raise unusable(inbound, error, "a folder that you may write to") from None
        raise
    return receipt


def feedback_of(place: Place, name: str, folder: Path) -> list[Feedback]:
    """Return what there is of feedback for each submission of an assignment, the oldest first."""
    from nbgrader.utils import notebook_hash

    found = []
    for kept in kept_receipts(place, name):
        returned = None
        try:
            secret = (kept.folder / _SECRET).read_text(encoding="ascii")
            path = place.feedback / f"{notebook_hash(secret=secret, notebook_id=name)}.html"
            returned = path if path.is_file() else None
        except (OSError, UnicodeDecodeError):
            pass
        found.append(Feedback(kept, returned, folder / "feedback" / kept.stamp / f"{name}.html"))
    return found


def fetch_feedback(place: Place, name: str, folder: Path) -> list[Feedback]:
    """Copy the feedback that was returned into the assignment's folder, and return it, the oldest first.

    Raises:
        ExchangeError: If nothing was submitted, nothing was returned, or a file cannot be copied.
    """
    everything = feedback_of(place, name, folder)
    if not everything:
        raise ExchangeError(
            f"{name}: no submission of {place.student} in {place.cached}; expected one submitted from this account; "
            f"run `autograde submit {name}` first"
        )
    there = [one for one in everything if one.returned is not None]
    if not there:
        last = everything[-1].kept.receipt
        raise ExchangeError(
            f"{name}: no feedback yet for your submission of {last.moment:%Y-%m-%d %H:%M} UTC; "
            "expected it after grading; try again later"
        )
    for one in there:
        if one.returned is not None and not one.fetched:
            try:
                one.local.parent.mkdir(parents=True, exist_ok=True)
                _write_file(one.local, one.returned.read_bytes())
            except OSError as error:
                raise unusable(one.local, error, "a place that you may write to") from None
    return there


def _in_a_course(target: Path) -> bool:
    return target.parent.name == "assignments" and (target.parent.parent / "course.yml").is_file()


def _write_file(path: Path, data: bytes) -> None:
    """Write a file at once, never over one that is being read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _remove(folder: Path) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
