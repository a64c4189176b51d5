"""The baseline of slowcode is the code that students are given."""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "assignments" / "slowcode"


def functions(path: Path) -> dict[str, str]:
    """Return what each function of a module does, without its docstring."""
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            found[node.name] = ast.dump(node.args) + "".join(map(ast.dump, body))
    return found


def test_speed_is_measured_against_the_code_of_the_stub() -> None:
    given, baseline = functions(FOLDER / "slowcode.py"), functions(FOLDER / "baseline.py")

    assert len(given) >= 5
    assert {name: baseline.get(name) for name in given} == given
