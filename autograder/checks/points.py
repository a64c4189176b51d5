"""Give a check its points."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from autograder.errors import CourseError

ANY = "any"
_ATTRIBUTE = "__autograder_points__"
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Points:
    """What a check is worth and when it counts.

    Attributes:
        value: The points, more than 0.
        needs: The name of a check without whose full credit this one earns nothing; ``any`` for one that earns only
            where some other check earned points; None for a check that stands alone.
        hint: A sentence for a student who fails the check, also where the check is hidden.
    """

    value: float
    needs: str | None = None
    hint: str = ""


def points(value: float, *, needs: str | None = None, hint: str = "") -> Callable[[_Function], _Function]:
    """Make a function ``check_<name>`` a check worth so many points.

    Args:
        value: The points, more than 0.
        needs: ``any``, or the name of a check without whose full credit this one earns nothing.
        hint: A sentence for a student who fails it; it is shown even where the check is hidden.

    Raises:
        CourseError: If the points are no positive number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise CourseError(f"points({value!r}): found no positive number; write for example @points(3)")

    def mark(function: _Function) -> _Function:
        setattr(function, _ATTRIBUTE, Points(float(value), needs, hint))
        return function

    return mark


def points_of(function: Any) -> Points | None:
    """Return the points of a function; None if it has none."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, Points) else None
