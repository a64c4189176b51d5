"""List a student's folder level by level, and read regular files from it and nothing else.

The folder may belong to the student, who may change it while it is read. So links are never followed below the place
that the grader's own user named, a file is opened without waiting (a pipe would block) and examined once it is open,
and its bytes are read once.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from autograder.errors import SubmissionError
from autograder.submission.archive import Member, kind_of
from autograder.submission.source import shown

ENTRIES = 100_000
LEVELS = 4
_JUNK = frozenset({"__pycache__", "__MACOSX", "Thumbs.db", "desktop.ini"})
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_FOLLOW_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def is_junk(name: str) -> bool:
    """Tell whether a file or folder of this name is what an editor, Python or an operating system left behind."""
    return name.startswith(".") or name in _JUNK or name.endswith((".pyc", "~"))


def read_regular_file(base: Path, parts: tuple[str, ...], limit_bytes: int) -> bytes:
    """Read at most `limit_bytes` of the regular file that lies at `parts` below the trusted folder `base`.

    Raises:
        SubmissionError: It is missing, a link or lies beyond one, a device, pipe or folder, or may not be read.
    """
    where = shown(str(base.joinpath(*parts)))
    try:
        _check_regular(os.lstat(base.joinpath(*parts)).st_mode, where)  # opening a device can do things already
        descriptor = _open(base, parts)
        try:
            _check_regular(os.fstat(descriptor).st_mode, where)
            return _read(descriptor, limit_bytes)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise unreadable(where, error) from None


def folder_levels(base: Path, parts: tuple[str, ...]) -> Iterator[list[Member]]:
    """Yield the files of the folder at `parts` below `base`: those directly in it, those one folder deeper, and so on.

    Names are relative to the folder. What is neither a file nor a folder is listed too; reading it raises.

    Raises:
        SubmissionError: A folder may not be read, or there are too many entries.
    """
    folders: list[tuple[str, ...]] = [()]
    count = 0
    for _ in range(LEVELS):
        members, deeper = [], []
        for folder in folders:
            for name, is_folder in _entries(base.joinpath(*parts, *folder)):
                count += 1
                if count > ENTRIES:
                    where = shown(str(base.joinpath(*parts)))
                    raise SubmissionError(
                        f"{where}: holds more than {ENTRIES} files; expected the module; submit the module alone"
                    )
                below = (*folder, name)
                if is_folder:
                    deeper.append(below)
                else:
                    members.append(_member(base, parts, below))
        yield sorted(members, key=lambda member: member.name)
        folders = sorted(deeper)


def unreadable(where: str, error: OSError | ValueError) -> SubmissionError:
    """Return the error for a file or folder that the operating system does not let us read."""
    reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
    return SubmissionError(
        f"{where}: cannot be read ({shown(reason)}); expected a module, a notebook, an archive "
        "or a folder; check the path and its permissions"
    )


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """Yield the name of each entry, and whether it is a folder and no link to one."""
    try:
        with os.scandir(folder) as entries:
            yield from (
                (entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries if not is_junk(entry.name)
            )
    except OSError as error:
        raise unreadable(shown(str(folder)), error) from None


def _member(base: Path, parts: tuple[str, ...], below: tuple[str, ...]) -> Member:
    return Member("/".join(below), lambda limit_bytes: read_regular_file(base, (*parts, *below), limit_bytes))


def _check_regular(mode: int, where: str) -> None:
    if not stat.S_ISREG(mode):
        raise SubmissionError(f"{where}: is {kind_of(mode)}; expected a regular file; submit the file itself")


def _open(base: Path, parts: tuple[str, ...]) -> int:
    """Open the file one part at a time, so that no part can be exchanged for a link in between."""
    flags = _FLAGS | _FOLLOW_NO_LINK | getattr(os, "O_NONBLOCK", 0)
    if os.open not in os.supports_dir_fd:
        return os.open(base.joinpath(*parts), flags)
    descriptor = os.open(base, _FLAGS | os.O_DIRECTORY)
    for place, part in enumerate(parts, start=1):
        last = place == len(parts)
        try:
            deeper = os.open(part, flags if last else flags | os.O_DIRECTORY, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = deeper
    return descriptor


def _read(descriptor: int, limit_bytes: int) -> bytes:
    chunks = []
    while limit_bytes > 0 and (chunk := os.read(descriptor, min(limit_bytes, 1 << 20))):
        chunks.append(chunk)
        limit_bytes -= len(chunk)
    return b"".join(chunks)
