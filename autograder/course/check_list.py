"""Read from a check file what its checks claim and what they are worth, without running it."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.course.digest import read_bytes
from autograder.errors import CourseError

_PREFIX = "check_"


@dataclass(frozen=True)
class Claim:
    """What students may know of a check before it runs.

    Attributes:
        name: The check's name.
        title: What it claims, in words.
        points: What it is worth.
        hidden: Whether it runs only when work is graded.
        needs: The check without whose credit it earns nothing, as in ``points``.
    """

    name: str
    title: str
    points: float
    hidden: bool = False
    needs: str | None = None


def check_functions(file: Path, root: Path) -> list[ast.FunctionDef]:
    """Return the functions that a check file defines as checks.

    Raises:
        CourseError: If the file cannot be read as Python.
    """
    label = file.relative_to(root).as_posix()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(read_bytes(file, root))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise CourseError(f"{label}{line}: not Python ({reason}); expected a check file; correct it") from error
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith(_PREFIX)]


def check_name(function: ast.FunctionDef) -> str:
    """Return the name of the check that a function is."""
    return function.name.removeprefix(_PREFIX)


def claims_in(file: Path, root: Path, *, hidden: bool = False) -> Iterator[Claim]:
    """Yield the claims of the checks in a file, in order.

    Args:
        file: The check file.
        root: The course's folder, to which messages are relative.
        hidden: Whether the checks are hidden.

    Raises:
        CourseError: If the file cannot be read as Python, or a check has no title or no points that stand there.
    """
    label = file.relative_to(root).as_posix()
    for function in check_functions(file, root):
        where = f"{label}:{function.lineno}: {function.name}"
        marks = [node for node in function.decorator_list if isinstance(node, ast.Call) and _called(node) == "points"]
        if not marks:
            raise CourseError(f"{where} has no points; put @points(...) above it")
        text = (ast.get_docstring(function) or "").strip()
        if not text:
            raise CourseError(f"{where} has no docstring; its first line is the title that students read")
        named = {keyword.arg: keyword.value for keyword in marks[0].keywords}
        value = _literal(marks[0].args[0] if marks[0].args else named.get("value"))
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
            raise CourseError(f"{where} has points that are no plain number above 0; write for example @points(3)")
        needs = _literal(named.get("needs"))
        title = text.splitlines()[0].strip().rstrip(".")
        yield Claim(check_name(function), title, float(value), hidden, needs if isinstance(needs, str) else None)


def _called(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _literal(node: ast.expr | None) -> object:
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None
