"""Take away the folder of a worker, whatever it has left there."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil


def remove_tree(folder: str) -> None:
    """Remove a folder whose content may have been made to resist: nested without end, without rights, full of links.

    What is nested is moved up first and emptied there, so that no recursion, no long path and no heap of open
    descriptors comes of it; no link is ever followed. What resists nevertheless stays.
    """
    if os.rename not in os.supports_dir_fd:
        with contextlib.suppress(RecursionError):
            shutil.rmtree(folder, ignore_errors=True)
        return
    with contextlib.suppress(OSError):
        top = _open(folder, None)
        try:
            _empty(top)
        finally:
            os.close(top)
        os.rmdir(folder)


def _empty(top: int) -> None:
    word, count = secrets.token_hex(8), 0
    while names := os.listdir(top):
        removed = 0
        for name in names:
            with contextlib.suppress(OSError):
                if not _unlink(name, top):
                    count = _move_up(name, top, word, count)
                    os.rmdir(name, dir_fd=top)
                removed += 1
        if not removed:
            return


def _move_up(name: str, top: int, word: str, count: int) -> int:
    """Empty a folder of `top`: its files are removed, its folders move to `top` under new names."""
    folder = _open(name, top)
    try:
        for inner in os.listdir(folder):
            if not _unlink(inner, folder):
                os.close(_open(inner, folder))  # to move a folder one needs the right to write to it
                count += 1
                os.rename(inner, f"{word}-{count}", src_dir_fd=folder, dst_dir_fd=top)
    finally:
        os.close(folder)
    return count


def _unlink(name: str, folder: int) -> bool:
    """Remove a file or a link; say whether it was one."""
    try:
        os.unlink(name, dir_fd=folder)
    except (IsADirectoryError, PermissionError):  # which of them for a folder depends on the system
        return False
    return True


def _open(name: str, folder: int | None) -> int:
    """Open a folder, with all rights of its owner, which the worker may have taken away."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    # Root needs no rights, and must not change those of whatever somebody puts in the folder's place meanwhile.
    if os.geteuid() != 0:
        with contextlib.suppress(OSError):
            os.chmod(name, 0o700, dir_fd=folder)
    return os.open(name, flags, dir_fd=folder)
