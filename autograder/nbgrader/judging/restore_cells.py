"""Make a notebook of nbgrader's out of whatever a student submitted.

Official judging reads the student's own files. This notebook is what graders and the student look at, and what carries
the scores; so its checks and instructions are the released ones, whatever happened to them, and nothing in it stops
nbgrader.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.nbgrader.judging.step import course_of, released_notebook
from autograder.submission.reading import NOTEBOOK_BYTES

_KINDS = ("code", "markdown", "raw")
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def read_leniently(path: Path) -> NotebookNode | None:
    """Return a notebook as a plain one of format 4.5, with its cells' texts and little else; None if it is none.

    Outputs, execution counts, attachments of an odd shape and metadata other than nbgrader's are left out.
    """
    try:
        if path.stat().st_size > NOTEBOOK_BYTES:
            return None
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
        if document["nbformat"] != 4:
            document = nbformat.convert(nbformat.from_dict(document), 4)  # type: ignore[no-untyped-call]
        cells = [_plain_cell(cell) for cell in document["cells"]]
    except Exception:  # noqa: BLE001  # nbformat raises whatever comes up in what it converts
        return None
    _make_ids_unique(cells)
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.from_dict({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})  # type: ignore[no-any-return,no-untyped-call]


def _plain_cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    kind = cell["cell_type"] if cell["cell_type"] in _KINDS else "raw"
    source = cell.get("source", "")
    text = source if isinstance(source, str) else "".join(line for line in source if isinstance(line, str))
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    plain: dict[str, Any] = {
        "id": cell.get("id"),
        "cell_type": kind,
        "metadata": {"nbgrader": dict(nbgrader)} if isinstance(nbgrader, dict) else {},
        "source": text.encode(errors="backslashreplace").decode(),  # half a surrogate pair has no UTF-8
    }
    if kind == "code":
        plain |= {"execution_count": None, "outputs": []}
    elif _is_attachments(cell.get("attachments")):
        plain["attachments"] = cell["attachments"]
    return plain


def _is_attachments(value: object) -> bool:
    """Tell whether a cell's pictures are such: by name and by type, in base 64."""
    return isinstance(value, dict) and all(
        isinstance(types, dict) and all(isinstance(data, str) and data.isascii() for data in types.values())
        for types in value.values()
    )


def _make_ids_unique(cells: Sequence[dict[str, Any]]) -> None:
    taken = {cell["id"] for cell in cells if isinstance(cell["id"], str)}
    seen: set[str] = set()
    for number, cell in enumerate(cells):
        own = cell["id"]
        if not isinstance(own, str) or not _CELL_ID.fullmatch(own) or own in seen:
            own = next(new for new in _numbered(f"cell-{number}") if new not in taken | seen)
        seen.add(own)
        cell["id"] = own


def _numbered(stem: str) -> Iterator[str]:
    yield stem
    number = 2
    while True:
        yield f"{stem}-{number}"
        number += 1


class Restore(NbGraderPreprocessor):  # type: ignore[misc]
    """Put back what was released: locked cells, checks, and what nbgrader knows about each cell.

    A cell that the gradebook does not know is the student's own and loses its nbgrader metadata. Of several cells with
    one name the last one counts, as with nbgrader. A locked cell is replaced by the released one; a solution cell keeps
    the student's text. Locked cells, checks and answers that are missing come back behind the cell that they followed.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Restore one notebook."""
        names = resources["nbgrader"]
        notebook, assignment = names["notebook"], names["assignment"]
        with Gradebook(names["db_url"]) as gradebook:
            known = released_cells(gradebook.find_notebook(notebook, assignment))
        order = _order(released_notebook(self, course_of(self), assignment), known)
        kept: list[NotebookNode] = []
        seen: set[str] = set()
        for cell in reversed(nb.cells):
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if not isinstance(name, str) or name not in known or name in seen:
                cell.metadata.pop("nbgrader", None)
                kept.append(cell)
                continue
            seen.add(name)
            kept.append(self._restored(cell, known[name]))
        kept.reverse()
        self._put_back(kept, known, order)
        _make_ids_unique(kept)
        nb.cells = kept
        return nb, resources

    def _restored(self, cell: NotebookNode, released: NotebookNode) -> NotebookNode:
        whole = nbformat.from_dict({**released, "id": cell.id})  # type: ignore[no-untyped-call]
        own = released.metadata.nbgrader
        if own.solution and not own.locked:
            whole.source = cell.source
            if "attachments" in cell and whole.cell_type != "code":
                whole.attachments = cell.attachments
        elif cell.source != released.source:
            self.log.warning("Cell '%s' was changed; the released one is back", own.grade_id)
        return whole  # type: ignore[no-any-return]

    def _put_back(self, cells: list[NotebookNode], known: Mapping[str, NotebookNode], order: list[str]) -> None:
        """Insert what is missing of all but plain solution cells, whose absence is the student's own answer."""
        place = {cell.metadata.nbgrader.grade_id: cell for cell in cells if "nbgrader" in cell.metadata}
        before: NotebookNode | None = None
        for name in order:
            own = known[name].metadata.nbgrader
            if name not in place and (own.grade or own.task or own.locked):
                self.log.warning("Cell '%s' was missing; the released one is back", name)
                position = next((index + 1 for index, cell in enumerate(cells) if cell is before), 0)
                place[name] = nbformat.from_dict({**known[name], "id": None})  # type: ignore[no-untyped-call]
                cells.insert(position, place[name])
            before = place.get(name, before)


def released_cells(notebook: Any) -> dict[str, NotebookNode]:
    """Return the cells that the gradebook knows of a notebook, by name, as they were released."""
    points = {cell.name: float(cell.max_score) for cell in (*notebook.grade_cells, *notebook.task_cells)}
    grades, tasks = ({cell.name for cell in cells} for cells in (notebook.grade_cells, notebook.task_cells))
    solutions = {cell.name for cell in notebook.solution_cells}
    cells = {}
    for cell in notebook.source_cells:
        nbgrader: dict[str, Any] = {
            "schema_version": 3,
            "grade_id": cell.name,
            "grade": cell.name in grades,
            "solution": cell.name in solutions,
            "locked": bool(cell.locked),
            "task": cell.name in tasks,
        }
        if cell.name in points:
            nbgrader["points"] = points[cell.name]
        if cell.checksum:
            nbgrader["checksum"] = cell.checksum
        plain = {"cell_type": cell.cell_type, "source": cell.source, "metadata": {"nbgrader": nbgrader}}
        if cell.cell_type == "code":
            plain |= {"execution_count": None, "outputs": []}
        cells[cell.name] = nbformat.from_dict(plain)  # type: ignore[no-untyped-call]
    return cells


def _order(released: Path, known: Mapping[str, NotebookNode]) -> list[str]:
    """Return the names of the known cells as they follow each other in the released notebook, then the others."""
    notebook = read_leniently(released)
    found = [cell.metadata.get("nbgrader", {}).get("grade_id") for cell in notebook.cells] if notebook else []
    names = [name for name in found if name in known]
    return [*dict.fromkeys(names), *(name for name in known if name not in names)]
