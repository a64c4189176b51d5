"""Graded exercises and an autograder for PyTorch courses.

A check file needs no more than what this module exports. Everything is imported at first use, so that the
command line and the workers start fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.check import points as points
    from autograder.compare import assert_close as assert_close
    from autograder.compare import assert_unchanged as assert_unchanged
    from autograder.credit import Credit as Credit
    from autograder.failure import StudentError as StudentError
    from autograder.memory import Memory as Memory
    from autograder.speed import Speed as Speed
    from autograder.student import Probe as Probe
    from autograder.student import Student as Student

__version__ = "0.1.0"

_HOMES = {
    "Credit": "credit",
    "Memory": "memory",
    "Probe": "student",
    "Speed": "speed",
    "Student": "student",
    "StudentError": "failure",
    "assert_close": "compare",
    "assert_unchanged": "compare",
    "points": "check",
}

__all__ = [
    "Credit",
    "Memory",
    "Probe",
    "Speed",
    "Student",
    "StudentError",
    "assert_close",
    "assert_unchanged",
    "points",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'autograder' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"autograder.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
