"""Write files into a folder that others work in, and write them again later without touching what is theirs.

A list beside the files says which ones are ours and what we wrote. A file that somebody has changed since is theirs and
stays; so does everything that is not on the list.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from autograder.errors import CourseError
from autograder.files import write_atomically

LIST = ".autograde-export.json"
SCHEMA = "autograde/export/v1"
_IGNORED = {".git"}
Ours = dict[str, tuple[str, ...]]
"""The digests of what we wrote, by name; two of them only while a file is being written anew."""


@dataclass(frozen=True)
class Change:
    """What happens to one file.

    Attributes:
        name: Its name below the folder, with forward slashes.
        what: ``written``, ``removed``, or ``kept`` where it would be either but somebody has changed it.
    """

    name: str
    what: Literal["written", "removed", "kept"]


def changes(folder: Path, files: Mapping[str, bytes]) -> list[Change]:
    """Say what writing files into a folder would change, and change nothing.

    Args:
        folder: The folder; it need not exist.
        files: All files that are to be ours, by name.

    Raises:
        CourseError: If the folder holds files and no list of ours, or a link or a folder stands where a file belongs.
    """
    ours = _read_list(folder)
    return list(_changes(folder, files, ours))


def write(folder: Path, files: Mapping[str, bytes]) -> list[Change]:
    """Write files into a folder, each whole or not at all, and return what changed.

    A run that is killed half-way is finished by the next one: the list knows both states of a file before it is
    written.

    Raises:
        CourseError: As in `changes`, or if a file cannot be written; those before it are written by then.
    """
    ours = _read_list(folder)
    todo = list(_changes(folder, files, ours))
    new = {name: (_digest(data),) for name, data in files.items()}
    both: Ours = {name: (*ours.get(name, ()), *new.get(name, ())) for name in {*ours, *new}}
    after: Ours = {name: new[name] for name in files}
    for change in todo:
        if change.what == "kept" and change.name in files:
            after[change.name] = ours.get(change.name, ())
    if after == ours and not any(change.what in ("written", "removed") for change in todo):
        return todo
    _write_list(folder, both)
    for change in todo:
        place = folder / change.name
        if change.what == "written":
            _write(place, files[change.name])
        elif change.what == "removed":
            _remove(place, folder)
    _write_list(folder, after)
    return todo


def _changes(folder: Path, files: Mapping[str, bytes], ours: Ours) -> Iterator[Change]:
    for name in sorted({*files, *ours}):
        found = _found(folder, name)
        wanted = files.get(name)
        if found == wanted:
            continue
        mine = found is None or _digest(found) in ours.get(name, ())
        if wanted is None:
            yield Change(name, "removed" if mine else "kept")
        else:
            yield Change(name, "written" if mine else "kept")


def _found(folder: Path, name: str) -> bytes | None:
    """Return what a file of ours holds now; None where it is not there.

    Raises:
        CourseError: If something else stands there, or a link leads there.
    """
    place = folder
    for part in PurePosixPath(name).parts:
        place = place / part
        if place.is_symlink():
            raise CourseError(f"{place}: a link; expected a file or folder of its own; take it away and export again")
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        todo = "expected a file that can be read and written anew; take it away and export again"
        raise CourseError(f"{place}: {error.strerror}; {todo}") from error


def _read_list(folder: Path) -> Ours:
    if not folder.exists():
        return {}
    if not folder.is_dir():
        raise CourseError(f"{folder}: is no folder; expected one, or a name for a new one; name another")
    try:
        text = (folder / LIST).read_text(encoding="utf-8")
    except FileNotFoundError:
        others = sorted(set(os.listdir(folder)) - _IGNORED)
        if others:
            found = f"{folder}: holds {others[0]} and no earlier export"
            todo = "expected an empty folder, a new clone, or an earlier export; name another, or empty this one"
            raise CourseError(f"{found}; {todo}") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise _no_list(folder, str(error)) from error
    return _parsed(folder, text)


def _parsed(folder: Path, text: str) -> Ours:
    try:
        document = json.loads(text)
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']!r}")
        found: Ours = {str(name): tuple(map(str, digests)) for name, digests in document["files"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _no_list(folder, f"{type(error).__name__}: {error}") from error
    for name in found:
        # Somebody else may have written the list, too: nothing outside the folder is ever removed.
        path = PurePosixPath(name)
        if path.is_absolute() or not path.parts or {"..", ".git"}.intersection(path.parts) or "\\" in name:
            raise _no_list(folder, f"it names {name!r}")
    return found


def _no_list(folder: Path, reason: str) -> CourseError:
    found = f"{folder / LIST}: not the list of an earlier export ({reason})"
    return CourseError(f"{found}; expected the one that `autograde export-students` wrote; restore it from its history")


def _write_list(folder: Path, ours: Ours) -> None:
    files = {name: list(dict.fromkeys(digests)) for name, digests in sorted(ours.items())}
    text = json.dumps({"schema": SCHEMA, "files": files}, indent=1) + "\n"
    _write(folder / LIST, text.encode())


def _write(place: Path, data: bytes) -> None:
    """Write a file whole, with the folders above it."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        found = f"{place.parent}: {error.strerror}"
        raise CourseError(f"{found}; expected a place that can be written; choose another") from error
    write_atomically(place, data)


def _remove(place: Path, folder: Path) -> None:
    """Remove a file, and the folders above it that are empty then."""
    place.unlink(missing_ok=True)
    for parent in place.parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def named(found: Sequence[Change], what: str) -> list[str]:
    """Return the names of the files to which one thing happens."""
    return [change.name for change in found if change.what == what]
