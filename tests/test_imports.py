"""Imports point one way, the worker knows no judge, and each heavy dependency has one owner."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import autograder

ROOT = Path(autograder.__file__).parent
MODULES = {
    ".".join(("autograder", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}


def imported(path: Path, *, deep: bool = True) -> Iterator[str]:
    """Yield the dotted names that a module imports when it runs; not those for type checkers alone.

    Args:
        path: The module.
        deep: Look into functions as well.
    """
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            todo += node.orelse
        elif isinstance(node, ast.FunctionDef) and not deep:
            continue
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            todo += ast.iter_child_nodes(node)


def own(path: Path, *, deep: bool = True) -> set[str]:
    """Return the modules of the package that a module imports."""
    names = set()
    for name in imported(path, deep=deep):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if name and name != "autograder":
            names.add(name)
    return names


def test_imports_point_one_way() -> None:
    graph = {name: own(path) - {name} for name, path in MODULES.items() if name != "autograder"}
    # A package and the modules in it are one thing to the rest.
    for name in graph:
        graph[name] = {other for other in graph[name] if not name.startswith(f"{other}.")}

    list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the cycle


def test_what_runs_in_the_worker_knows_no_check_no_oracle_and_no_report() -> None:
    allowed = {"autograder.wire.channel", "autograder.wire.values"}
    for name, path in MODULES.items():
        if name.startswith("autograder.worker"):
            assert {other for other in own(path) if not other.startswith("autograder.worker.")} <= {
                *allowed,
                "autograder.worker",
            }, name
    for name in allowed:
        assert own(MODULES[name]) <= allowed


@pytest.mark.parametrize(
    "package", ["nbgrader", "dask", "distributed", "pyseccomp", "jupytext", "jinja2", "rich", "click"]
)
def test_one_module_or_package_owns_a_heavy_dependency(package: str) -> None:
    owners = {
        ".".join(name.split(".")[:2])
        for name, path in MODULES.items()
        if any(other.partition(".")[0] == package for other in imported(path))
    }

    assert len(owners - {"autograder.cli.main", "autograder.cli"}) <= 1


def test_errors_stand_alone_and_nothing_imports_the_command_line() -> None:
    assert own(MODULES["autograder.errors"]) == set()
    assert own(MODULES["autograder.verdicts"]) == set()
    commands = [name for name in MODULES if name.startswith("autograder.cli")]
    assert [name for name, path in MODULES.items() if "autograder.cli.main" in own(path)] == []
    for name, path in MODULES.items():
        assert name in ("autograder.cli.main", *commands) or not own(path).intersection(commands), name


def test_the_command_line_starts_without_torch() -> None:
    """Check what `autograde list` imports: following torch takes seconds."""
    seen, todo = set(), ["autograder.cli.main"]
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        assert not any(other.partition(".")[0] == "torch" for other in imported(MODULES[name], deep=False)), name
        todo += own(MODULES[name], deep=False)


def test_the_engine_knows_no_assignment() -> None:
    names = [folder.name for folder in (ROOT.parent / "assignments").iterdir() if folder.is_dir()]
    for name, path in MODULES.items():
        words = {
            node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)
        }
        assert not words & set(names), name
