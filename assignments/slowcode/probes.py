"""What runs beside the submission for the checks that a single call cannot make."""

from typing import Any


def twice(submission: Any, name: str, first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    """Call a function with one set of arguments, then with another.

    Args:
        submission: The module.
        name: The name of the function.
        first: The arguments of the first call.
        second: The arguments of the second call.

    Returns:
        The two results, and the first call's arguments, as they are after the second call.
    """
    function = getattr(submission, name)
    results = function(*first), function(*second)
    return *results, first
