"""Write what a student reads about a check as the output of that check's cell."""

from __future__ import annotations

from html import escape
from typing import Any

from nbformat.notebooknode import from_dict

from autograder.report.model import CheckResult
from autograder.report.student_view import lines_of
from autograder.report.text import plain

_STYLE = "white-space:pre-wrap;margin:0"


def outputs(check: CheckResult | None, score: float, notes: tuple[str, ...] = ()) -> list[Any]:
    """Return a cell's outputs.

    Args:
        check: What the student may read of the check; None for nothing.
        score: What nbgrader reads from the cell: within 0 and its points.
        notes: What the student should know about the submission as a whole.
    """
    said = [_shown([f"note: {plain(note)}" for note in notes])] if notes else []
    if check is not None:
        said.append(_shown([plain(line) for line in lines_of(check)]))
    result = {
        "output_type": "execute_result",
        "execution_count": 1,
        "metadata": {},
        "data": {"text/plain": repr(score)},
    }
    return [from_dict(output) for output in (*said, result)]  # type: ignore[no-untyped-call]


def _shown(lines: list[str]) -> dict[str, Any]:
    text = "\n".join(lines).encode(errors="backslashreplace").decode()
    data = {"text/plain": text, "text/html": f'<pre style="{_STYLE}">{escape(text)}</pre>'}
    return {"output_type": "display_data", "metadata": {}, "data": data}
