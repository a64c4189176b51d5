"""Build the notebook that students get: the README, the stub's cells, and a cell for each check.

It is nbgrader's source notebook as well. What students read and the checks are locked; the stub's code cells are
solution cells, whose text is what students start from. So the module that the notebook counts as is the stub.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from autograder.course.check_list import Claim
from autograder.submission.notebook import notebook_source
from autograder.submission.source import code_digest

_HEADING = re.compile(r"#{1,6}\s")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_SET_UP = """\
# Run this cell first. Then run the cells below in any order, and `check("{example}")` judges your code as it stands.
from autograder.jupyter import checks

check = checks("{name}")"""
_CHECKS = """\
## Checks

Each cell below runs one check over the code of this notebook; `check()` runs all of them. What you submit is graded
with other numbers. A check that does not run here runs when your work is graded."""


def build_notebook(stub_text: str, *, name: str, readme: str = "", claims: Sequence[Claim] = ()) -> str:
    """Build the notebook of an assignment, byte for byte the same from the same texts.

    Comments stay comments: jupytext would otherwise take one like `# cat the rows` for a shell command and write it
    without its `#`. A cell that holds nothing but the module's docstring joins the next one.

    Args:
        stub_text: The stub in percent format.
        name: The assignment's name.
        readme: What students read, in Markdown.
        claims: The checks, in the order of their cells; without any there is no cell for checks.
    """
    cells = list(_readme_cells(readme, name))
    if claims:
        example = next((claim.name for claim in claims if not claim.hidden), claims[0].name)
        cells.append(_cell("code", f"{name}-setup", _SET_UP.format(name=name, example=example), locked=True))
    cells += _stub_cells(stub_text, name)
    if claims:
        cells.append(_cell("markdown", f"{name}-checks", _CHECKS, locked=True))
    cells += [_check_cell(claim) for claim in claims]
    for cell in cells:
        grade_id = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
        identity = json.dumps([name, grade_id, cell["cell_type"], cell["source"]])
        cell["id"] = hashlib.sha256(identity.encode()).hexdigest()[:12]
        cell["source"] = cell["source"].splitlines(keepends=True)
    notebook: dict[str, Any] = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    # By this the stub is known again where its file is the one that a student has edited.
    built = notebook_source(json.dumps(notebook)).source
    notebook["metadata"]["autograder"] = {"stub": sorted({code_digest(stub_text), code_digest(built)})}
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def hidden_claims(notebook_text: str) -> list[Claim]:
    """Return the hidden checks that a built or released notebook announces; none where it is no such notebook."""
    try:
        found = [_announced(cell) for cell in json.loads(notebook_text)["cells"]]
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError, IndexError):
        return []
    return [claim for claim in found if claim is not None]


def _announced(cell: dict[str, Any]) -> Claim | None:
    metadata = cell["metadata"]
    if not metadata.get("autograder", {}).get("hidden"):
        return None
    title = "".join(cell["source"]).partition("  # ")[2]
    return Claim(str(metadata["nbgrader"]["grade_id"]), title, float(metadata["nbgrader"]["points"]), hidden=True)


def _readme_cells(readme: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield a cell for each section, however deep its heading."""
    sections: list[list[str]] = [[]]
    fence = ""
    for line in readme.splitlines():
        marker = _FENCE.match(line)
        if fence:
            if marker and marker[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif marker:
            fence = marker[1]
        elif _HEADING.match(line):
            sections.append([])
        sections[-1].append(line)
    texts = [text for section in sections if (text := "\n".join(section).strip())]
    for number, text in enumerate(texts, start=1):
        yield _cell("markdown", f"{name}-readme-{number}", text, locked=True)


def _stub_cells(stub_text: str, name: str) -> Iterator[dict[str, Any]]:
    import jupytext

    built = jupytext.reads(stub_text, fmt={"extension": ".py", "format_name": "percent", "comment_magics": False})
    numbers = {"code": 0, "markdown": 0, "raw": 0}
    docstring = ""
    codes = sum(cell.cell_type == "code" for cell in built.cells)
    for cell in built.cells:
        kind, text = cell.cell_type, cell.source
        if kind == "code" and not numbers["code"] and not docstring and codes > 1 and _is_docstring(text):
            docstring = f"{text}\n\n"
            continue
        numbers[kind] += 1
        if kind == "code":
            text, docstring = docstring + text, ""
        label = {"code": "cell", "markdown": "text", "raw": "raw"}[kind]
        made = _cell(kind, f"{name}-{label}-{numbers[kind]}", text, locked=kind != "code")
        own = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
        own_nbgrader = own.pop("nbgrader", {})
        made["metadata"] |= own
        made["metadata"]["nbgrader"] |= own_nbgrader
        if own_nbgrader.get("locked") is True:
            made["metadata"]["nbgrader"]["solution"] = False
        yield made


def _is_docstring(text: str) -> bool:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return len(tree.body) == 1 and ast.get_docstring(tree) is not None


def _check_cell(claim: Claim) -> dict[str, Any]:
    cell = _cell("code", claim.name, f'check("{claim.name}")  # {claim.title}', locked=True)
    points = int(claim.points) if claim.points.is_integer() else claim.points
    cell["metadata"]["nbgrader"] |= {"grade": True, "points": points}
    if claim.hidden:
        cell["metadata"]["autograder"] = {"hidden": True}
    return cell


def _cell(kind: str, grade_id: str, text: str, *, locked: bool) -> dict[str, Any]:
    """Return a cell; an unlocked one is a solution cell. Source: nbgrader's cell metadata, schema version 3."""
    nbgrader = {
        "grade": False,
        "grade_id": grade_id,
        "locked": locked,
        "schema_version": 3,
        "solution": not locked,
        "task": False,
    }
    outside: dict[str, Any] = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "metadata": {"nbgrader": nbgrader}, "source": text, **outside}
