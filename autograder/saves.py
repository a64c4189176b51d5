"""Notice when somebody saves a file."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from watchfiles import watch

_STEP_MS, _SETTLED_MS, _WAKE_MS = 20, 200, 100
"""How long nothing must change, how long files that go on changing are waited for, how long one wait lasts."""


def saves(paths: Sequence[Path]) -> Generator[None]:
    """Yield once when watching has begun, then after each save of a file, or of one in a folder.

    Saves while whoever asks is busy count as one. Hidden files and folders, and what Python keeps, do not count. A file
    that an editor puts in the place of the old one is a save, too.

    Args:
        paths: Files and folders; they may go and come back.
    """
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
