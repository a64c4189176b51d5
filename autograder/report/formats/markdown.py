"""Put text into GitHub-flavoured markdown so that it stays text, whatever it says.

What students wrote stands in code only, as a span or as a fenced block: there neither markup nor links nor mentions
exist, and a delimiter is longer than any run of backticks in what it holds.

Source: the GitHub Flavored Markdown Spec, 4.5 (fenced code blocks), 4.10 (tables), 6.1 (backslash escapes), 6.3 (code
spans) and 6.9 (autolinks).
"""

from __future__ import annotations

import re

from autograder.report.text import readable

_TICKS = re.compile("`+")
_SIGNS = re.compile(r"([\\`*_\[\]<>#|~&$:@.])")  # what is markup in the middle of a line
_REFERENCE = re.compile("(?<=[@#])")  # of a person or an issue, which GitHub looks for after markdown has been read
_NO_WIDTH = "\u200b"


def words(text: str) -> str:
    """Return a course's own words for a line or a cell of a table: every sign of markup is escaped."""
    line = " ".join(readable(text).split())
    return _REFERENCE.sub(_NO_WIDTH, _SIGNS.sub(r"\\\1", line))


def code(text: str) -> str:
    """Return text as a code span for a line or a cell of a table.

    A bar, which would end the cell, is shown as a broken bar.
    """
    line = " ".join(readable(text).split()).replace("|", "¦") or "-"
    ticks = "`" * (_longest(line) + 1)
    # A space on either side is taken off again; it parts the delimiter from a backtick.
    return f"{ticks} {line} {ticks}"


def fenced(text: str) -> str:
    """Return text as a fenced code block with the line end that it needs."""
    block = readable(text)
    ticks = "`" * max(3, _longest(block) + 1)
    return f"{ticks}text\n{block}\n{ticks}\n"


def table(header: list[str], rows: list[list[str]], *, right: str) -> str:
    """Return a table of cells that are markdown already.

    Args:
        header: The titles of the columns.
        rows: The cells.
        right: The title of the column of numbers, which is set to the right.
    """
    rule = ["---:" if title == right else "---" for title in header]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (header, rule, *rows))


def _longest(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)
