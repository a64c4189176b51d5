"""Write the reference pages from the code: `course.yml` from its entries, the commands from their own options.

`make docs` runs it; `python docs/site/reference.py --check` writes nothing and exits 1 where a page is stale.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic.fields import FieldInfo

from autograder.cli.help import EXAMPLES, SECTIONS
from autograder.cli.main import main
from autograder.course.schema import GIB, MIB, AssignmentEntry, CourseEntry, LatePolicy, Limits, Threshold

FOLDER = Path(__file__).resolve().parents[1] / "reference"
_MADE = "<!-- Made from the code by `make docs`; change it there. -->\n"
_ENTRIES = {
    "The course": CourseEntry,
    "An assignment": AssignmentEntry,
    "late": LatePolicy,
    "limits": Limits,
    "thresholds": Threshold,
}
_EXAMPLE = """\
title: Deep learning
timezone: Europe/Vienna
late: {grace_days: 1, penalty_per_day: 0.1, cap: 0.5}

assignments:
  - name: rows
    title: Rows of length one
    due: 2027-01-31 23:59
    forbidden: [torch.nn.functional.normalize]
    limits: {time: 20 s, memory: 4 GiB}
    thresholds:
      speed:
        cpu: {full_at: 4.0, zero_at: 8.0}
"""


def pages() -> dict[str, str]:
    """Return the text of each page by its file's name."""
    return {"course.md": _MADE + "".join(_course_page()), "commands.md": _MADE + "".join(_commands_page())}


def stale_pages() -> list[Path]:
    """Return the pages that are missing or differ from what the code says now."""
    paths = {FOLDER / name: text for name, text in pages().items()}
    return [path for path, text in paths.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def _course_page() -> Iterator[str]:
    yield "# course.yml\n\nThe settings of a course, at its root. Students get it, so it holds no secret.\n\n"
    yield f"```yaml\n{_EXAMPLE}```\n\n"
    yield "A key that is not listed here is an error, and so is a value that is not expected: the message says "
    yield "where it stands.\n"
    for title, entry in _ENTRIES.items():
        heading = title if " " in title else f"`{title}`"
        lines = (inspect.getdoc(entry) or "").partition("\n\nAttributes:")[0]
        yield f"\n## {heading}\n\n{_said(lines)}\n\n| key | means | expected | default |\n|---|---|---|---|\n"
        yield from _rows(entry)


def _said(text: str) -> str:
    """Return a class's own words for readers of the page: its first line says what an object does."""
    first, _, rest = text.partition("\n")
    first = re.sub(r"^Hold what `course\.yml` says about one assignment\.$", "An entry of `assignments`.", first)
    first = re.sub(r"^Hold what `course\.yml` says\.$", "The keys at the top.", first)
    return (first + "\n" + rest).strip()


def _rows(entry: type) -> Iterator[str]:
    """Yield a row of the table for each key."""
    meanings = _attributes(entry)
    hints = get_type_hints(entry, include_extras=True)
    for field in dataclasses.fields(entry):
        notes = [note for note in get_args(hints[field.name])[1:] if isinstance(note, FieldInfo)]
        note = next(note for note in notes if note.description)
        key = note.validation_alias or field.name
        yield f"| `{key}` | {meanings[field.name]} | {note.description} | {_default(field)} |\n"


def _attributes(entry: type) -> dict[str, str]:
    """Return what the docstring of an entry says about each of its fields."""
    text = (inspect.getdoc(entry) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n      .*)*)", text, re.MULTILINE)
    return {name: re.sub(r"\s+", " ", words) for name, words in found}


def _default(field: dataclasses.Field[Any]) -> str:
    """Return a default as it would stand in YAML."""
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else "–"
    value = field.default
    if value is None or value == () or dataclasses.is_dataclass(value):
        return "–"
    if field.name.endswith("_s"):
        return f"`{value:g} s`"
    if field.name.endswith("_bytes"):
        return f"`{value // GIB} GiB`" if value >= GIB else f"`{value // MIB} MiB`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _commands_page() -> Iterator[str]:
    yield "# Commands\n\n`autograde --course PATH COMMAND …` takes the course of another folder; else it is the one "
    yield "around the working folder. Standard output has the result, standard error the progress.\n\n"
    yield "| exit code | means |\n|---|---|\n| 0 | done, or passed |\n"
    yield "| 1 | a grade below the pass mark, or something found that is not as it should be |\n"
    yield "| 2 | it cannot be done; one line on standard error says why and what to do |\n| 130 | stopped by Ctrl-C |\n"
    known = [name for names in SECTIONS.values() for name in names]
    others = tuple(name for name in main.commands if name not in known)
    for title, names in (*SECTIONS.items(), ("Others", others)):
        there = [name for name in names if name in main.commands]
        if there:
            yield f"\n## {title}\n"
        for name in there:
            yield from _command(name)


def _command(name: str) -> Iterator[str]:
    command = main.commands[name]
    context = command.context_class(command, info_name=f"autograde {name}")
    usage = " ".join([f"autograde {name}", *(piece for piece in command.collect_usage_pieces(context))])
    yield f"\n### {name}\n\n```text\n{usage}\n```\n\n"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "").replace("\f", "") + "\n"
    options = [
        param for param in command.params if param.param_type_name == "option" and not getattr(param, "hidden", False)
    ]
    if options:
        yield "\n" + "".join(f"- `{_spelling(option)}`: {_help(option)}\n" for option in options)
    if name in EXAMPLES:
        yield "\n```text\n" + "\n".join(EXAMPLES[name]) + "\n```\n"


def _spelling(option: Any) -> str:
    """Return an option as one would type it: its names, and what stands for its value."""
    names = ", ".join(sorted(option.opts, key=len))
    if option.secondary_opts:
        names += " / " + ", ".join(option.secondary_opts)
    if option.is_flag or option.count:
        return names
    choices = getattr(option.type, "choices", None)
    numbers = {"integer": "N", "integer range": "N", "float": "X", "float range": "X"}
    value = option.metavar or ("|".join(choices) if choices else numbers.get(option.type.name, "VALUE"))
    return f"{names} {value}"


def _help(option: Any) -> str:
    return option.help or f"One of {', '.join(option.type.choices)}."


if __name__ == "__main__":
    stale = stale_pages()
    for path in stale:
        if "--check" in sys.argv[1:]:
            print(f"{path}: stale; run `make docs`", file=sys.stderr)
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(pages()[path.name], encoding="utf-8")
    sys.exit(bool(stale) and "--check" in sys.argv[1:])
