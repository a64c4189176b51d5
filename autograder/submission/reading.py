"""Read what students submitted: a module, a notebook, an archive or a folder, one of them or a whole class.

A submission ends as one text and its digest. It is read once, into memory; nothing is unpacked, imported or run.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import count
from pathlib import Path, PurePath

from autograder.course.loading import Assignment
from autograder.errors import SubmissionError
from autograder.submission.archive import Member
from autograder.submission.folder import is_junk, unreadable
from autograder.submission.locating import Candidates, find_candidates, load, stem_of, suffix_of
from autograder.submission.notebook import NotebookSource, notebook_source
from autograder.submission.notebook_template import build_notebook
from autograder.submission.source import SOURCE_BYTES, check_source, code_digest, decode, shown

NOTEBOOK_BYTES = 16 << 20
_COURSE_FOLDERS = frozenset({"assignments", "solutions", ".", ".."})
_NOTES = 10


@dataclass(frozen=True)
class Submission:
    """One student's module for one assignment, as it was read.

    Attributes:
        student: Who submitted it, safe to print.
        assignment: The assignment's name.
        source: The module's text, a notebook's code included; empty where `error` is set.
        digest: `sha256:…` of the source in UTF-8; where `error` is set, a digest that no source has.
        path: Where the source was found, as shown to people: `ada.zip/logsoftmax.py`.
        submitted_at: When it was submitted, set by whoever collected it and never read from the files, which could
            claim anything.
        notes: What the student should know about the reading, such as lines left out of a notebook.
        flags: What the instructor should look at.
        error: Why it could not be read, or empty.
    """

    student: str
    assignment: str
    source: str
    digest: str
    path: str
    submitted_at: datetime | None = None
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True)
class _Choice:
    """The file that counts, with what is to be said about choosing it."""

    path: str
    read: NotebookSource
    notes: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def read_submission(path: Path, *, name: str, student: str | None = None, stub: str | None = None) -> Submission:
    """Read the one submission for assignment `name` that lies at `path`.

    Where a module and a notebook lie side by side, the one whose code differs from `stub` counts, and the module
    where both do; without `stub` the notebook says what it was built from. Without `student` it is the name of the
    file or folder, or, where that is the assignment's, of the nearest folder in `path` which is not the course's own,
    or `me`.

    Raises:
        SubmissionError: There is no submission at `path`, it cannot be read, or it is not clear which file counts.
    """
    student = _student_of(path, name) if student is None else student
    return _submission(find_candidates(path, name), name=name, student=student, stub=stub)


def other_stub(assignment: Assignment, path: Path | None) -> str | None:
    """Return the text of the stub; None where its file lies at `path`, so that it may be what the student edited."""
    if path is None or not assignment.stub.is_file():
        return None
    stub = assignment.stub.resolve()
    if path.resolve() in (stub, stub.parent, stub.with_suffix(".ipynb")):
        return None
    return stub.read_text(encoding="utf-8")


def read_submissions(paths: Sequence[Path], *, name: str, stub: str | None = None) -> list[Submission]:
    """Read the submissions at `paths`, sorted by student. Each path is one submission or a folder of them.

    A folder is one submission where `<name>.py` or `<name>.ipynb` lies in it or in its sub-folder `<name>`. Any other
    holds, for each student, a folder, an archive or a file (where `ada.py` and `ada.ipynb` lie side by side as one
    submission's files would). What cannot be read becomes a `Submission` with its `error`; so does the second one of
    the same student, under the name `ada (2)`, so that neither takes the other's place.

    Raises:
        SubmissionError: One of `paths` does not exist or holds nothing to grade.
    """
    found: dict[str, Submission] = {}
    for student, files in dict.fromkeys(entry for path in paths for entry in _entries(Path(path), name)):
        where = shown(str(files[0]))
        try:
            if student in found:
                words = f"is a second submission of {student}, after {found[student].path}; expected one; take one away"
                student = next(new for n in count(2) if (new := f"{student} ({n})") not in found)
                raise SubmissionError(f"{where}: {words}")
            parts = [find_candidates(file, name) for file in files]
            both = Candidates(tuple(m for part in parts for m in part.members), sum(part.ignored for part in parts))
            found[student] = _submission(both, name=name, student=student, stub=stub)
        except SubmissionError as error:
            # A source never holds NUL, so that this digest is of none.
            digest = _digest(f"\0{error}")
            found[student] = Submission(student, name, "", digest, where, error=str(error))
    return sorted(found.values(), key=lambda submission: natural(submission.student))


def _submission(candidates: Candidates, *, name: str, student: str, stub: str | None) -> Submission:
    members = sorted(candidates.members, key=lambda member: suffix_of(member.name) != ".py")
    choice = _Choice(members[0].name, _read(members[0])) if len(members) == 1 else _choose(members, name, stub)
    notes = [f"not part of the module: {removed}" for removed in choice.read.removed[:_NOTES]]
    if len(choice.read.removed) > _NOTES:
        notes.append(f"not part of the module: {len(choice.read.removed) - _NOTES} more lines")
    notes += choice.notes
    if candidates.ignored:
        notes.append(f"{candidates.ignored} other file{'s were' if candidates.ignored > 1 else ' was'} not read")
    return Submission(
        student=shown(student),
        assignment=name,
        source=choice.read.source,
        digest=_digest(choice.read.source),
        path=choice.path,
        notes=tuple(notes),
        flags=choice.flags,
    )


def _digest(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _read(member: Member) -> NotebookSource:
    where = member.name
    if suffix_of(where) == ".ipynb":
        advice = "clear the outputs, save the notebook and submit it again"
        return notebook_source(decode(load(member, NOTEBOOK_BYTES, advice), where=where), where=where)
    data = load(member, SOURCE_BYTES, "take data out of the code")
    return NotebookSource(check_source(decode(data, where=where), where=where), ())


def _choose(members: Sequence[Member], name: str, stub: str | None) -> _Choice:
    """Choose between a module and the notebook beside it. One that cannot be read is not the stub."""
    reads = [_try_to_read(member) for member in members]
    module, notebook = (PurePath(member.name).name for member in members)
    known = _stub_digests(stub, name) if stub is not None else _said_by_notebook(reads[1])
    changed = [isinstance(read, SubmissionError) or code_digest(read.source) not in known for read in reads]
    counts = 0
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    if all(changed) and not known:
        flags = (f"{module} and {notebook} lie side by side and there is no stub to compare with; graded {module}",)
    elif all(changed):
        flags = (f"both {module} and {notebook} differ from the stub; graded {module}",)
    elif changed[1]:
        counts, notes = 1, (f"{module} is still the stub; {notebook} counts",)
    read = reads[counts]
    if isinstance(read, SubmissionError):
        raise read
    return _Choice(members[counts].name, read, notes, flags)


def _try_to_read(member: Member) -> NotebookSource | SubmissionError:
    try:
        return _read(member)
    except SubmissionError as error:
        return error


@cache
def _stub_digests(stub: str, name: str) -> frozenset[str]:
    built = notebook_source(build_notebook(stub, name=name))
    return frozenset({code_digest(stub), code_digest(built.source)})


def _said_by_notebook(read: NotebookSource | SubmissionError) -> frozenset[str]:
    return frozenset() if isinstance(read, SubmissionError) else read.stub_digests


def _student_of(path: Path, name: str) -> str:
    own = path.name if os.path.isdir(path) else stem_of(path.name)
    for part in (own, *reversed(path.parent.parts)):
        if part not in {"", name, path.anchor} | _COURSE_FOLDERS:
            return shown(part)
    return "me"


def _entries(path: Path, name: str) -> Iterator[tuple[str, tuple[Path, ...]]]:
    """Yield each student at `path` with the file or folder of a submission, or its module and its notebook."""
    if not os.path.isdir(path) or _is_one_submission(path, name):
        if not os.path.lexists(path):
            raise SubmissionError(
                f"{shown(str(path))}: does not exist; expected a submission or a folder of them; check the path"
            )
        yield _student_of(path, name), (path,)
        return
    listed = {file.name: file for file in _listed(path)}
    students = 0
    for file_name, file in listed.items():
        stem, suffix = stem_of(file_name), suffix_of(file_name)
        if suffix == ".ipynb" and f"{stem}.py" in listed:
            continue  # read with its module
        is_folder = os.path.isdir(file)
        if suffix or is_folder or os.path.islink(file):
            notebook = listed.get(f"{stem}.ipynb") if suffix == ".py" else None
            students += 1
            yield shown(file_name if is_folder else stem), (file, notebook) if notebook else (file,)
    if not students:
        raise SubmissionError(
            f"{shown(str(path))}: holds no submissions; expected a folder, an archive or a file for each student; "
            "check the path"
        )


def _is_one_submission(path: Path, name: str) -> bool:
    files = (f"{name}.py", f"{name}.ipynb")
    return any(os.path.lexists(folder / file) for folder in (path, path / name) for file in files)


def _listed(path: Path) -> list[Path]:
    try:
        return sorted((file for file in path.iterdir() if not is_junk(file.name)), key=lambda file: natural(file.name))
    except OSError as error:
        raise unreadable(shown(str(path)), error) from None


def natural(text: str) -> tuple[list[str | int], str]:
    """Return a sort key that puts `ada9` before `ada10`."""
    return [int(part) if place % 2 else part.casefold() for place, part in enumerate(re.split(r"(\d+)", text))], text
