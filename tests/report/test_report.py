"""A report is a document that holds whatever submissions say, and students read nothing of hidden checks."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace

import pytest
from harness import Lab
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from autograder.report.model import SCHEMA, CheckResult, Report, to_json
from autograder.report.student_view import visible
from autograder.report.terminal import show_class, show_report
from autograder.report.text import plain
from autograder.verdicts import VERDICTS

PASSED = CheckResult("echo", "Echo returns what it got", 2.0, 2.0, "passed", seconds=0.25)
FAILED = CheckResult("twice", "Twice doubles", 1.0, 0.0, "failed", "off by 1", lines=(3,), output="hello\n")
REPORT = Report(
    student="ada",
    assignment="echo",
    digest="sha256:0",
    submitted_at=None,
    device="cpu",
    sandbox="namespaces",
    seed="00ff",
    seconds=1.23456,
    flags=("look here",),
    checks=(PASSED, FAILED),
)


def shown(report: Report) -> str:
    """Return what a terminal shows of a report."""
    file = io.StringIO()
    show_report(Console(file=file, width=200, highlight=False), report)
    return file.getvalue()


def test_the_document_is_that_of_the_schema() -> None:
    document = json.loads(to_json([REPORT]))

    assert document["schema"] == SCHEMA == "autograde/report/v1"
    (submission,) = document["submissions"]
    assert {
        *("student", "assignment", "digest", "submitted_at", "score", "max_score", "device", "sandbox", "seed"),
        *("seconds", "flags", "checks"),
    } <= set(submission)
    assert (submission["score"], submission["max_score"], submission["seconds"]) == (2.0, 3.0, 1.235)
    assert {
        *("name", "title", "points", "score", "verdict", "message", "hidden", "seconds", "measured"),
    } <= set(submission["checks"][0])


@given(st.text(st.characters(), max_size=20), st.floats())
@example("\ud800", math.nan)
def test_a_document_holds_whatever_submissions_say(text: str, value: float) -> None:
    check = replace(FAILED, message=text, output=text, measured={"ratio": value})

    document = to_json([replace(REPORT, checks=(check,), student=text)])

    document.encode()
    (back,) = json.loads(document)["submissions"]
    assert back["checks"][0]["message"] == text
    assert back["checks"][0]["measured"] == {"ratio": value if math.isfinite(value) else None}


def test_a_lone_surrogate_that_a_submission_raises_reaches_the_document(lab: Lab) -> None:
    report = lab.grade("def echo(x):\n    raise ValueError('\\ud800')\n")

    assert report.check("echo").message.startswith("ValueError: \ud800")
    to_json([report]).encode()


def test_scores_are_sums_without_noise() -> None:
    checks = tuple(replace(PASSED, name=str(i), points=0.1, score=0.1) for i in range(3))

    assert (replace(REPORT, checks=checks).score, replace(REPORT, checks=checks).max_score) == (0.3, 0.3)


def test_a_grader_error_makes_a_report_incomplete() -> None:
    assert REPORT.complete
    assert not replace(REPORT, checks=(PASSED, replace(FAILED, verdict="grader_error"))).complete


def test_checks_are_found_by_name() -> None:
    assert REPORT.check("twice") is FAILED
    with pytest.raises(KeyError):
        REPORT.check("thrice")


# -- what students read ------------------------------------------------------------------------------------------------

HIDDEN = '''
from autograder import points

@points(1, hint="Think of words.")
def check_secret(student, credit):
    """Echo works on words."""
    credit(1.5, full_at=1.0, zero_at=2.0, name="swordfish", text="swordfish")
    assert student.echo("swordfish") == "swordfish", "swordfish was expected"
'''

# Each tries to tell the student what it got.
TELLERS = [
    "raise ValueError(x)",
    "print(x)\n    return 1",
    "return x + '!'",
    "import sys\n    sys.stderr.write(x)\n    sys.exit(x)",
    "print(x, flush=True)\n    import os\n    os._exit(0)",
    "raise type(x, (Exception,), {})",
    "print(x)\n    return x",
    "exec(compile('raise KeyError', x, 'exec'))",
]


@pytest.mark.parametrize("body", TELLERS)
def test_nothing_that_a_hidden_check_saw_reaches_a_student(lab: Lab, body: str) -> None:
    report = lab.grade(f"def echo(x):\n    {body}\n", hidden=HIDDEN)

    assert "swordfish" in to_json([report])  # the instructor sees it
    for level in ("none", "verdict", "hint"):
        read = visible(report, level)
        assert "swordfish" not in to_json([read])
        assert "swordfish" not in shown(read)
        assert read.seed == "" != report.seed


def test_feedback_says_as_much_of_a_hidden_check_as_the_course_wants() -> None:
    hidden = replace(FAILED, hidden=True, hint="Think of words.", measured={"ratio": 2.0})
    report = replace(REPORT, checks=(PASSED, hidden))

    assert visible(report, "none").checks == (PASSED,)
    assert visible(report, "verdict").check("twice").message == "a hidden check found something wrong"
    read = visible(report, "hint").check("twice")
    assert read.message == "a hidden check found something wrong: Think of words."
    assert (read.verdict, read.output, read.measured, read.lines, read.hint) == ("failed", "", {}, (), "")


def test_a_hidden_check_that_passed_says_nothing_and_a_public_one_is_told_whole() -> None:
    report = replace(REPORT, checks=(replace(PASSED, hidden=True, message="", output="x"), FAILED))

    read = visible(report, "hint")

    assert (read.check("echo").message, read.check("echo").output) == ("", "")
    assert read.check("twice") == FAILED
    assert read.flags == ()


@pytest.mark.parametrize("verdict", VERDICTS)
def test_every_verdict_has_words_for_a_hidden_check(verdict: str) -> None:
    hidden = replace(FAILED, hidden=True, verdict=verdict, message="told to the instructor")  # type: ignore[arg-type]

    (read,) = visible(replace(REPORT, checks=(hidden,)), "verdict").checks

    assert read.message != "told to the instructor"
    assert bool(read.message) == (verdict != "passed")


# -- at a terminal -----------------------------------------------------------------------------------------------------


def test_a_terminal_shows_checks_reasons_and_the_sum() -> None:
    lines = [line.rstrip() for line in shown(REPORT).splitlines()]

    assert lines == [
        "check  points  verdict  claim",
        "echo      2/2  passed   Echo returns what it got",
        "twice     0/1  failed   Twice doubles",
        "",
        "twice: off by 1",
        "  it printed:",
        "  | hello",
        "",
        "flag: look here",
        "2 of 3 points",
    ]


def test_a_terminal_obeys_nothing_that_a_submission_says() -> None:
    nasty = "\x1b[2J\x1b]0;title\x07\r[bold red]x[/] \u202e\ud800"
    report = replace(
        REPORT, student=nasty, checks=(replace(FAILED, message=nasty, output=nasty, title=nasty),), flags=(nasty,)
    )
    file = io.StringIO()

    show_class(Console(file=file, width=200), [report, report])
    for text in (shown(report), file.getvalue()):
        assert not {"\x1b", "\x07", "\r", "\u202e", "\ud800"} & set(text)
        assert "[bold red]x[/]" in text


@pytest.mark.parametrize(
    "command", ["::set-env name=x::y", ":::error::x", "##vso[task.complete]", "###[debug]", "##teamcity[x]"]
)
def test_the_log_of_a_ci_service_obeys_nothing_either(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    report = replace(
        REPORT, student=command, checks=(replace(FAILED, message=command, output=command),), flags=(command,)
    )
    file = io.StringIO()
    monkeypatch.setenv("CI", "true")

    show_class(Console(file=file, width=200), [report, report])

    for text in (shown(report), file.getvalue()):
        assert "::" not in text and "##" not in text
        assert command in text.replace("\u200b", "")


def test_elsewhere_names_with_colons_stay_as_they_are() -> None:
    assert plain("aten::mm") == "aten::mm"


def test_a_class_is_one_line_a_student() -> None:
    file = io.StringIO()
    whole = replace(REPORT, student="bob", checks=(PASSED,), flags=())

    show_class(Console(file=file, width=120), [REPORT, whole, replace(REPORT, student="eve", error="no such file")])

    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert lines == [
        "student  score  lost",
        "ada        2/3  twice failed: off by 1",
        "                flag: look here",
        "bob        2/2",
        "eve        2/3  no such file",
    ]
