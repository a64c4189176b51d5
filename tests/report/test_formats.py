"""Every format is what its readers' published rules ask for, adds up, and holds what students wrote as text."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import pytest
from ci_formats import OURS, PARTLY, RAISED, REPORT, RIGHT, RUNNER, SECRET, command_in, suites_of
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from markdown_it import MarkdownIt

from autograder.report.formats.classroom50 import classroom50
from autograder.report.formats.github import ANNOTATIONS, SUMMARY_BYTES, Origin, annotate, summary
from autograder.report.formats.gradescope import gradescope
from autograder.report.formats.junit import junit
from autograder.report.model import Report, to_json
from autograder.verdicts import VERDICTS

LEVELS = ("none", "verdict", "hint")
NOW = datetime(2030, 1, 31, 12, 0, tzinfo=UTC)

# Whatever students print or raise, with a liking for signs that mean something to somebody.
evil = st.text(st.sampled_from("a`|*_[]()<>&@#:%,;!~$\\\n\r\t \x00\x1b\ud800\u2028\u202e/.='\"-"), max_size=40)


def said(text: str) -> Report:
    """Return a report in which a student's text stands wherever one can."""
    raised = replace(RAISED, message=text, output=text)
    return replace(REPORT, student=f"student {text}", notes=(text,), error=text, checks=(RIGHT, raised, PARTLY, SECRET))


def as_classroom50(report: Report, feedback: str = "hint") -> dict[str, Any]:
    """Return the document for Classroom 50."""
    document: dict[str, Any] = json.loads(classroom50(report, feedback=feedback, environment=RUNNER, now=NOW))
    return document


def markdown(report: Report, feedback: str = "hint") -> str:
    """Return the summary of one report."""
    return summary([report], feedback=feedback, pass_mark=0.5)


# -- our own JSON ------------------------------------------------------------------------------------------------------

TEXT, NUMBER, TEXTS = (
    {"type": "string"},
    {"type": "number", "minimum": 0},
    {"type": "array", "items": {"type": "string"}},
)


