"""Keep a receipt for each submission, on the student's side, beside nbgrader's own copy of what was submitted."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from autograder.errors import SubmissionError
from autograder.nbgrader.exchange.location import Place, moment_of
from autograder.submission.reading import read_submission
from autograder.submission.source import shown

SCHEMA = "autograde/receipt/v1"
FILE = "receipt.json"


@dataclass(frozen=True)
class Receipt:
    """What a student can show: this file, at this time, in this place.

    Attributes:
        student: Who submitted.
        course_id: nbgrader's name of the course.
        assignment: The assignment's name.
        submitted_at: When, in UTC, as ISO 8601.
        digest: The submission's digest, the same that grading shows; empty if the submission cannot be read.
        file: The name under which it went in.
        lines: How many lines of code it has.
        place: The folder that it was put into.
    """

    student: str
    course_id: str
    assignment: str
    submitted_at: str
    digest: str
    file: str
    lines: int
    place: str

    @property
    def moment(self) -> datetime:
        """Return when it was submitted."""
        return datetime.fromisoformat(self.submitted_at)

    def document(self) -> dict[str, Any]:
        """Return the receipt as plain values."""
        return {"schema": SCHEMA, **asdict(self)}


@dataclass(frozen=True)
class Kept:
    """A submission as it lies in nbgrader's cache: the folder, nbgrader's timestamp, and the receipt."""

    folder: Path
    stamp: str
    receipt: Receipt


def to_text(receipt: Receipt) -> str:
    """Return a receipt as the text of its file."""
    return json.dumps(receipt.document(), indent=1, ensure_ascii=False) + "\n"


def kept_receipts(place: Place, name: str) -> list[Kept]:
    """Return this student's submissions of an assignment, the oldest first.

    Those submitted by nbgrader's own command or button have no receipt of ours; theirs is made from the copy.
    """
    start = f"{place.student}+{name}+"
    try:
        folders = [entry for entry in os.listdir(place.cached) if entry.startswith(start)]
    except OSError:
        return []
    kept = []
    for folder in folders:
        stamp = folder.removeprefix(start)
        moment = moment_of(stamp)
        if moment is not None:
            path = place.cached / folder
            kept.append(Kept(path, stamp, _read(path / FILE) or _made(place, name, path, moment)))
    return sorted(kept, key=lambda one: one.receipt.moment)


def _read(path: Path) -> Receipt | None:
    """Return the receipt in a file; None if it holds none that we wrote."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document.pop("schema") != SCHEMA:
            return None
        receipt = Receipt(**document)
        return receipt if receipt.moment.tzinfo is not None else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _made(place: Place, name: str, folder: Path, moment: datetime) -> Receipt:
    stub = place.outbound / name / f"{name}.py"
    digest, file, lines = "", "", 0
    try:
        text = stub.read_text(encoding="utf-8") if stub.is_file() else None
        submission = read_submission(folder, name=name, student=place.student, stub=text)
        digest, file = submission.digest, os.path.basename(submission.path)
        lines = len(submission.source.splitlines())
    except (SubmissionError, OSError, UnicodeDecodeError):
        pass
    where = shown(str(place.inbound))
    return Receipt(place.student, place.course_id, name, moment.isoformat(), digest, file, lines, where)
