"""The course's secret, and the seeds that come from it.

Seeds are HMAC(secret, assignment, check, submission digest): secret, fresh for every submission, and the same when a
submission is graded again.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
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
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            found = path.read_bytes().strip()
        else:
            found = secrets.token_hex(32).encode()
            with os.fdopen(handle, "wb") as file:
                file.write(found + b"\n")
    except OSError as error:
        reason = error.strerror or error
        raise CourseError(f"{path}: {reason}; set {VARIABLE} or make the folder writable") from error
    if len(found) < _LEAST_LENGTH:
        raise CourseError(
            f"{path}: found {len(found)} characters; expected {_LEAST_LENGTH} or more; delete it to renew it"
        )
    return found


def seed(secret: bytes, *parts: str) -> int:
    """Return a seed of 63 bits for these parts."""
    message = b"\0".join(part.encode() for part in parts)
    return int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "big") >> 1
