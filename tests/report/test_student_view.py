"""What a student reads is decided in one place, and nothing of a hidden check leaves it by any page or format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from ci_formats import RAISED, REPORT, RUNNER, SECRET
from rich.console import Console

from autograder.jupyter.show import Screen
from autograder.nbgrader.judging.feedback_cells import outputs
from autograder.report.formats.classroom50 import classroom50
from autograder.report.formats.github import annotate, summary
from autograder.report.formats.gradescope import gradescope
from autograder.report.formats.junit import junit
from autograder.report.model import Report, to_json
from autograder.report.student_view import (
    LINE_CHARS,
    OUTPUT_LINES,
    for_students,
    lines_of,
    printed,
    visible,
    visible_check,
)
from autograder.report.terminal import show_report

LEVELS = ("none", "verdict", "hint")
SEEN = "tangerine"
NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)
HIDDEN = replace(
    SECRET,
    message=f"saw {SEEN}",
    output=f"printed {SEEN}\n",
    measured={SEEN: 4711.0},
    lines=(4711,),
    hint="think twice",
)
GRADED = replace(REPORT, checks=(*REPORT.checks[:3], HIDDEN))


def terminal(report: Report, feedback: str) -> str:
    screen = io.StringIO()
    show_report(Console(file=screen, width=200), visible(report, feedback))
    return screen.getvalue()


def notebook(report: Report, feedback: str) -> str:
    shown: list[str] = []

    class Handle:
        def update(self, bundle: dict[str, str], *, raw: bool) -> None:
            shown.extend(bundle.values())

    screen = Screen("")
    screen._handle = Handle()
    screen.table(visible(report, feedback), [])
    return "".join(shown)


def nbgrader_cells(report: Report, feedback: str) -> str:
    return json.dumps([outputs(visible_check(check, feedback), check.score) for check in report.checks])


def gradescope_tests(report: Report, feedback: str) -> str:
    tests = json.loads(gradescope(report, feedback=feedback))["tests"]
    return json.dumps([test for test in tests if test["visibility"] == "visible"])


RENDERERS: dict[str, Callable[[Report, str], str]] = {
    "json": lambda report, feedback: to_json([for_students(report, feedback)]),
    "terminal": terminal,
    "notebook": notebook,
    "nbgrader": nbgrader_cells,
    "junit": lambda report, feedback: junit([report], feedback=feedback),
    "gradescope": gradescope_tests,
    "github": lambda report, feedback: summary([report], feedback=feedback, pass_mark=0.5),
    "annotations": lambda report, feedback: "\n".join(annotate([report], feedback=feedback, origins={})),
    "classroom50": lambda report, feedback: classroom50(report, feedback=feedback, environment=RUNNER, now=NOW),
}


@pytest.mark.parametrize("feedback", LEVELS)
@pytest.mark.parametrize("renderer", RENDERERS)
def test_nothing_that_a_hidden_check_saw_is_on_any_page(renderer: str, feedback: str) -> None:
    text = RENDERERS[renderer](GRADED, feedback)

    assert RAISED.message in text or renderer in ("annotations", "github")
    assert SEEN not in text and "4711" not in text
    assert REPORT.seed not in text and REPORT.flags[0] not in text
    assert feedback == "hint" or "think twice" not in text


@pytest.mark.parametrize(
    ("feedback", "lines"),
    [
        (
            "verdict",
            [
                "secret: failed, 0 of 5 points",
                "It holds for any input",
                "a hidden check found something wrong",
            ],
        ),
        (
            "hint",
            [
                "secret: failed, 0 of 5 points",
                "It holds for any input",
                "a hidden check found something wrong: think twice",
            ],
        ),
    ],
)
def test_a_hidden_check_is_read_as_far_as_the_course_allows(feedback: str, lines: list[str]) -> None:
    check = visible_check(HIDDEN, feedback)

    assert check is not None and lines_of(check) == lines


def test_where_nothing_is_read_of_hidden_checks_one_line_holds_their_points() -> None:
    seen = for_students(GRADED, "none")

    assert (seen.score, seen.max_score) == (GRADED.score, GRADED.max_score)
    assert lines_of(seen.checks[-1]) == [
        "hidden checks: failed, 0 of 5 points",
        "what the hidden checks gave",
        "this course shows no more of its hidden checks",
    ]


def test_output_is_cut_once_for_every_page() -> None:
    long = replace(RAISED, output="\n".join(["x" * 1000] * (OUTPUT_LINES + 7)))

    assert printed(long) == ["x" * LINE_CHARS] * OUTPUT_LINES + ["… and 7 lines more"]
    assert printed(replace(RAISED, output=" \n\n")) == []
