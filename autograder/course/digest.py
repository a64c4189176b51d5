"""Digest the files and settings that decide about a grade, the same on every machine."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.errors import CourseError

CACHE_FOLDERS = frozenset(
    {"__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".autograde"}
)
LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def digest_of(settings: Mapping[str, Any], folders: Iterable[Path], *, root: Path, but: Path) -> str:
    """Return 'sha256:...' over settings and over the names and bytes of all files in `folders` except `but`.

    Raises:
        CourseError: If something in the folders is no plain file or cannot be read.
    """
    parts = {path.relative_to(root).as_posix(): path for folder in folders for path in _files(folder) if path != but}
    digest = hashlib.sha256(json.dumps(settings, default=_jsonable, sort_keys=True).encode())
    for label in sorted(parts):
        digest.update(hashlib.sha256(os.fsencode(label)).digest())
        digest.update(hashlib.sha256(read_bytes(parts[label], root)).digest())
    return f"sha256:{digest.hexdigest()}"


def read_bytes(path: Path, root: Path) -> bytes:
    """Return the bytes of a file of the course.

    Raises:
        CourseError: If it is no plain file or cannot be read.
    """
    label = path.relative_to(root).as_posix()
    if not os.path.isfile(path):
        raise CourseError(f"{label}: no plain file; expected one; mend or delete it")
    try:
        return path.read_bytes()
    except OSError as error:
        raise CourseError(f"{label}: cannot be read ({error.strerror}); expected a plain file; mend it") from error


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files under a folder that someone wrote."""
    for top, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in CACHE_FOLDERS]
        for name in folders:
            if (Path(top) / name).is_symlink():
                todo = "expected plain files, so that a change in them is seen; copy them here"
                raise CourseError(f"{Path(top) / name}: a link to a folder; {todo}")
        for name in names:
            if name not in LITTER and not name.endswith((".pyc", ".pyo")):
                yield Path(top) / name


def _jsonable(value: object) -> object:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) and not isinstance(value, type) else str(value)
