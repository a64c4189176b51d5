"""Show what checks found: in a notebook as HTML, elsewhere as plain text. A submission's words are never markup."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from html import escape
from typing import Any

from autograder.submission.source import shown

_OUTPUT_LINES = 30
_LINE_CHARS = 300
_COLOURS = {"passed": "#2e7d32", "partly": "#b26a00", "not run": "#b26a00", "grader error": "#b26a00"}
_WRONG = "#c62828"
_MARKS = {"passed": "✓", "partly": "◐"}


def shell() -> Any:
    """Return IPython's shell; None in plain Python."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


class Screen:
    """A place on the page whose content changes while a check runs."""

    def __init__(self, words: str) -> None:
        self._handle: Any = None
        if hasattr(shell(), "kernel"):
            page: Any = importlib.import_module("IPython.display")
            self._handle = page.display(_bundle(escape(words), words), raw=True, display_id=True)

    def say(self, words: str, *, done: bool = False) -> None:
        """Show a line; outside of a notebook only one that stays."""
        if done:
            self._show(escape(_plain(words)), _plain(words))
        elif self._handle is not None:
            self._show(f"{escape(_plain(words))} …", words)

    def clear(self) -> None:
        """Show nothing."""
        if self._handle is not None:
            self._show("", "")

    def result(self, check: dict[str, Any], notes: Sequence[str]) -> None:
        """Show what one check found."""
        self._show(_result_html(check) + _notes_html(notes), "\n".join([*_result_lines(check), *_note_lines(notes)]))

    def table(self, report: dict[str, Any], notes: Sequence[str]) -> None:
        """Show what all checks found, and the reason for each lost point."""
        lost = [check for check in report["checks"] if check["score"] < check["points"]]
        total = f"{_number(report['score'])} of {_number(report['max_score'])} points"
        html = "".join(map(_row, report["checks"]))
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("check", "points", "verdict", "claim"))
        html = f"<table><tr>{head}</tr>{html}</table><p><b>{total}</b></p>" + "".join(map(_result_html, lost))
        width = max((len(check["name"]) for check in report["checks"]), default=0)
        lines = [
            f"{check['name']:{width}}  {_number(check['score']):>4}/{_number(check['points']):<4}  {_verdict(check)}"
            for check in report["checks"]
        ]
        lines += [line for check in lost for line in ("", *_result_lines(check))]
        self._show(html + _notes_html(notes), "\n".join([*lines, "", total, *_note_lines(notes)]))

    def _show(self, html: str, text: str) -> None:
        if self._handle is None:
            print(text)
        else:
            self._handle.update(_bundle(html, text), raw=True)


def in_a_line(check: dict[str, Any]) -> str:
    """Say in a line what one check found."""
    reason = _reason(check).partition("\n")[0]
    return f"{check['name']}: {_verdict(check)}{': ' if reason else ''}{reason[:_LINE_CHARS]}"


def _bundle(html: str, text: str) -> dict[str, str]:
    # The class keeps MathJax away from dollar signs in what a submission printed.
    return {"text/html": f'<div class="tex2jax_ignore mathjax_ignore">{html}</div>', "text/plain": text}


def _plain(text: str) -> str:
    return "\n".join(shown(line) for line in text.split("\n"))


def _number(value: float) -> str:
    return f"{value:.10g}"


def _verdict(check: dict[str, Any]) -> str:
    partly = check["verdict"] == "passed" and check["score"] < check["points"]
    return "partly" if partly else str(check["verdict"]).replace("_", " ")


def _headline(check: dict[str, Any]) -> str:
    return f"{_number(check['score'])} of {_number(check['points'])} points"


def _reason(check: dict[str, Any]) -> str:
    return _plain(check["message"]).strip()


def _printed(check: dict[str, Any]) -> list[str]:
    """Return what the submission printed, cut; nothing where it passed whole."""
    if check["score"] >= check["points"]:
        return []
    lines = _plain(check["output"]).strip("\n").split("\n") if check["output"].strip() else []
    more = [f"… and {len(lines) - _OUTPUT_LINES} lines more"] if len(lines) > _OUTPUT_LINES else []
    return [line[:_LINE_CHARS] for line in lines[:_OUTPUT_LINES]] + more


def _result_lines(check: dict[str, Any]) -> list[str]:
    lines = [f"{check['name']}: {_verdict(check)}, {_headline(check)}  ({_plain(check['title'])})"]
    if reason := _reason(check):
        lines += [f"  {line}" for line in reason.split("\n")]
    if check["hint"]:
        lines.append(f"  hint: {check['hint']}")
    if printed := _printed(check):
        lines += ["  it printed:", *(f"  | {line}" for line in printed)]
    return lines


def _result_html(check: dict[str, Any]) -> str:
    verdict = _verdict(check)
    colour, mark = _COLOURS.get(verdict, _WRONG), _MARKS.get(verdict, "✗")
    parts = [
        f"<div><b style='color:{colour}'>{mark} {escape(verdict)}</b> <b>{escape(check['name'])}</b>, "
        f"{_headline(check)} <span style='opacity:.7'>{escape(_plain(check['title']))}</span></div>"
    ]
    if reason := _reason(check):
        parts.append(f"<div style='white-space:pre-wrap;margin-left:1.5em'>{escape(reason)}</div>")
    if check["hint"]:
        parts.append(f"<div style='margin-left:1.5em'><i>hint:</i> {escape(check['hint'])}</div>")
    if printed := _printed(check):
        text = escape("\n".join(printed))
        parts.append(f"<details style='margin-left:1.5em'><summary>it printed</summary><pre>{text}</pre></details>")
    return "".join(parts)


def _row(check: dict[str, Any]) -> str:
    verdict = _verdict(check)
    cells = [
        escape(check["name"]),
        f"{_number(check['score'])}/{_number(check['points'])}",
        f"<b style='color:{_COLOURS.get(verdict, _WRONG)}'>{escape(verdict)}</b>",
        escape(_plain(check["title"])),
    ]
    return "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"


def _note_lines(notes: Sequence[str]) -> list[str]:
    return [f"note: {note}" for note in notes]


def _notes_html(notes: Sequence[str]) -> str:
    return "".join(f"<div style='opacity:.7'>{escape(line)}</div>" for line in _note_lines(notes))
