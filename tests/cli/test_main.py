"""The command line parses, calls and prints: reports on standard output, one line for an error, and an exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from commands import WRONG, autograde, refusal
from harness import RIGHT, Lab

from autograder import __version__
from autograder.cli.main import main
from autograder.report.model import SCHEMA
from autograder.sandbox.levels import LEVELS, missing
from autograder.submission.notebook_template import build_notebook


@pytest.fixture
def course(lab: Lab) -> Lab:
    lab.make()
    return lab


# -- finding the course ------------------------------------------------------------------------------------------------


def test_the_assignments_are_listed_in_order(course: Lab) -> None:
    result = autograde(course, "list")

    title, *rows = result.stdout.splitlines()
    assert (result.exit_code, result.stderr, title) == (0, "", "A made-up course")
    assert [row.split() for row in rows] == [
        ["name", "title", "due", "checks"],
        ["echo", "Give", "back", "what", "you", "get", "2030-01-31", "23:59", "UTC", "2"],
    ]


def test_the_course_is_found_from_a_folder_inside_it(course: Lab) -> None:
    assert autograde(course, "list", within="assignments/echo").stdout == autograde(course, "list").stdout


def test_the_course_may_be_named(course: Lab, tmp_path: Path) -> None:
    outside = Lab(tmp_path, course.sandbox)

    by_file = autograde(outside, "--course", str(course.root / "course.yml"), "list")
    by_folder = autograde(outside, "--course", "course", "list")

    assert by_file.stdout == by_folder.stdout == autograde(course, "list").stdout


def test_a_folder_in_no_course_is_refused(tmp_path: Path, course: Lab) -> None:
    line = refusal(Lab(tmp_path, course.sandbox), "list")

    assert line == (
        f"{tmp_path}: in no course; expected a course.yml here or in a folder above; "
        "change to the folder of a course, or name its course.yml"
    )


def test_a_mistake_in_the_course_is_one_line(course: Lab) -> None:
    course.write("course.yml", "title: A\nassignmnts: []\n")

    assert refusal(course, "list").startswith("course.yml:1: the course has no 'assignments'; ")


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("check", "eco"), ("grade", "eco", "."), ("validate", "eco"), ("build", "eco")])
def test_an_unknown_assignment_is_refused_with_the_name_that_was_meant(course: Lab, command: tuple[str, ...]) -> None:
    assert refusal(course, *command) == "there is no assignment 'eco'; did you mean 'echo'?"


def test_an_unknown_check_is_refused_with_those_there_are(course: Lab) -> None:
    assert refusal(course, "check", "echo", "--only", "ech") == (
        "echo: there is no check 'ech'; expected one of echo, twice"
    )


@pytest.mark.parametrize("command", ["check", "grade"])
def test_a_submission_that_is_not_there_is_refused(course: Lab, command: str) -> None:
    assert refusal(course, command, "echo", "nowhere.py").startswith("nowhere.py: ")


def test_a_level_that_is_not_to_be_had_is_refused(course: Lab) -> None:
    absent = [level for level in LEVELS if missing(level)]
    if not absent:
        pytest.skip("this machine has every level")

    line = refusal(course, "grade", "echo", "assignments/echo", "--sandbox", absent[0])

    assert line.startswith(f"sandbox: level {absent[0]} is not available here: ")


def test_a_device_that_is_not_there_is_refused(course: Lab) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")

    line = refusal(course, "check", "echo", "--device", "cuda")

    assert line == "device cuda: this machine has none; expected a machine with one; use --device cpu"


def test_wrong_usage_is_told_and_exits_2(course: Lab) -> None:
    for arguments in (("grade",), ("check",), ("nothing",), ("grade", "echo", ".", "--jobs", "0")):
        result = autograde(course, *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "Usage: " in result.stderr


def test_the_version_is_that_of_the_package(course: Lab) -> None:
    assert autograde(course, "--version").stdout == f"autograde, version {__version__}\n"


def test_every_command_has_help(course: Lab) -> None:
    for name in main.commands:
        result = autograde(course, name, "--help")
        assert result.exit_code == 0
        assert result.stdout.startswith("Usage: ")
        assert len(result.stdout.splitlines()) > 3


# -- grading -----------------------------------------------------------------------------------------------------------


def test_a_check_of_a_right_submission_exits_0(course: Lab) -> None:
    course.write("assignments/echo/echo.py", RIGHT)

    result = autograde(course, "check", "echo", within="assignments")

    lines = [line.split() for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert lines[1:3] == [
        *(["echo", "2/2", "passed", "Echo", "returns", "what", "it", "got"],),
        *(["twice", "1/1", "passed", "Twice", "returns", "double", "of", "what", "it", "got"],),
    ]
    assert result.stdout.splitlines()[-1] == "3 of 3 points"
    assert "flag" not in result.stdout


def test_json_on_standard_output_is_the_document_and_nothing_else(course: Lab) -> None:
    course.write("mine.py", WRONG)

    result = autograde(course, "check", "echo", "mine.py", "--json", "-", "--sandbox", "process")

    document = json.loads(result.stdout)
    assert result.exit_code == 1  # 1 of 3 points is under the pass mark
    assert document["schema"] == SCHEMA
    (report,) = document["submissions"]
    assert (report["score"], report["max_score"], report["sandbox"]) == (1.0, 3.0, "process")
    assert [check["verdict"] for check in report["checks"]] == ["failed", "passed"]


def test_a_class_is_graded_to_a_table_and_a_file(course: Lab) -> None:
    course.write("class/ada/echo.py", RIGHT)
    course.write("class/bob/echo.py", WRONG)
    course.write("class/eve/echo.py", "import os\nos._exit(0)\n")
    course.write("class/joe/echo.py", "x = 1\n").write_bytes(b"\xff")

    result = autograde(course, "grade", "echo", "class", "--json", "reports.json", "--sandbox", "auto")

    reports = json.loads((course.root / "reports.json").read_text(encoding="utf-8"))["submissions"]
    assert result.exit_code == 1
    assert [(report["student"], report["score"]) for report in reports] == [
        ("ada", 3.0),
        ("bob", 1.0),
        ("eve", 0.0),
        ("joe", 0.0),
    ]
    rows = [line.split()[:2] for line in result.stdout.splitlines()]
    assert [row for row in rows if row and row[0] in ("ada", "bob", "eve", "joe")] == [
        ["ada", "3/3"],
        ["bob", "1/3"],
        ["eve", "0/3"],
        ["joe", "0/3"],
    ]
    assert "echo.py does not load: the worker died before it answered" in result.stdout
    assert not list(course.root.glob(".reports.json*"))


def test_a_mistake_of_a_check_exits_2_and_grades_nobody(lab: Lab) -> None:
    lab.make('from autograder import points\n\n@points(1)\ndef check_a():\n    """A."""\n    {} + 1\n')
    lab.write("ada.py", RIGHT)

    result = autograde(lab, "grade", "echo", "ada.py", "--sandbox", "process")

    assert result.exit_code == 2
    assert result.stderr == "autograde: ada: a check ended in an internal grader error; no grade is final\n"


def test_the_command_is_installed_and_starts_without_torch(course: Lab) -> None:
    code = "import sys\nfrom autograder.cli.main import main\nmain(['list'], standalone_mode=False)\nprint('torch' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=course.root, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[0] == "A made-up course"
    assert done.stdout.splitlines()[-1] == "False"


def test_check_takes_the_module_that_a_student_edited_in_the_course(course: Lab) -> None:
    folder = course.root / "assignments" / "echo"
    stub = (folder / "echo.py").read_text(encoding="utf-8")
    (folder / "echo.ipynb").write_text(build_notebook(stub, name="echo"), encoding="utf-8")
    (folder / "echo.py").write_text(RIGHT, encoding="utf-8")

    result = autograde(course, "check", "echo", "--sandbox", "process")

    assert result.exit_code == 0
    assert "3 of 3 points" in result.stdout