def whole(properties: dict[str, Any], **rules: Any) -> dict[str, Any]:
    """Return the schema of an object with exactly these properties."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


CHECK_SCHEMA = whole(
    {
        **dict.fromkeys(("name", "title", "message", "hint", "output"), TEXT),
        **dict.fromkeys(("points", "score", "seconds"), NUMBER),
        "verdict": {"enum": list(VERDICTS)},
        "hidden": {"type": "boolean"},
        "measured": {"type": "object", "additionalProperties": {"type": ["number", "null"]}},
        "lines": {"type": "array", "items": {"type": "integer", "minimum": 1}},
    }
)
REPORT_SCHEMA = whole(
    {
        "schema": {"const": "autograde/report/v1"},
        "submissions": {
            "type": "array",
            "items": whole(
                {
                    **dict.fromkeys(("student", "assignment", "digest", "device", "sandbox", "seed", "error"), TEXT),
                    **dict.fromkeys(("score", "max_score", "seconds"), NUMBER),
                    **dict.fromkeys(("flags", "notes"), TEXTS),
                    "submitted_at": {"type": ["string", "null"]},
                    "checks": {"type": "array", "items": CHECK_SCHEMA},
                }
            ),
        },
    }
)


@given(evil)
def test_our_own_document_follows_its_schema(text: str) -> None:
    document = json.loads(to_json([said(text), OURS]))

    Draft202012Validator(REPORT_SCHEMA).validate(document)


# -- JUnit -------------------------------------------------------------------------------------------------------------


def properties_of(suite: ElementTree.Element) -> dict[str, str]:
    """Return the properties of a suite."""
    return {entry.get("name", ""): entry.get("value", "") for entry in suite.iter("property")}


@given(evil, st.sampled_from(LEVELS))
@example("\x00\x0b\ufffe\ud800]]>", "hint")
def test_junit_keeps_the_published_rules_whatever_students_print(text: str, feedback: str) -> None:
    suites_of(junit([said(text), REPORT, OURS], feedback=feedback))


def test_junit_counts_and_has_every_point() -> None:
    root = suites_of(junit([REPORT, OURS], feedback="hint"))

    first, second = root
    assert [root.get(name) for name in ("tests", "failures", "errors", "time")] == ["6", "1", "2", "2.469"]
    assert [first.get(name) for name in ("name", "package", "tests", "failures", "errors")] == [
        "ada",
        "echo",
        "4",
        "1",
        "1",
    ]
    assert (
        properties_of(first).items()
        >= {
            "score": "5.1",
            "max_score": "14.5",
            "digest": "sha256:0",
            "device": "cpu",
            "sandbox": "namespaces",
            "points.grad": "2.5",
            "score.speed": "2.1",
            "verdict.secret": "failed",
        }.items()
    )
    assert [case.get("name") for case in first.iter("testcase")] == ["values", "grad", "speed", "secret"]
    assert second.find("testcase/error[@type='grader_error']") is not None


def test_junit_says_why_a_check_failed() -> None:
    root = suites_of(junit([REPORT], feedback="hint"))

    (error,), (failure,) = root.iter("error"), root.iter("failure")
    assert error.attrib == {"type": "raised", "message": "0 of 2.5 points: ValueError: no"}
    assert error.text == "0 of 2.5 points\nValueError: no\nit printed:\n| hello"
    assert failure.get("message") == "0 of 5 points: a hidden check found something wrong: think of empty inputs"
    (partly,) = [case for case in root.iter("testcase") if case.get("name") == "speed"]
    assert [(child.tag, child.text) for child in partly] == [
        ("system-out", "2.1 of 4 points\ntook 5.8 times the baseline")
    ]


def test_control_characters_are_escapes_in_junit() -> None:
    report = replace(REPORT, checks=(replace(RAISED, message="a\x00b\x1b[1m\rc\ud800", output=""),))

    (error,) = suites_of(junit([report], feedback="hint")).iter("error")

    assert error.text == "0 of 2.5 points\na\\x00b\\x1b[1m\\rc\\ud800"


# -- Gradescope --------------------------------------------------------------------------------------------------------

# Source: "Autograder Specifications" of Gradescope's documentation.
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
FORMAT = {"enum": ["text", "simple_format", "html", "md", "ansi"]}
GRADESCOPE_SCHEMA = whole(
    {
        "score": NUMBER,
        "execution_time": NUMBER,
        "output": TEXT,
        **dict.fromkeys(("output_format", "test_output_format", "test_name_format"), FORMAT),
        **dict.fromkeys(("visibility", "stdout_visibility"), VISIBILITY),
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": whole(
                {
                    **dict.fromkeys(("score", "max_score"), NUMBER),
                    "status": {"enum": ["passed", "failed"]},
                    **dict.fromkeys(("name", "number", "output"), TEXT),
                    **dict.fromkeys(("name_format", "output_format"), FORMAT),
                    "tags": TEXTS,
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                }
            ),
        },
        "leaderboard": {
            "type": "array",
            "items": whole({"name": TEXT, "value": {"type": ["number", "string"]}, "order": {"enum": ["asc", "desc"]}}),
        },
    }
)


@given(evil, st.sampled_from(LEVELS))
def test_gradescope_gets_its_schema_and_no_markup(text: str, feedback: str) -> None:
    document = json.loads(gradescope(said(text), feedback=feedback))

    Draft202012Validator(GRADESCOPE_SCHEMA).validate(document)
    formats = [value for key, value in walk(document) if key.endswith("_format")]
    assert set(formats) == {"text"}


def walk(value: Any) -> list[tuple[str, Any]]:
    """Return every key in a document with its value."""
    if isinstance(value, list):
        return [pair for item in value for pair in walk(item)]
    if isinstance(value, dict):
        return [*value.items(), *(pair for item in value.values() for pair in walk(item))]
    return []


def test_gradescope_gets_the_exact_score_and_keeps_standard_output_from_students() -> None:
    document = json.loads(gradescope(REPORT, feedback="hint"))

    assert (document["score"], document["execution_time"]) == (5.1, 1.235)
    assert sum(round(test["score"] * 10) for test in document["tests"]) == 51
    assert (document["visibility"], document["stdout_visibility"]) == ("visible", "hidden")
    assert document["output"] == "5.1 of 14.5 points\nnote: one line was left out"
    assert document["tests"][1] == {
        "score": 0.0,
        "max_score": 2.5,
        "status": "failed",
        "name": "grad: Its gradient is right",
        "name_format": "text",
        "number": "2",
        "output": "raised\nValueError: no\nit printed:\n| hello",
        "output_format": "text",
        "tags": ["public"],
        "visibility": "visible",
        "extra_data": {"verdict": "raised"},
    }


def test_gradescope_ranks_public_ratios_only_the_least_first() -> None:
    document = json.loads(gradescope(REPORT, feedback="hint"))

    assert document["leaderboard"] == [{"name": "speed: time ÷ baseline's", "value": 5.8123, "order": "asc"}]


def test_gradescope_hides_a_hidden_check_or_shows_what_may_be_shown() -> None:
    by_level = {level: json.loads(gradescope(REPORT, feedback=level))["tests"][3] for level in LEVELS}

    assert {level: test["visibility"] for level, test in by_level.items()} == {
        "none": "hidden",
        "verdict": "visible",
        "hint": "visible",
    }
    assert by_level["none"]["output"] == ("failed\nexpected 4711\nhint: think of empty inputs\nit printed:\n| got 4712")
    assert by_level["verdict"]["output"] == "failed\na hidden check found something wrong"
    assert by_level["hint"]["output"] == "failed\na hidden check found something wrong: think of empty inputs"


# -- Classroom 50 ------------------------------------------------------------------------------------------------------

# Source: schemas/result-v1.schema.json of foundation50/classroom50, as rules of our own writing.
FILLED, COUNT = {"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0}
INSTANT = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$"}
CLASSROOM50_SCHEMA = whole(
    {
        "schema": {"const": "classroom50/result/v1"},
        **dict.fromkeys(("classroom", "assignment", "owner", "commit", "release", "review"), FILLED),
        "assignment_type": {"enum": ["individual", "group", "team"]},
        "submission": {"type": "string", "pattern": "^submit/"},
        **dict.fromkeys(("datetime", "graded_at"), INSTANT),
        **dict.fromkeys(("score", "max-score"), COUNT),
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["test-name", "passed", "score", "max-score"],
                "properties": {
                    "test-name": FILLED,
                    "passed": {"type": "boolean"},
                    **dict.fromkeys(("score", "max-score"), COUNT),
                },
            },
        },
    }
)


@given(evil, st.sampled_from(LEVELS))
def test_classroom50_gets_its_schema(text: str, feedback: str) -> None:
    document = as_classroom50(said(text), feedback)

    Draft202012Validator(CLASSROOM50_SCHEMA).validate(document)
    for entry in (document, *document["tests"]):
        assert entry["score"] <= entry["max-score"]


@pytest.mark.parametrize("feedback", LEVELS)
def test_classroom50_gets_tenths_of_points_that_add_up(feedback: str) -> None:
    document = as_classroom50(REPORT, feedback)

    assert (document["score"], document["max-score"]) == (51, 145)
    assert sum(test["score"] for test in document["tests"]) == 51
    assert sum(test["max-score"] for test in document["tests"]) == 145
    assert document["tests"][2].items() >= {"passed": False, "score": 21, "points": 2.1, "max-points": 4.0}.items()


def test_classroom50_gets_a_finer_unit_where_the_points_need_one_and_the_same_for_every_submission() -> None:
    quarter, none = replace(RIGHT, points=0.25, score=0.25), replace(RAISED, points=0.25)

    scores = [
        (
            as_classroom50(replace(REPORT, checks=checks))["score"],
            as_classroom50(replace(REPORT, checks=checks))["max-score"],
        )
        for checks in ((quarter, PARTLY), (none, PARTLY))
    ]

    assert scores == [(235, 425), (210, 425)]


def test_points_that_are_tenths_are_counted_in_tenths() -> None:
    document = as_classroom50(replace(REPORT, checks=(replace(RIGHT, points=0.3, score=0.3),)))

    assert (document["score"], document["max-score"]) == (3, 3)


def test_classroom50_gets_whose_it_is_from_the_runner() -> None:
    document = as_classroom50(REPORT)

    assert [document[key] for key in ("classroom", "assignment", "owner", "submission", "commit", "release")] == [
        "the CLASSROOM",
        "the ASSIGNMENT",
        "the OWNER",
        "submit/1",
        "the COMMIT_URL",
        "the RELEASE_URL",
    ]
    assert document["review"] == "the COMMIT_URL"
    assert (document["datetime"], document["graded_at"]) == ("2030-01-30T09:00:00Z", "2030-01-31T12:00:00Z")


# -- the step summary --------------------------------------------------------------------------------------------------

# What a summary is made of; links, pictures, emphasis and HTML are not among it.
STRUCTURE = {
    *(
        f"{name}_{end}"
        for name in ("heading", "paragraph", "table", "thead", "tbody", "tr", "th", "td")
        for end in ("open", "close")
    ),
    *("inline", "text", "text_special", "code_inline", "fence", "strong_open", "strong_close"),
}


def tokens_of(text: str) -> list[Any]:
    """Return what a reader of markdown makes of a text, the parts of lines included."""
    blocks = MarkdownIt("commonmark").enable("table").parse(text)
    return [token for block in blocks for token in (block, *(block.children or ()))]


@given(evil, st.sampled_from(LEVELS))
@example("```\n# heading\n````\n<img src=x>\n@ada #1 https://a.b ![](x)", "hint")
@example("` | ` <!-- \\", "hint")
def test_what_students_wrote_is_code_in_the_summary_and_nothing_else(text: str, feedback: str) -> None:
    marked = f"pwn{text}pwn"

    tokens = tokens_of(summary([said(marked), REPORT], feedback=feedback, pass_mark=0.5))

    assert {token.type for token in tokens} <= STRUCTURE
    holders = {token.type for token in tokens if "pwn" in token.content and token.type != "inline"}
    assert holders == {"fence", "code_inline"}
    tables = [token for token in tokens if token.type == "tr_open"]
    assert len(tables) == 3 + 2 * (1 + len(REPORT.checks))


def test_what_the_course_says_is_text_in_the_summary() -> None:
    title = "<b>a</b> | `x` [y](http://z) www.z.org @ada #1 $x$ *e* &amp; \\|"
    report = replace(REPORT, checks=(replace(RIGHT, title=title),))

    tokens = tokens_of(markdown(report))

    assert {token.type for token in tokens} <= STRUCTURE
    (cell,) = [
        token.content
        for token in tokens
        if token.type == "inline" and "a" in token.content and "b" in token.content and "amp" in token.content
    ]
    said_words = "".join(token.content for token in MarkdownIt("commonmark").parseInline(cell)[0].children or ())
    assert said_words.replace("\u200b", "") == title
    assert "@\u200bada" in said_words and "#\u200b1" in said_words


def test_the_summary_has_points_verdicts_and_reasons() -> None:
    text = markdown(REPORT)

    assert text.splitlines()[:10] == [
        "## echo: ` ada `",
        "",
        "**5.1 of 14.5 points**: the pass mark of 7.25 is not reached",
        "",
        "| check | points | verdict | claim |",
        "| --- | ---: | --- | --- |",
        "| values | 3/3 | passed | It agrees with PyTorch |",
        "| grad | 0/2.5 | raised | Its gradient is right |",
        "| speed | 2.1/4 | partly | It is fast |",
        "| secret | 0/5 | failed | It holds for any input |",
    ]
    assert "### grad\\: 0 of 2\\.5 points\n\n```text\nValueError: no\nit printed:\n| hello\n```\n" in text
    assert "00ff" not in text and "look here" not in text


@pytest.mark.parametrize("feedback", LEVELS)
def test_no_format_for_students_says_what_a_hidden_check_saw(feedback: str) -> None:
    texts = [
        markdown(REPORT, feedback),
        junit([REPORT], feedback=feedback),
        json.dumps(as_classroom50(REPORT, feedback)),
        "\n".join(annotate([REPORT], feedback=feedback, origins={})),
        json.dumps(
            [
                test
                for test in json.loads(gradescope(REPORT, feedback=feedback))["tests"]
                if test["visibility"] == "visible"
            ]
        ),
    ]

    for text in texts:
        assert not re.search("4711|4712|00ff|look here", text)
        assert ("think of empty inputs" in text) == (feedback == "hint")
        assert ("a hidden check found something wrong" in text) == (feedback != "none")
        assert feedback != "none" or "It holds for any input" not in text
    assert feedback != "none" or all("hidden checks" in text for text in texts[:4])


def test_a_class_begins_with_a_table() -> None:
    text = summary([replace(REPORT, student="a|b"), OURS], feedback="hint", pass_mark=0.2)

    assert text.splitlines()[:6] == [
        "## echo: 2 submissions",
        "",
        "| student | points | pass mark | lost |",
        "| --- | ---: | --- | --- |",
        "| ` a¦b ` | 5.1/14.5 | passed | grad, speed, secret |",
        "| ` ada ` | 3/5.5 | not final | grad |",
    ]
    assert "**3 of 5.5 points**: not final, because a check ended in an internal grader error" in text


def test_a_summary_that_is_too_long_is_cut_between_parts_and_says_so() -> None:
    long = replace(REPORT, checks=tuple(replace(RAISED, name=f"c{n}", message=f"{n}" * 4000) for n in range(9)))

    text = summary([long] * 40, feedback="hint", pass_mark=0.5)

    last = text.rstrip("\n").splitlines()[-1]
    assert 0 <= SUMMARY_BYTES - len(text.encode()) < 5000
    assert re.fullmatch(
        r"Cut here: GitHub shows at most 1 MiB of a summary; \d+ more parts are left out, which `--junit FILE` holds\.",
        last,
    )
    assert text.count("```") % 2 == 0
    assert summary([long] * 40, feedback="hint", pass_mark=0.5, room=10) == ""


# -- annotations -------------------------------------------------------------------------------------------------------


@given(evil, evil)
@example("::error file=x.py::pwned\n##[add-mask]pwned", "a")
def test_an_annotation_is_one_command_whatever_students_wrote(text: str, name: str) -> None:
    path = f"work/{''.join(char for char in name if char.isprintable())}.py"

    lines = annotate([said(text)], feedback="hint", origins={f"student {text}": Origin(path, True)})

    commands = [command_in(line) for line in lines]
    assert all(len(line.splitlines()) == 1 for line in lines)
    assert [command[0] for command in commands if command] == ["error", "error", "warning"]
    assert [command[1]["file"] for command in commands if command] == [path] * 3
    first = commands[0]
    assert first is not None
    assert (first[1]["line"], first[1]["title"]) == ("7", "grad: 0 of 2.5 points")
    assert [command_in(part) for part in first[2].splitlines()] == [None] * len(first[2].splitlines())


def test_annotations_stand_at_the_students_own_lines() -> None:
    lines = annotate([REPORT], feedback="hint", origins={"ada": Origin("a,b/e:c%.py", True)})

    assert lines == [
        "::error file=a%2Cb/e%3Ac%25.py,line=7,title=grad%3A 0 of 2.5 points::ValueError: no",
        "::error file=a%2Cb/e%3Ac%25.py,title=secret%3A 0 of 5 points::"
        "a hidden check found something wrong: think of empty inputs",
        "::warning file=a%2Cb/e%3Ac%25.py,title=speed%3A 2.1 of 4 points::took 5.8 times the baseline",
    ]


def test_a_notebook_has_no_line_and_what_lies_nowhere_no_file() -> None:
    report = replace(REPORT, checks=(RAISED,))

    (notebook,) = annotate([report], feedback="hint", origins={"ada": Origin("e.ipynb", False)})
    (nowhere,) = annotate([report], feedback="hint", origins={})

    assert notebook.startswith("::error file=e.ipynb,title=grad%3A 0 of 2.5 points::")
    assert nowhere.startswith("::error title=grad%3A 0 of 2.5 points::")


def test_checks_that_failed_for_one_reason_share_an_annotation() -> None:
    unloaded = [replace(RAISED, name=name, verdict="not_run", output="") for name in ("a", "b")]

    (line,) = annotate([replace(REPORT, checks=tuple(unloaded))], feedback="hint", origins={})

    assert line == "::error title=a, b%3A 0 of 5 points::ValueError: no".replace("a, b", "a%2C b")


def test_no_more_annotations_of_a_type_than_github_shows() -> None:
    failed = tuple(replace(RAISED, name=f"c{n}", message=f"no {n}") for n in range(12))

    lines = annotate([replace(REPORT, checks=(*failed, PARTLY))], feedback="hint", origins={})

    assert len([line for line in lines if line.startswith("::error ")]) == ANNOTATIONS
    assert lines[9:] == [
        "::error title=and more::GitHub shows 10 of a type; 3 more are in the step summary",
        "::warning title=speed%3A 2.1 of 4 points::took 5.8 times the baseline",
    ]
