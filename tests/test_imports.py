"""Imports point one way, the worker knows no judge, and each heavy dependency has one owner."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import autograder

ROOT = Path(autograder.__file__).parent
EXAMPLE = ROOT / "authoring/new/example"  # files of an assignment, which `autograde new` copies
MODULES = {
    ".".join(("autograder", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
    if EXAMPLE not in path.parents
}


# The rooms of the engine, and which rooms each one may import; a room is a package, or a module at the root. Every row
# names only rooms that stand below it, so that the table itself shows that imports point one way.
ROOMS: dict[str, set[str]] = {
    "cli": {
        *("jupyter", "doctor", "nbgrader", "authoring", "grading", "checks", "report", "submission", "sandbox"),
        *("course", "files", "errors"),
    },
    "jupyter": {"authoring", "grading", "checks", "report", "submission", "sandbox", "course", "errors"},
    "doctor": {"nbgrader", "authoring", "checks", "report", "sandbox", "course", "verdicts", "errors"},
    "nbgrader": {
        *("authoring", "grading", "checks", "report", "submission", "sandbox", "course", "files", "errors"),
    },
    "authoring": {"grading", "checks", "report", "submission", "course", "files", "errors"},
    "grading": {"checks", "report", "submission", "sandbox", "worker", "course", "errors"},
    "checks": {"report", "submission", "sandbox", "worker", "wire", "course", "verdicts", "errors"},
    "report": {"submission", "course", "files", "verdicts", "errors"},
    "submission": {"course", "errors"},
    "sandbox": {"worker", "wire", "course", "verdicts", "errors"},
    "course": {"files", "errors"},
    "datasets": {"worker", "errors"},
    "worker": {"wire"},
    "wire": set(),
    "files": {"errors"},
    "verdicts": set(),
    "errors": set(),
}
MAX_ROOT_MODULES, MAX_ROOM_MODULES, MAX_LINES = 5, 17, 350
# The two packages whose names students and check files import.
PUBLIC = {"autograder", "autograder.jupyter"}


def imported(path: Path, *, deep: bool = True, typing: bool = False) -> Iterator[str]:
    """Yield the dotted names that a module imports when it runs.

    Args:
        path: The module.
        deep: Look into functions as well.
        typing: Yield those for type checkers alone, too.
    """
    todo: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while todo:
        node = todo.pop()
        if not typing and isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
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


def own(path: Path, *, deep: bool = True, typing: bool = False) -> set[str]:
    """Return the modules of the package that a module imports."""
    names = set()
    for name in imported(path, deep=deep, typing=typing):
        while name and name not in MODULES:
            name = name.rpartition(".")[0]
        if name and name != "autograder":
            names.add(name)
    return names


def room_of(name: str) -> str:
    """Return the room of a module."""
    return name.split(".")[1]


def test_every_room_imports_only_the_rooms_that_the_table_allows() -> None:
    for name, path in MODULES.items():
        if name != "autograder":
            others = {room_of(other) for other in own(path, typing=True)} - {room_of(name)}
            assert others <= ROOMS[room_of(name)], f"{name} imports {others - ROOMS[room_of(name)]}"


def test_every_row_of_the_table_names_only_rooms_below_it() -> None:
    rooms = list(ROOMS)

    assert {room_of(name) for name in MODULES if name != "autograder"} == set(rooms)
    for index, room in enumerate(rooms):
        assert ROOMS[room] <= set(rooms[index + 1 :]), room


def test_rooms_stay_small_enough_to_look_through() -> None:
    assert len(list(ROOT.glob("*.py"))) <= MAX_ROOT_MODULES
    for folder in {path.parent for path in MODULES.values()} - {ROOT}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MAX_ROOM_MODULES, folder
    for name, path in MODULES.items():
        assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES, name


def test_a_room_says_in_one_docstring_what_it_is_for_and_runs_nothing_when_imported() -> None:
    for name, path in MODULES.items():
        if path.name == "__init__.py" and name not in PUBLIC:
            (statement,) = ast.parse(path.read_text(encoding="utf-8")).body
            assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant), name


def test_imports_point_one_way() -> None:
    graph = {name: own(path) - {name} for name, path in MODULES.items() if name != "autograder"}
    # A package and the modules in it are one thing to the rest.
    for name in graph:
        graph[name] = {other for other in graph[name] if not name.startswith(f"{other}.")}

    list(TopologicalSorter(graph).static_order())  # raises CycleError, naming the cycle


def test_what_runs_in_the_worker_knows_no_check_no_oracle_and_no_report() -> None:
    allowed = {"autograder.wire.channel", "autograder.wire.frames", "autograder.wire.values"}
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
