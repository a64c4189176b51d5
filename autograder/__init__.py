"""Graded exercises and an autograder for PyTorch courses.

A check file needs no more than what this module exports. Everything is imported at first use, so that the
command line and the workers start fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.checks.comparison import assert_close as assert_close
    from autograder.checks.comparison import assert_unchanged as assert_unchanged
    from autograder.checks.measure.memory import Memory as Memory
    from autograder.checks.measure.speed import Speed as Speed
    from autograder.checks.points import points as points
    from autograder.checks.student import Probe as Probe
    from autograder.checks.student import Student as Student
    from autograder.report.credit import Credit as Credit
    from autograder.verdicts import StudentError as StudentError

__version__ = "0.1.0"

_HOMES = {
    "Credit": "report.credit",
    "Memory": "checks.measure.memory",
    "Probe": "checks.student",
    "Speed": "checks.measure.speed",
    "Student": "checks.student",
    "StudentError": "verdicts",
    "assert_close": "checks.comparison",
    "assert_unchanged": "checks.comparison",
    "points": "checks.points",
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
