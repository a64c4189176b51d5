"""The texts of files that leave the instructor's repository, with their blanks filled in."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).with_name("templates")


def fill(template: str, /, **blanks: str) -> str:
    """Return the text of a template; each of its `@WORD@` becomes what the argument `word` says.

    Shells and GitHub's workflows use `$` and braces for themselves, hence this spelling.
    """
    text = (_FOLDER / template).read_text(encoding="utf-8")
    for word, value in blanks.items():
        text = text.replace(f"@{word.upper()}@", value)
    return text
