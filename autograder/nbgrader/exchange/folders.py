"""Read folders that may belong to somebody else, and write folders that are there whole or not at all.

nbgrader copies follow links: with one in a submission, whoever collects it hands over any file that they can read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from autograder.errors import SubmissionError
from autograder.submission.folder import folder_levels

FILES = 1000
TOTAL_BYTES = 100 << 20


def read_folder(folder: Path, *, ignore: Iterable[str] = ()) -> tuple[dict[str, bytes], list[str]]:
    """Return the regular files in a folder by their names relative to it, and in words what was left out.

    Links, pipes and devices are left out and never followed; so is what lies deeper than four folders, and all that
    goes beyond a thousand files or 100 MiB.

    Args:
        folder: The folder, whose own path is trusted.
        ignore: Patterns such as `*.pyc`; files and folders whose names match one do not count.

    Raises:
        SubmissionError: If the folder cannot be read.
    """
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    room_bytes = TOTAL_BYTES
    patterns = tuple(ignore)
    for level in folder_levels(folder.parent, (folder.name,)):
        for member in level:
            if any(fnmatch(part, pattern) for part in member.name.split("/") for pattern in patterns):
                continue
            if len(files) >= FILES:
                left_out.append(f"{member.name}: more than {FILES} files")
                return files, left_out
            try:
                data = member.read(room_bytes + 1)
            except SubmissionError as error:
                left_out.append(str(error))
                continue
            if len(data) > room_bytes:
                left_out.append(f"{member.name}: goes beyond {TOTAL_BYTES >> 20} MiB in all")
                continue
            room_bytes -= len(data)
            files[member.name] = data
    return files, left_out


def write_folder(
    target: Path, files: Mapping[str, bytes], *, replace: bool = False, folder_mode: int = 0o755, file_mode: int = 0o644
) -> None:
    """Write a folder at once: it is there whole, or it is as it was before.

    Args:
        target: The folder.
        files: What goes in, by names relative to it.
        replace: Take the place of a folder that is there.
        folder_mode: The mode of the folder; those in it get 755.
        file_mode: The mode of its files.

    Raises:
        OSError: If it cannot be written, or something is there and is not to be replaced.
    """
    # nbgrader takes no notice of names that begin with a dot.
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", dir=target.parent))
    try:
        for name, data in files.items():
            place = temporary / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            place.chmod(file_mode)
        for parent, folders, _ in os.walk(temporary):
            for folder in folders:
                os.chmod(os.path.join(parent, folder), 0o755)
        temporary.chmod(folder_mode)
        put_in_place(temporary, target, replace=replace)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def put_in_place(folder: Path, target: Path, *, replace: bool) -> None:
    """Give a finished folder its name, in place of what bears it now if `replace`.

    Raises:
        OSError: If that is not possible; then what was there still is.
    """
    if not (replace and target.is_dir() and not target.is_symlink()):
        if os.path.lexists(target):
            raise FileExistsError(17, "File exists", str(target))
        os.rename(folder, target)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name[:100]}.", dir=target.parent))
    os.rename(target, aside)  # onto an empty folder: POSIX lets it take its place
    try:
        os.rename(folder, target)
    except BaseException:
        os.rename(aside, target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
