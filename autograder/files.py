"""Write files atomically, pack them into the same zip archive each time, and watch for saves."""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from autograder.errors import CourseError

_TIME = (1980, 1, 1, 0, 0, 0)  # zip's first; the same files give the same bytes

_STEP_MS, _SETTLED_MS, _WAKE_MS = 20, 200, 100
"""How long nothing must change, how long files that go on changing are waited for, how long one wait lasts."""


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write a file at once: it is there whole or as it was before.

    Args:
        path: The file, in a folder that is there.
        content: What is in it; text becomes UTF-8.
        mode: Who may do what with it.

    Raises:
        CourseError: If it cannot be written.
    """
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            os.chmod(draft, mode)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise CourseError(f"{path}: {error.strerror}; expected a place that can be written; choose another") from error


def archive(files: Mapping[str, bytes], *, executable: tuple[str, ...] = (), private: tuple[str, ...] = ()) -> bytes:
    """Return a zip archive of files, byte for byte the same from the same ones.

    Args:
        files: Their bytes by name.
        executable: The names of those that may be run.
        private: The names of those that only their owner may read.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as result:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, whose permissions the next line holds
            mode = 0o755 if name in executable else 0o600 if name in private else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            result.writestr(entry, files[name])
    return packed.getvalue()


def saves(paths: Sequence[Path]) -> Generator[None]:
    """Yield once when watching has begun, then after each save of a file, or of one in a folder.

    Saves while whoever asks is busy count as one. Hidden files and folders, and what Python keeps, do not count. A file
    that an editor puts in the place of the old one is a save, too.

    Args:
        paths: Files and folders; they may go and come back.
    """
    from watchfiles import watch

    wanted = [path.absolute() for path in paths]
    # A file that is replaced is another file to the system: its folder is what stays.
    folders = {path if path.is_dir() else path.parent for path in wanted}

    begun = False
    for changes in watch(
        *folders,
        watch_filter=lambda _, changed: is_work(Path(changed), wanted),
        step=_STEP_MS,
        debounce=_SETTLED_MS,
        rust_timeout=_WAKE_MS,
        yield_on_timeout=True,
    ):
        if changes or not begun:
            begun = True
            yield


def is_work(path: Path, places: Sequence[Path]) -> bool:
    """Return whether a file is one of these files, or one in these folders that a person saves."""
    return any(path == place or (place in path.parents and not _is_kept(path.relative_to(place))) for place in places)


def _is_kept(path: Path) -> bool:
    """Return whether a path is one that editors and Python keep for themselves."""
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts) or path.name.endswith("~")
