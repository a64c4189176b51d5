"""Show what checks found: in a notebook as HTML, elsewhere as plain text. A submission's words are never markup."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from html import escape
from typing import Any

from autograder.report.model import CheckResult, Report
from autograder.report.student_view import LINE_CHARS, points_of, printed, verdict_of, why
from autograder.report.text import number
from autograder.submission.source import shown

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

    def result(self, check: CheckResult, notes: Sequence[str]) -> None:
        """Show what one check found."""
        self._show(_result_html(check) + _notes_html(notes), "\n".join([*_result_lines(check), *_note_lines(notes)]))

    def table(self, report: Report, notes: Sequence[str]) -> None:
        """Show what all checks found, and the reason for each lost point."""
        lost = [check for check in report.checks if not check.full]
        total = f"{number(report.score)} of {number(report.max_score)} points"
        html = "".join(map(_row, report.checks))
        head = "".join(f"<th style='text-align:left'>{name}</th>" for name in ("check", "points", "verdict", "claim"))
        html = f"<table><tr>{head}</tr>{html}</table><p><b>{total}</b></p>" + "".join(map(_result_html, lost))
        width = max((len(check.name) for check in report.checks), default=0)
        lines = [
            f"{check.name:{width}}  {number(check.score):>4}/{number(check.points):<4}  {verdict_of(check)}"
            for check in report.checks
        ]
        lines += [line for check in lost for line in ("", *_result_lines(check))]
        self._show(html + _notes_html(notes), "\n".join([*lines, "", total, *_note_lines(notes)]))

    def _show(self, html: str, text: str) -> None:
        if self._handle is None:
            print(text)
        else:
            self._handle.update(_bundle(html, text), raw=True)


def in_a_line(check: CheckResult) -> str:
    """Return in a line what one check found."""
    reason = _plain(check.message).strip().partition("\n")[0]
    return f"{check.name}: {verdict_of(check)}{': ' if reason else ''}{reason[:LINE_CHARS]}"


def _bundle(html: str, text: str) -> dict[str, str]:
    # The class keeps MathJax away from dollar signs in what a submission printed.
    return {"text/html": f'<div class="tex2jax_ignore mathjax_ignore">{html}</div>', "text/plain": text}


def _plain(text: str) -> str:
    return "\n".join(shown(line) for line in text.split("\n"))


def _result_lines(check: CheckResult) -> list[str]:
    headline, *lines = [f"{check.name}: {verdict_of(check)}, {points_of(check)}  ({_plain(check.title)})", *why(check)]
    if lines := [*lines, *(["it printed:", *(f"| {line}" for line in printed(check))] if _shows_output(check) else [])]:
        return [headline, *(f"  {line}" for line in lines)]
    return [headline]


def _shows_output(check: CheckResult) -> bool:
    return not check.full and bool(printed(check))


def _result_html(check: CheckResult) -> str:
    verdict = verdict_of(check)
    colour, mark = _COLOURS.get(verdict, _WRONG), _MARKS.get(verdict, "✗")
    parts = [
        f"<div><b style='color:{colour}'>{mark} {escape(verdict)}</b> <b>{escape(check.name)}</b>, "
        f"{points_of(check)} <span style='opacity:.7'>{escape(_plain(check.title))}</span></div>"
    ]
    if check.message.strip() and not check.full:
        reason = escape(_plain(check.message).strip())
        parts.append(f"<div style='white-space:pre-wrap;margin-left:1.5em'>{reason}</div>")
    if check.hint and not check.full:
        parts.append(f"<div style='margin-left:1.5em'><i>hint:</i> {escape(check.hint)}</div>")
    if _shows_output(check):
        text = escape("\n".join(printed(check)))
        parts.append(f"<details style='margin-left:1.5em'><summary>it printed</summary><pre>{text}</pre></details>")
    return "".join(parts)


def _row(check: CheckResult) -> str:
    verdict = verdict_of(check)
    cells = [
        escape(check.name),
        f"{number(check.score)}/{number(check.points)}",
        f"<b style='color:{_COLOURS.get(verdict, _WRONG)}'>{escape(verdict)}</b>",
        escape(_plain(check.title)),
    ]
    return "<tr>" + "".join(f"<td style='text-align:left'>{cell}</td>" for cell in cells) + "</tr>"


def _note_lines(notes: Sequence[str]) -> list[str]:
    return [f"note: {note}" for note in notes]


def _notes_html(notes: Sequence[str]) -> str:
    return "".join(f"<div style='opacity:.7'>{escape(line)}</div>" for line in _note_lines(notes))
