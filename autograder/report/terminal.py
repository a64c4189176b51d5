"""Show reports to people at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from autograder.report.model import CheckResult, Report
from autograder.report.student_view import printed, verdict_of
from autograder.report.text import number, plain

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


def _verdict(check: CheckResult) -> Text:
    word = verdict_of(check)
    return Text(word, style="yellow" if word == "partly" else _COLOURS[check.verdict])


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
    lines = printed(check) if check.score == 0 else []
    if lines:
        text.append("\n  it printed:", style="dim")
        text.append("".join(f"\n  | {plain(line)}" for line in lines), style="dim")
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
        gradebook: Each student's late penalty, and the score that is left in the gradebook.
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
