"""Tell what a notebook's code is at this moment: the file's cells, each as it last ran in this kernel."""

from __future__ import annotations

import ast
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import SubmissionError
from autograder.jupyter.show import shell
from autograder.submission.notebook import notebook_source

SESSION = "JPY_SESSION_NAME"
"""Names the notebook that a kernel runs for. Source: jupyter_server.services.sessions.sessionmanager."""


@dataclass(frozen=True)
class Run:
    """A cell as it ran.

    Attributes:
        text: Its source.
        cell_id: Its id in the notebook; None where the front end does not tell.
        at: When, in seconds since the epoch.
    """

    text: str
    cell_id: str | None
    at: float


@dataclass(frozen=True)
class Code:
    """A notebook's code as one module, and what its author should know about how it was put together."""

    source: str
    notes: tuple[str, ...]


class Recorder:
    """Remembers the cells that run in this kernel."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._listens = False

    def listen(self) -> None:
        """Begin to remember; of what ran before, IPython knows the text alone."""
        ip = shell()
        if ip is None or self._listens:
            return
        self._listens = True
        before = [text for text in ip.history_manager.input_hist_raw[1:-1] if text.strip()]
        self.runs += [Run(text, None, time.time()) for text in before]
        ip.events.register("pre_run_cell", self._ran)

    def _ran(self, info: Any) -> None:
        if info.store_history and not info.silent and info.raw_cell.strip():
            self.runs.append(Run(info.raw_cell, getattr(info, "cell_id", None) or None, time.time()))


def find_notebook(name: str) -> Path | None:
    """Return the file of the notebook that this kernel runs for; None if there is none."""
    session = os.environ.get(SESSION, "")
    suffix = Path(session).suffix
    if suffix and suffix != ".ipynb":
        return None  # a console, or a script opened as a notebook
    places = [Path(session), Path.cwd() / Path(session).name] if suffix else []
    for path in (*places, Path.cwd() / f"{name}.ipynb"):
        if path.is_file():
            return path.absolute()
    return None


def current_code(path: Path | None, runs: Sequence[Run], *, where: str) -> Code:
    """Return the code of a notebook as it stands in a kernel.

    The unlocked code cells of the file, in order, each as it was last run. Cells that ran since the file was saved and
    are not in it follow in the order of their first run. Without a file, all cells that ran count.

    Raises:
        SubmissionError: The file is no notebook, or its code is no acceptable source.
    """
    cells, saved_at = _read(path) if path else ([], 0.0)
    last = {run.cell_id: run for run in runs if run.cell_id is not None}
    ids, texts = {cell.get("id") for cell in cells}, {_text(cell).strip() for cell in cells}
    notes = []
    for number, cell in enumerate(cells, start=1):
        run = last.get(str(cell.get("id")))
        if run is None or _is_locked(cell):
            continue
        text = _text(cell)
        if text.rstrip() != run.text.rstrip() and run.at < saved_at:
            notes.append(f"code cell {number} was changed after it last ran, and here counts what ran; run it again")
        cell["source"] = run.text
    later = [run for run in _latest(runs) if run.cell_id not in ids and run.text.strip() not in texts]
    cells += [{"cell_type": "code", "source": run.text, "metadata": {}} for run in later if run.at > saved_at]
    return Code(notebook_source(json.dumps({"nbformat": 4, "cells": cells}), where=where).source, tuple(notes))


def _read(path: Path) -> tuple[list[dict[str, Any]], float]:
    """Return the code cells of a notebook's file, and when it was saved."""
    try:
        text, saved_at = path.read_text(encoding="utf-8-sig"), path.stat().st_mtime
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise SubmissionError(f"{path.name}: cannot be read ({reason}); expected a notebook; save it again") from None
    notebook_source(text, where=path.name)  # which says what is wrong with it
    return [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"], saved_at


def _latest(runs: Sequence[Run]) -> list[Run]:
    """Return the last run of each cell, in the order of first runs; first those of which only the text is known.

    Of those, what a later cell defines anew is left out: they may be earlier versions of that cell.
    """
    known: dict[str, Run] = {}
    unknown: dict[str, Run] = {}
    for run in runs:
        if run.cell_id is not None:
            known[run.cell_id] = run
        else:
            unknown.pop(run.text, None)
            unknown[run.text] = run
    names: set[str] = set().union(*(_defined(run.text) for run in known.values()))
    return [run for run in unknown.values() if not _defined(run.text) & names] + list(known.values())


def _defined(text: str) -> set[str]:
    """Return the names of the functions, classes and variables that a cell defines."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    names = {target.id for target in targets if isinstance(target, ast.Name)}
    return names | {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _is_locked(cell: dict[str, Any]) -> bool:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return isinstance(nbgrader, dict) and nbgrader.get("locked") is True


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)
