"""Show reports to people at a terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from autograder.report.model import CheckResult, Report

_COLOURS = {
    "passed": "green",
    "failed": "red",
    "raised": "red",
    "timed_out": "red",
    "crashed": "red",
    "out_of_memory": "red",
    "forbidden": "magenta",
    "not_run": "yellow",
    "grader_error": "yellow",
}
_OUTPUT_LINES = 12
CI_VARIABLES = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "TEAMCITY_VERSION")
"""Variables of the environment, one of which CI services set."""
# Source: the documentation of GitHub Actions ("Workflow commands"), Azure Pipelines ("Logging commands") and TeamCity
# ("Service messages"): `::name::`, `##[name]`, `##vso[name]`, `##teamcity[name]`.
_COMMAND_SIGN = re.compile(r"([:#])(?=\1)")


def readable(text: str) -> str:
    """Return text in which every character prints: controls and lone surrogates are escapes, line ends stay."""
    return "".join(char if char.isprintable() or char == "\n" else ascii(char)[1:-1] for char in text)


def parted(text: str) -> str:
    """Return text without the signs that begin commands of CI services, ``::`` and ``##``.

    They are parted by a character without width.
    """
    return _COMMAND_SIGN.sub("\\1\u200b", text)


def plain(text: str) -> str:
    """Return a submission's text so that nothing that shows it obeys it: no terminal, no log of a CI service."""
    return parted(readable(text)) if any(name in os.environ for name in CI_VARIABLES) else readable(text)


def number(value: float) -> str:
    """Show points without needless zeros."""
    return f"{value:.10g}"


def _verdict(check: CheckResult) -> Text:
    words = check.verdict.replace("_", " ")
    partly = check.verdict == "passed" and not check.full
    return Text("partly" if partly else words, style="yellow" if partly else _COLOURS[check.verdict])


def show_report(console: Console, report: Report, *, reasons: bool = True) -> None:
    """Print a submission's checks, and under the table the reason for each lost point."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("check")
    table.add_column("points", justify="right")
    table.add_column("verdict")
    table.add_column("claim", overflow="fold", style="dim")
    for check in report.checks:
        score = f"{number(check.score)}/{number(check.points)}"
        table.add_row(check.name, score, _verdict(check), Text(plain(check.title)))
    console.print(table)
    parts = [_reason(check) for check in report.checks if not check.full] if reasons else []
    if parts:
        console.print()
        console.print(Group(*parts))
    for note in report.notes:
        console.print(Text(f"note: {plain(note)}", style="dim"))
    for flag in report.flags:
        console.print(Text(f"flag: {plain(flag)}", style="magenta"))
    console.print(Text(f"{number(report.score)} of {number(report.max_score)} points", style="bold"))


def _reason(check: CheckResult) -> Text:
    text = Text()
    text.append(f"{check.name}: ", style="bold")
    text.append(plain(check.message) or check.verdict.replace("_", " "))
    if check.hint:
        text.append(f"\n  hint: {check.hint}", style="cyan")
    lines = plain(check.output).strip().splitlines()
    if lines and check.score == 0:
        text.append("\n  it printed:", style="dim")
        shown = lines[:_OUTPUT_LINES]
        text.append("".join(f"\n  | {line[:200]}" for line in shown), style="dim")
        if len(lines) > len(shown):
            text.append(f"\n  | … and {len(lines) - len(shown)} lines more", style="dim")
    text.append("\n")
    return text


def show_scores(console: Console, reports: Sequence[Report]) -> None:
    """Print one line for each submission, its score alone."""
    for report in reports:
        console.print(Text(f"{plain(report.student)}: {number(report.score)}/{number(report.max_score)}"))


def show_class(
    console: Console,
    reports: Sequence[Report],
    gradebook: Mapping[str, tuple[float, float]] | None = None,
) -> None:
    """Print one line for each submission: score, and what each lost its points for.

    Args:
        console: Where.
        reports: What.
        gradebook: What lateness takes from each student's score in the gradebook, and what is left of it.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    standing = (("late", "right"), ("gradebook", "right")) if gradebook is not None else ()
    for name, justify in (("student", "left"), ("score", "right"), *standing, ("lost", "left")):
        table.add_column(name, justify=justify, overflow="fold")
    for report in reports:
        score = f"{number(report.score)}/{number(report.max_score)}"
        style = "green" if report.score >= report.max_score else ""
        cells = [Text(plain(report.student)), Text(score, style=style)]
        if gradebook is not None:
            late, final = gradebook.get(report.student, (0.0, 0.0))
            known = report.student in gradebook
            cells += [Text(f"-{number(late)}" if late else ""), Text(number(final) if known else "-")]
        table.add_row(*cells, _losses(report))
    console.print(table)


def _losses(report: Report) -> Text:
    if report.error:
        return Text(plain(report.error), style="red")
    lost = [check for check in report.checks if not check.full]
    if lost and len({(check.verdict, *check.message.splitlines()[:1]) for check in lost}) == 1 and len(lost) > 2:
        lost = lost[:1] if len(lost) < len(report.checks) else [_as_all(lost[0])]
    text = Text()
    for index, check in enumerate(lost):
        first = plain(check.message).splitlines()[:1] or [check.verdict.replace("_", " ")]
        text.append("\n" if index else "")
        text.append(f"{check.name} ", style="bold")
        text.append_text(_verdict(check))
        text.append(f": {first[0][:160]}")
    for flag in report.flags:
        text.append("\n" if text else "")
        text.append(f"flag: {plain(flag)}", style="magenta")
    return text


def _as_all(check: CheckResult) -> CheckResult:
    from dataclasses import replace

    return replace(check, name="every check")
