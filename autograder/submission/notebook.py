"""Read a notebook's code cells as one module.

Notebooks are read here as plain JSON. What is needed of the format is small and has stood still since version 4, and
a validator run over hostile input is time and surface for nothing: outputs and unknown keys are never looked at.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from autograder.errors import SubmissionError
from autograder.submission.source import check_source, shown

_REMOVED = "# (taken out: a line for the notebook, not for the module)"
# Cell magics whose body is not Python that runs in the notebook's own process. After any other (`%%time`, `%%capture`)
# the body is part of the module.
_FOREIGN = re.compile(
    r"%%(!|ai|bash|cmd|cython|file|html|HTML|javascript|js|latex|markdown|perl|pypy|python[23]?|R|ruby|script|sh|sql"
    r"|svg|SVG|sx|system|writefile)(?!\w)"
)
# What a student may write in a cell of their own to run the checks of autograder.jupyter; a worker has no such name.
_CHECK_CALL = re.compile(
    r"(from autograder\.jupyter import checks|check\s*=\s*checks\((?P<a>['\"])\w+(?P=a)\)"
    r"|check\(((?P<b>['\"])\w*(?P=b))?\))\s*;?\s*(#.*)?"
)
_OWN_CHECK = re.compile(r"^(def check\b|class check\b|check\s*(:.*)?=(?!=|\s*checks\())", re.MULTILINE)
_OPENING = re.compile(r"#|\"\"\"|'''|[\"'()\[\]{}]")
_CLOSING = {quote: re.compile(rf"(?:[^\\]|\\.)*?{quote}") for quote in ('"', "'", '"""', "'''")}


@dataclass(frozen=True)
class NotebookSource:
    """A notebook's code as one module.

    Attributes:
        source: The module.
        removed: What was left out of it, in words.
        stub_digests: By which code the notebook says that it was built from (`code_digest`).
    """

    source: str
    removed: tuple[str, ...]
    stub_digests: frozenset[str] = frozenset()


def notebook_source(text: str, *, where: str = "notebook") -> NotebookSource:
    """Join the unlocked code cells of a notebook, in order, as one Python module.

    Each cell starts with a comment, `# code cell 3`, so that a line of the module can be found again in the notebook;
    locked cells count too. A line that starts a statement with `%` or `!` leaves a comment behind, or `pass` where it
    was indented, so that lines keep their places and blocks stay blocks. A `%` that continues an expression or lies
    in a string is Python and stays. Of a cell that is written in another language (`%%bash`) nothing stays. A line that
    only runs the notebook's checks, `check("values")`, goes as well, unless the notebook has a `check` of its own.

    Raises:
        SubmissionError: The text is not a notebook of format 4, or its code is no acceptable source (`check_source`).
    """
    pieces: list[str] = []
    removed: list[str] = []
    texts = {
        number: _cell_text(cell, number, where).replace("\r\n", "\n").replace("\r", "\n")
        for number, cell in enumerate(_code_cells(text, where), start=1)
        if not _is_locked(cell)
    }
    has_own_check = any(map(_OWN_CHECK.search, texts.values()))
    for number, cell_text in texts.items():
        lines = cell_text.split("\n")
        place = f"code cell {number}"
        first = next((line for line in lines if line.strip()), "").strip()
        if _FOREIGN.match(first):
            pieces.append(f"# {place}: taken out, it is not Python\n")
            removed.append(f"{place}: {shown(first[:80])} (the whole cell)")
            continue
        kept = list(_without_magics(lines, has_own_check=has_own_check))
        for row, (line, left) in enumerate(zip(lines, kept, strict=True), start=1):
            if left is not line:
                removed.append(f"{place}, line {row}: {shown(line.strip()[:80])}")
        body = "\n".join(kept).rstrip("\n") + "\n"
        # A last line that goes on needs a line to go on with, be it an empty one.
        pieces.append(f"# {place}\n{body}" + ("\n" if body.endswith("\\\n") else ""))
    return NotebookSource(check_source("\n".join(pieces), where=where), tuple(removed), _stub_digests(text))


def _stub_digests(text: str) -> frozenset[str]:
    try:
        said = json.loads(text)["metadata"]["autograder"]["stub"]
    except (KeyError, TypeError):
        return frozenset()
    return frozenset(item for item in said if isinstance(item, str)) if isinstance(said, list) else frozenset()


def _code_cells(text: str, where: str) -> Iterator[dict[str, Any]]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        reason = f" ({error})" if isinstance(error, json.JSONDecodeError) else ""
        raise SubmissionError(
            f"{where}: not a notebook{reason}; expected JSON as Jupyter writes it; open it in Jupyter and save it again"
        ) from None
    if not isinstance(notebook, dict) or "nbformat" not in notebook:
        raise SubmissionError(
            f"{where}: JSON, but not a notebook; expected one of format 4; open it in Jupyter and save it again"
        )
    if notebook["nbformat"] != 4:
        found = notebook["nbformat"] if isinstance(notebook["nbformat"], int | float) else "unknown"
        raise SubmissionError(
            f"{where}: a notebook of format {shown(str(found)[:20])}; expected format 4; "
            "open it in a current Jupyter and save it again"
        )
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise SubmissionError(
            f"{where}: a notebook without a list of cells; expected format 4; open it in Jupyter and save it again"
        )
    return (cell for cell in cells if cell.get("cell_type") == "code")


def _is_locked(cell: dict[str, Any]) -> bool:
    metadata = cell.get("metadata")
    nbgrader = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return isinstance(nbgrader, dict) and nbgrader.get("locked") is True


def _cell_text(cell: dict[str, Any], number: int, where: str) -> str:
    source = cell.get("source")
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    raise SubmissionError(
        f"{where}: code cell {number} has no text; expected a string or a list of strings as its source; "
        "open it in Jupyter and save it again"
    )


def _without_magics(lines: list[str], *, has_own_check: bool) -> Iterator[str]:
    """Yield the lines of a cell, with a comment for each that starts a statement with `%` or `!` or continues one.

    So too for each that runs the notebook's checks, where `check` is not the author's own.
    """
    quote, depth, continues, in_magic = "", 0, False, False
    for line in lines:
        starts = not (quote or depth or continues)
        if starts and line.lstrip()[:1] in {"%", "!"}:
            in_magic, continues = True, line.endswith("\\")
            indent = line[: len(line) - len(line.lstrip())]
            yield f"{indent}pass  {_REMOVED}" if indent else _REMOVED
        elif starts and not has_own_check and _CHECK_CALL.fullmatch(line):
            yield _REMOVED
        elif in_magic and continues:
            continues = line.endswith("\\")
            yield _REMOVED
        else:
            in_magic = False
            quote, depth, continues = _state_after(line, quote, depth)
            yield line


def _state_after(line: str, quote: str, depth: int) -> tuple[str, int, bool]:
    """Return the string still open, the brackets still open and whether a backslash continues, after `line`."""
    place = 0
    while True:
        if quote:
            closing = _CLOSING[quote].match(line, place)
            if not closing:
                goes_on = len(quote) == 3 or line.endswith("\\")
                return quote if goes_on else "", depth, False
            quote, place = "", closing.end()
            continue
        opening = _OPENING.search(line, place)
        if not opening:
            return "", depth, line.endswith("\\")
        token, place = opening[0], opening.end()
        if token == "#":
            return "", depth, False
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth = max(depth - 1, 0)
        else:
            quote = token
