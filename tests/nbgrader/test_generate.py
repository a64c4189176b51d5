"""What nbgrader generates from a course is enough for a student, and the gradebook knows when it is due."""

from __future__ import annotations

import os
from pathlib import Path

import harness as lab
import pytest

from autograder.authoring.notebooks import stale_notebooks, write_notebooks
from autograder.course.loading import Course, LatePolicy, load_course
from autograder.errors import CourseError

pytest.importorskip("nbgrader")

from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory

from autograder.nbgrader.config import config_of, gradebook_url
from autograder.nbgrader.generate import after_generating, released_course
from autograder.submission.reading import read_submission

COURSE = """\
title: A made-up course
course_id: made_up
exchange: exchange
gradebook: {gradebook}
secret_file: hidden/secret
timezone: Europe/Berlin
late: {{grace_days: 2}}
limits: {{time: 20 s}}
assignments:
  - name: other
    title: Not this one
  - name: echo
    title: "Give back: what you get"
    due: 2030-01-31 23:59
"""
HIDDEN = '@points(2)\ndef check_secret(student):\n    """Nobody reads this file."""\n'


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Return a made-up course in which nbgrader has generated `echo`."""
    root = tmp_path_factory.mktemp("course")
    files = {
        "course.yml": COURSE.format(gradebook=f"sqlite:///{root / 'grades.db'}"),
        "assignments/echo/echo.py": lab.STUB.lstrip("\n"),
        "assignments/echo/README.md": "# Echo\n",
        "assignments/echo/check_echo.py": lab.CHECKS,
        "assignments/other/check_other.py": lab.CHECKS,
        "solutions/echo/check_echo_hidden.py": HIDDEN,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    course = load_course(root / "course.yml")
    write_notebooks([course.assignment("echo")])
    config = config_of(course)
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    converter.coursedir.assignment_id = "echo"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root / "assignments")  # nbgrader itself changes to the course's folder
        converter.start()
    return course


@pytest.fixture
def released(course: Course) -> Path:
    """Return the folder that students get."""
    return course.root / "release" / "echo"


def test_the_released_folder_holds_the_assignment_and_its_course(released: Path) -> None:
    assert sorted(os.listdir(released)) == ["README.md", "check_echo.py", "course.yml", "echo.ipynb", "echo.py"]


def test_the_released_course_says_of_its_assignment_what_the_course_says(course: Course, released: Path) -> None:
    alone = load_course(released / "course.yml")

    (echo,) = alone.assignments
    whole = course.assignment("echo")
    assert echo.folder == released
    assert (echo.title, echo.due, echo.late, echo.limits) == (whole.title, whole.due, LatePolicy(2.0), whole.limits)
    assert (alone.title, alone.course_id, alone.exchange) == ("A made-up course", "made_up", course.root / "exchange")
    assert (alone.gradebook, alone.secret_file) == (None, released / ".autograde/secret")


def test_the_released_course_says_nothing_of_secrets_and_other_assignments(course: Course) -> None:
    text = released_course(course, course.assignment("echo"))

    assert text.startswith(
        "# A made-up course, the assignment echo alone. `autograde check echo` works in this folder;"
    )
    assert not any(word in text for word in ("secret", "grades.db", "other"))


def test_a_released_notebook_is_the_stub_and_not_stale(course: Course, released: Path) -> None:
    stub = course.assignment("echo").stub.read_text(encoding="utf-8")

    submission = read_submission(released, name="echo", stub=stub)

    assert submission.flags == ()
    assert submission.source == stub
    assert stale_notebooks([course.assignment("echo")]) == []


def test_the_gradebook_knows_the_due_date_in_utc_and_the_points(course: Course) -> None:
    with Gradebook(gradebook_url(course), "made_up") as gradebook:
        assignment = gradebook.find_assignment("echo")

        assert f"{assignment.duedate:%Y-%m-%d %H:%M}" == "2030-01-31 22:59"
        assert assignment.max_code_score == 5.0


def test_a_gradebook_that_does_not_know_the_assignment_is_left_alone(
    course: Course, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AUTOGRADE_GRADEBOOK", f"sqlite:///{tmp_path / 'empty.db'}")
    monkeypatch.chdir(course.root)

    after_generating(assignment="echo", student=".", notebooks=[])

    with Gradebook(gradebook_url(course), "made_up") as gradebook:
        assert gradebook.assignments == []


def test_what_was_not_generated_is_named(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course.root)

    with pytest.raises(CourseError) as caught:
        after_generating(assignment="other", student=".", notebooks=[])

    folder = course.root / "release" / "other"
    said = "no such folder; expected what nbgrader generated; leave release_directory alone"
    assert str(caught.value).replace("/./", "/") == f"{folder}: {said}"
