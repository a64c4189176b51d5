"""Read a small YAML file into plain values and remember on which line each of them stands.

Stricter than YAML: one document, no aliases, no tags of one's own, no key twice. Dates stay text, and keys are the text
that stands in the file, so that `on:` is the key 'on' and not true.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from autograder.errors import CourseError

MAX_BYTES = 256 << 10
MAX_DEPTH = 16

Loc = tuple[int | str, ...]

_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values.

    Attributes:
        name: What to call the file in messages.
        values: The top-level mapping; None, bool, int, float, str, list and dict all the way down.
        lines: The line, counted from 1, of every value, by its keys and indexes from the top.
    """

    name: str
    values: dict[str, Any]
    lines: dict[Loc, int]

    def line(self, loc: Loc) -> int:
        """Return the line of `loc`, or of what encloses it where `loc` is not in the file."""
        while loc not in self.lines:
            loc = loc[:-1]
        return self.lines[loc]

    def error(self, loc: Loc, text: str) -> CourseError:
        """Return an error that points at the line of `loc`."""
        return error_at(self.name, self.line(loc), text)


def error_at(name: str, line: int, text: str) -> CourseError:
    """Return an error for one line of a file, itself on one line whatever `text` quotes."""
    printable = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    return CourseError(f"{name}:{line}: {printable}")


def show(value: object, width: int = 60) -> str:
    """Return `value` as a reader of YAML would name it, shortened to about `width` characters."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**width:  # str() of a huge int is slow, and refused past 4300 digits
        return "a huge number"
    text = repr(value)
    return text if len(text) <= width else text[: width - 4] + "..." + text[-1:]


def read_yaml(path: Path) -> Document:
    """Return what a YAML file with a mapping at its top says, and where.

    Raises:
        CourseError: If the file cannot be read as that; the message says on which line.
    """
    name = path.name
    text = _read_text(path)
    try:
        root = _Loader(text, name).get_single_node()
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(name, error) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"the character U+{ord(text[error.position]):04X} stands here"
        raise error_at(name, line, f"{found}; expected printable text; delete it") from error
    if root is None or (isinstance(root, yaml.ScalarNode) and root.tag == _TAG + "null"):
        raise error_at(name, 1, "the file is empty; expected at least 'title:' and 'assignments:'; write them")
    if not isinstance(root, yaml.MappingNode):
        found = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
        line = root.start_mark.line + 1
        raise error_at(name, line, f"the file holds {found}; expected keys such as 'title: ...' at its top level")
    lines: dict[Loc, int] = {(): root.start_mark.line + 1}
    return Document(name=name, values=_plain(root, (), lines, name), lines=lines)


class _Loader(yaml.SafeLoader):
    """Compose nodes, but neither aliases nor endless nesting."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self._name = name
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            alias = show(f"*{event.anchor}")
            raise error_at(self._name, line, f"alias {alias}; expected plain values; write the value out here")
        if self._depth >= MAX_DEPTH:
            raise error_at(self._name, line, f"more than {MAX_DEPTH} levels of nesting; expected a handful; flatten it")
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _read_text(path: Path) -> str:
    """Return the text of a UTF-8 file of sensible size."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CourseError(f"{path}: cannot be read ({reason}); expected a course's settings; check the path") from error
    if len(data) > MAX_BYTES:
        limit = f"{MAX_BYTES >> 10} KiB"
        raise CourseError(f"{path.name}: larger than {limit}; expected a few pages of settings; move data elsewhere")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise error_at(path.name, line, f"{found}; expected UTF-8 text; save the file as UTF-8") from error


def _syntax_error(name: str, error: yaml.MarkedYAMLError) -> CourseError:
    """Return PyYAML's complaint as one line of ours."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = error.problem or error.context or "unreadable"
    if r"'\t'" in problem:
        return error_at(name, line, "a tab stands where YAML wants spaces; expected spaces; replace the tab")
    if "expected a single document" in (error.context or ""):
        return error_at(name, line, "a second document begins here; expected one; delete the '---'")
    return error_at(name, line, f"not YAML ({problem}); expected 'key: value'; check indentation, colons and quotes")


def _plain(node: yaml.Node, loc: Loc, lines: dict[Loc, int], name: str) -> Any:
    """Return a node's plain value and note the lines of everything inside it."""
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key_line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise error_at(name, key_line, "a key that is itself a list or a mapping; expected a word; rename it")
            key = key_node.value
            if key in values:
                first = lines[(*loc, key)]
                raise error_at(
                    name, key_line, f"key {show(key)} stands here and on line {first}; expected it once; delete one"
                )
            lines[(*loc, key)] = key_line
            values[key] = _plain(value_node, (*loc, key), lines, name)
        return values
    if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
        items = []
        for index, item in enumerate(node.value):
            lines[(*loc, index)] = item.start_mark.line + 1
            items.append(_plain(item, (*loc, index), lines, name))
        return items
    if isinstance(node, yaml.ScalarNode) and node.tag.removeprefix(_TAG) in _SCALARS:
        try:
            return _scalar(node)
        except (ValueError, LookupError, OverflowError) as error:
            kind = node.tag.removeprefix(_TAG)
            raise error_at(name, line, f"{show(node.value)} is no {kind} that can be read; correct it") from error
    raise error_at(name, line, f"tag {show(node.tag)}; expected plain values without '!'; delete the tag")


_SCALARS = frozenset({"null", "bool", "int", "float", "str", "timestamp"})


def _scalar(node: yaml.ScalarNode) -> bool | int | float | str | None:
    """Return a scalar's value; a timestamp stays text."""
    match node.tag.removeprefix(_TAG):
        case "null":
            return None
        case "bool":
            return bool(SafeConstructor.bool_values[node.value.lower()])
        case "int":
            return int(SafeConstructor().construct_yaml_int(node))
        case "float":
            return float(SafeConstructor().construct_yaml_float(node))
        case _:
            return str(node.value)
