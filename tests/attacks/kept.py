"""The attacks on the engine itself: `engine/*.py`, submissions for the made-up assignment `echo` of tests/harness.py.

Each begins with a docstring of four fields (Title, How, After, Stopped by) and says what it must get:
``OUTCOME`` names the verdict of each check, ``LEVELS`` the sandbox levels that stop it (``namespaces`` alone if it says
nothing), ``SLOW = True`` that it is left out of quick runs. Functions that ask ``gained()`` answer rightly where the
attack worked, so that a point is a proof.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ENGINE = Path(__file__).with_name("engine")
FIELDS = ("Title", "How", "After", "Stopped by")


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: The file's stem.
        source: Its text.
        words: The fields of its docstring.
        outcome: The verdict that each check must have.
        levels: The sandbox levels at which that is promised.
        slow: Whether quick runs leave it out.
    """

    name: str
    source: str
    words: dict[str, str]
    outcome: dict[str, str]
    levels: tuple[str, ...]
    slow: bool


def read_attack(path: Path) -> Attack:
    """Read an attack without running it."""
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    values: dict[str, Any] = {"LEVELS": ["namespaces"], "SLOW": False}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper():
            try:
                values[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return Attack(
        name=path.stem,
        source=source,
        words=fields(ast.get_docstring(tree) or ""),
        outcome=values["OUTCOME"],
        levels=tuple(values["LEVELS"]),
        slow=values["SLOW"],
    )


def fields(docstring: str) -> dict[str, str]:
    """Return the fields of an attack's docstring; a field goes on until the next one begins."""
    parts = re.split(rf"^({'|'.join(FIELDS)}):", docstring, flags=re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def engine_attacks(*, quick: bool = False) -> list[Attack]:
    """Return the attacks on the engine, by name."""
    found = [read_attack(path) for path in sorted(ENGINE.glob("*.py"))]
    return [attack for attack in found if not (quick and attack.slow)]
