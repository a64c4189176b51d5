"""Decide what of a student's files goes into the exchange: the file that counts, under nbgrader's names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import ExchangeError, SubmissionError
from autograder.submission.folder import is_junk
from autograder.submission.locating import find_candidates, load, suffix_of
from autograder.submission.reading import NOTEBOOK_BYTES, Submission, read_submission
from autograder.submission.source import shown

_OWN_FILES = frozenset({"course.yml", "timestamp.txt", "submission_secret.txt", "receipt.json", "feedback"})


@dataclass(frozen=True)
class Staged:
    """What goes in.

    Attributes:
        submission: The submission, as grading will read it.
        files: The bytes by file name: the notebook always, for nbgrader goes by notebooks, and the module if it counts.
        file: The name of the one that counts.
        source: Where it was found, as shown to people.
        left_out: The names of files beside it that stay behind.
        notes: What the student should know about the reading, such as lines left out of a notebook.
        unchanged: Whether it is what was released.
    """

    submission: Submission
    files: dict[str, bytes]
    file: str
    source: str
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unchanged: bool = False

    @property
    def lines(self) -> int:
        """Return how many lines of code the submission has."""
        return len(self.submission.source.splitlines())


def stage(path: Path, *, name: str, student: str, released: Path) -> Staged:
    """Read the submission at `path` and return what of it goes in.

    Args:
        path: A module or a notebook under any name, an archive, or a folder.
        name: The assignment's name.
        student: Whose it is.
        released: The folder of the assignment as it was released.

    Raises:
        SubmissionError: If there is no submission, it holds no code, or it is not clear which file counts.
        ExchangeError: If the released notebook, which goes beside a module, cannot be read.
    """
    stub_path = released / f"{name}.py"
    stub = stub_path.read_text(encoding="utf-8") if stub_path.is_file() else None
    found = read_submission(path, name=name, student=student, stub=stub)
    for flag in found.flags:
        raise SubmissionError(f"{shown(str(path))}: {flag.partition(';')[0]}; expected one; name the one that counts")
    if not any(line.strip() and not line.lstrip().startswith("#") for line in found.source.splitlines()):
        raise SubmissionError(
            f"{found.path}: holds no code; expected your {name}.py or {name}.ipynb; save your work and submit it again"
        )
    if suffix_of(found.path) == ".ipynb":
        member = next(one for one in find_candidates(path, name).members if one.name == found.path)
        files = {f"{name}.ipynb": load(member, NOTEBOOK_BYTES, "clear the outputs and save it again")}
        file = f"{name}.ipynb"
    else:
        files = {f"{name}.ipynb": _released_notebook(released, name), f"{name}.py": found.source.encode()}
        file = f"{name}.py"
    return Staged(
        submission=found,
        files=files,
        file=file,
        source=found.path,
        left_out=tuple(_left_out(path, {found.path, *_names_in(released)}, name)),
        # In a folder the count of files that were not read includes those that were released; their names say more.
        notes=tuple(note for note in found.notes if not (path.is_dir() and note.endswith(" not read"))),
        unchanged=found.digest in _released_digests(released, name),
    )


def _released_notebook(released: Path, name: str) -> bytes:
    try:
        return (released / f"{name}.ipynb").read_bytes()
    except OSError as error:
        raise ExchangeError(
            f"{released}: {name}.ipynb cannot be read ({error.strerror}); expected the notebook as it was released, "
            "which nbgrader needs beside a module; ask your instructor to release it again, or submit a notebook"
        ) from None


def _released_digests(released: Path, name: str) -> set[str]:
    digests = set()
    for file in (released / f"{name}.py", released / f"{name}.ipynb"):
        try:
            digests.add(read_submission(file, name=name, student="").digest)
        except SubmissionError:
            continue
    return digests


def _names_in(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _left_out(path: Path, known: set[str], name: str) -> list[str]:
    """Return the files in a folder that a student may believe to go in as well."""
    if not path.is_dir():
        return []
    known = {os.path.basename(item) for item in known} | _OWN_FILES | {f"{name}.py", f"{name}.ipynb"}
    return sorted(shown(item) for item in _names_in(path) if item not in known and not is_junk(item))
