"""Check a notebook's code from the notebook itself.

from autograder.jupyter import checks
check = checks("logsoftmax")
check("values")     # one check
check()             # all public checks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.jupyter.check import CheckFailed as CheckFailed
    from autograder.jupyter.check import Checks as Checks
    from autograder.jupyter.check import checks as checks

__all__ = ["CheckFailed", "Checks", "checks"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'autograder.jupyter' has no attribute {name!r}")
    from autograder.jupyter import check

    return getattr(check, name)
