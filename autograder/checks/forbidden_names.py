"""Compare the names that stand in a submission with the forbidden calls that were seen to run.

Neither sees everything. A name that stands there and was never seen to run is a flag for the instructor, and so is
a forbidden call whose name does not stand there; only what ran costs points.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Iterable, Iterator

from autograder.course.loading import Assignment
from autograder.report.model import CheckResult


def forbidden_leaves(names: Iterable[str]) -> set[str]:
    """Return the last parts of forbidden names, as they stand in source."""
    leaves = set()
    names = set(names)
    for name in names:
        if not name.startswith(("torch.", "aten::")) and f"torch.{name.rpartition('.')[2]}" not in names:
            continue  # torch has an allowed function of that name
        leaf = name.removeprefix("aten::").rstrip(".*").rpartition(".")[2]
        if not (leaf.startswith("__") and leaf.endswith("__")):
            leaves.add(leaf.lstrip("_"))
    return leaves


def standing_names(source: str, leaves: set[str]) -> Iterator[tuple[int, str]]:
    """Yield line and name of every forbidden name in the syntax tree, but for those that the module defines itself."""
    try:
        tree = ast.parse(unicodedata.normalize("NFKC", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    tree.body = [node for node in tree.body if not _runs_as_script_only(node)]
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in ast.walk(tree):
        name = ""
        if isinstance(node, ast.Attribute):
            name = node.attr
        elif isinstance(node, ast.Name) and node.id not in own:
            name = node.id
        elif isinstance(node, ast.alias):
            name = node.name.rpartition(".")[2]
        if name in leaves:
            yield getattr(node, "lineno", 0), name


def _runs_as_script_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "'__main__' == __name__")


def disagreements(source: str, assignment: Assignment, checks: Iterable[CheckResult]) -> list[str]:
    """Return the flags for names that stand in a submission but were not seen to run."""
    leaves = forbidden_leaves(assignment.forbidden)
    if not leaves or not source or any(check.verdict == "forbidden" for check in checks):
        return []
    found = sorted(set(standing_names(source, leaves)))
    return [f"line {line}: the forbidden name {name} stands there; no check saw it run" for line, name in found[:5]]
