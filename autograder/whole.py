"""Write files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from autograder.errors import CourseError


def write_whole(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
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
