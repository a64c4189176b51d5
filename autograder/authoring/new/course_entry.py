"""Add an assignment to the text of a `course.yml`; every other byte of it stays."""

from __future__ import annotations

import yaml

from autograder.course.yaml import error_at

_KEY = "assignments"


def extended(text: str, entry: str, *, name: str) -> str:
    """Return a course's text with one more entry at the end of its assignments.

    Args:
        text: The text of a `course.yml` that is in order.
        entry: The entry as YAML, its dash in the first column, its lines ended by line feeds.
        name: What to call the file in messages.

    Raises:
        CourseError: If the assignments do not stand one below the other.
    """
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    ending = "\r\n" if text.partition("\n")[0].endswith("\r") else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) and not root.flow_style else []
    node = next((value for key, value in pairs if key.value == _KEY), None)
    if not isinstance(node, yaml.SequenceNode) or (node.flow_style and node.value):
        line = 1 if node is None else node.start_mark.line + 1
        found = "the assignments do not stand in lines of their own"
        raise error_at(name, line, f"{found}; expected entries that begin with '- name: ...'; write them so")
    if node.flow_style:  # an empty list, []
        before, after = text[: node.start_mark.index].rstrip(" "), text[node.end_mark.index :]
        lines, place, indent = (before + after).splitlines(keepends=True), node.start_mark.line + 1, 2
    else:
        lines, indent = text.splitlines(keepends=True), node.start_mark.column
        place = _end(node, lines)
    if not lines[place - 1].endswith(("\n", "\r")):
        lines[place - 1] += ending
    gap = ending if node.value else ""
    added = "".join(" " * indent + line + ending for line in entry.splitlines())
    return mark + "".join(lines[:place]) + gap + added + "".join(lines[place:])


def plain_or_quoted(value: str) -> str:
    """Return a text as a YAML value on one line, in quotes where it needs them.

    >>> [plain_or_quoted(text) for text in ("Rows", "Rows: 1", "12")]
    ['Rows', '"Rows: 1"', '"12"']
    """
    try:
        same = yaml.safe_load(f"key: {value}") == {"key": value}
    except yaml.YAMLError:
        same = False
    return value if same else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _end(node: yaml.SequenceNode, lines: list[str]) -> int:
    """Return how many lines there are up to the end of a sequence, with the comments that belong to its last entry."""
    last: yaml.Node = node
    while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    place = last.end_mark.line + (last.end_mark.column > 0)
    while not lines[place - 1].strip():  # the end of a block of text is that of the blank lines behind it
        place -= 1
    while place < len(lines) and _column_of_comment(lines[place]) > node.start_mark.column:
        place += 1
    return place


def _column_of_comment(line: str) -> int:
    """Return in which column a comment of its own line begins; -1 where the line is none."""
    start = line.lstrip(" ")
    return len(line) - len(start) if start.startswith("#") else -1
