"""The course's secret, and the seeds that come from it.

Seeds are HMAC(secret, assignment, check, submission digest): secret, fresh for every submission, and the same when a
submission is graded again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

from autograder.errors import CourseError

VARIABLE = "AUTOGRADE_SECRET"
_LEAST_LENGTH = 16


def read_secret(path: Path) -> bytes:
    """Return the course's secret: from the environment, else from its file, which is made where it is missing.

    Args:
        path: The secret's file.

    Raises:
        CourseError: If the secret is too short or its file cannot be read or made.
    """
    text = os.environ.get(VARIABLE)
    if text is not None:
        if len(text) < _LEAST_LENGTH:
            raise CourseError(f"{VARIABLE}: found {len(text)} characters; expected {_LEAST_LENGTH} or more")
        return text.encode()
    try:
        if not path.exists():
            _make(path)
        found = path.read_bytes().strip()
    except OSError as error:
        reason = error.strerror or error
        raise CourseError(f"{path}: {reason}; set {VARIABLE} or make the folder writable") from error
    if len(found) < _LEAST_LENGTH:
        raise CourseError(
            f"{path}: found {len(found)} characters; expected {_LEAST_LENGTH} or more; delete it to renew it"
        )
    return found


def _make(path: Path) -> None:
    """Make a secret's file, whole or not at all; another process's, made meanwhile, stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)  # readable by its owner alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_hex(32).encode() + b"\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            os.rename(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


def seed(secret: bytes, *parts: str) -> int:
    """Return a seed of 63 bits for these parts."""
    message = b"\0".join(part.encode() for part in parts)
    return int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "big") >> 1
