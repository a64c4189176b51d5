"""Check a document against the entries of a course and word what is wrong with it for an instructor."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from autograder.course.schema import DEVICES, AssignmentEntry, CourseEntry, LatePolicy, Limits, Threshold
from autograder.course.yaml import Document, Loc, show
from autograder.errors import CourseError

_CHOICES = {
    "device": ("auto", *DEVICES),
    "sandbox": ("namespaces", "user", "process"),
    "hidden_feedback": ("none", "verdict", "hint"),
}


def read_entry(document: Document) -> CourseEntry:
    """Return what a document says as a checked entry.

    Raises:
        CourseError: For the problem that stands first in the file.
    """
    try:
        return _adapter().validate_python(document.values)
    except ValidationError as error:
        details = error.errors(include_url=False)
    raise min((_worded(document, detail) for detail in details), key=lambda worded: worded[0])[1]


def suggestion(word: str, known: Collection[str]) -> str:
    """Return '; did you mean ...?' where something known is close to `word`, else nothing."""
    close = get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def keys_of(entry: type) -> dict[str, str]:
    """Return the keys that an entry has in YAML, each with the words for what is expected there."""
    keys = {}
    for name, hint in get_type_hints(entry, include_extras=True).items():
        fields = [note for note in get_args(hint)[1:] if isinstance(note, FieldInfo) and note.description]
        for field in fields:
            keys[str(field.validation_alias or name)] = str(field.description)
    return keys


@cache
def _adapter() -> TypeAdapter[CourseEntry]:
    return TypeAdapter(CourseEntry)


@cache
def _expected() -> dict[str, str]:
    words: dict[str, str] = {}
    for entry in (Limits, Threshold, LatePolicy, AssignmentEntry, CourseEntry):
        words |= keys_of(entry)
    return words


def _worded(document: Document, detail: ErrorDetails) -> tuple[tuple[int, int], CourseError]:
    """Return one of pydantic's errors in our words, and a key that sorts it by where it stands."""
    loc = detail["loc"]
    is_key = loc[-1] == "[key]" and loc not in document.lines  # how pydantic marks a mapping's key
    loc = loc[:-1] if is_key else loc
    text = _key_sentence(document, loc) if is_key else _sentence(document, loc, detail)
    return (document.line(loc), len(loc)), document.error(loc, text)


def _sentence(document: Document, loc: Loc, detail: ErrorDetails) -> str:
    """Return what was found at `loc`, what was expected and what to do."""
    where = owner(document, loc)
    match detail["type"]:
        case "missing":
            holder = _label(loc[:-1], where) if loc[:-1] else "the course"
            return f"{holder} has no '{loc[-1]}'; expected {_words(loc)}; add '{loc[-1]}: ...'"
        case "unexpected_keyword_argument":
            keys = keys_of(_entry_at(loc[:-1]))
            hint = suggestion(str(loc[-1]), keys) or f"; expected one of {', '.join(keys)}; rename it or delete it"
            return f"unknown key {show(loc[-1])}{_within(loc[:-1], where)}{hint}"
        case "sentence":
            return f"{_label(loc, where)}: {detail['ctx']['text']}"
        case _:
            found = detail["input"]
            hint = suggestion(found, _CHOICES.get(str(loc[-1]), ())) if isinstance(found, str) else ""
            return f"{_label(loc, where)} is {show(found)}; expected {_words(loc)}{hint}"


def _key_sentence(document: Document, loc: Loc) -> str:
    """Return what is wrong with the key at the end of `loc`, the name of a check or of a device."""
    hint = suggestion(str(loc[-1]), DEVICES) or f"; expected {_words(loc)}; rename it"
    return f"unknown key {show(loc[-1])}{_within(loc[:-1], owner(document, loc))}{hint}"


def owner(document: Document, loc: Loc) -> str:
    """Return which assignment `loc` lies in, or nothing where it lies in none."""
    if len(loc) < 2 or loc[0] != "assignments" or not isinstance(loc[1], int):
        return ""
    entry: Any = document.values["assignments"][loc[1]]
    name = entry.get("name") if isinstance(entry, dict) else None
    return f"assignment {show(name) if isinstance(name, str) else loc[1] + 1}"


def _path(loc: Loc) -> Loc:
    """Return the part of `loc` within its assignment, or all of it."""
    return loc[2:] if loc and loc[0] == "assignments" else loc


def _label(loc: Loc, where: str) -> str:
    """Return the name of a place: 'limits.time of assignment 'sam'', 'entry 2 of forbidden'."""
    path = _path(loc)
    if not path:
        return where or "assignments"
    last = path[-1]
    name = ".".join(str(part) for part in path if not isinstance(part, int))
    entry = f"entry {last + 1} of " if isinstance(last, int) else ""
    return f"{entry}{name} of {where}" if where else f"{entry}{name}"


def _within(loc: Loc, where: str) -> str:
    """Return ' in ...' for a key that stands inside `loc`."""
    return f" in {_label(loc, where)}" if loc else ""


def _words(loc: Loc) -> str:
    """Return the words for what is expected at `loc`."""
    path = _path(loc)
    if not path:
        return "keys such as name and title" if len(loc) == 2 else _expected()["assignments"]
    if path[0] == "thresholds" and len(path) < 4:
        return _expected()["thresholds"]
    names = [part for part in path if isinstance(part, str)]
    return _expected().get(names[-1], "something else")


def _entry_at(loc: Loc) -> type:
    """Return the class of the mapping at `loc`."""
    if not loc:
        return CourseEntry
    return {"limits": Limits, "late": LatePolicy}.get(str(loc[-1]), Threshold) if _path(loc) else AssignmentEntry


__all__ = ["keys_of", "owner", "read_entry", "suggestion"]
