"""The gradebook leaves as a table with the final scores, in the layout that its reader imports."""

from __future__ import annotations

import csv
import io
import os
import shutil
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from exchange_world import World, make_course, refusal
from nbgrader.api import Gradebook
from nbgrader.plugins.export import CsvExportPlugin

# nbgrader's own: it adds grades to a submission that its session does not have yet.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <.*> not in session")

EMPTY = "warning: {}: not fully graded; its cell is empty"
ADA = {"last_name": "Lovelace", "first_name": "Ada", "email": "ada@example.org"}
MUELLER = {"last_name": "Müller", "first_name": "Eva", "email": "eva@example.org"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Make a course whose gradebook knows `second` and `first`, each with two cells, and two students, once.

    A new gradebook takes nbgrader seconds, a copy of one takes none.
    """
    root = tmp_path_factory.mktemp("template")
    world = make_course(root, level="process", due={"second": "2030-01-31 23:59", "first": "2030-02-28 23:59"})
    course = world.course / "course.yml"
    text = course.read_text(encoding="utf-8").replace("title: Give back what you get", "title: Beginnings", 1)
    course.write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])))  # alembic
        with book(world) as gradebook:
            for name in ("first", "second"):
                gradebook.add_assignment(name)
                gradebook.add_notebook(name, name)
                for cell, points in (("values", 3), ("essay", 2)):
                    gradebook.add_grade_cell(cell, name, name, max_score=points, cell_type="code")
            gradebook.add_student("ada", **ADA)
            gradebook.add_student("eva", **MUELLER)
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    """Return a copy of the course of one's own."""
    shutil.copytree(template.root, tmp_path / "world")
    return World(tmp_path / "world")


def book(world: World) -> Any:
    """Open the course's gradebook as nbgrader does."""
    return Gradebook(f"sqlite:///{world.course / 'gradebook.db'}", "made_up")


def hand_in(world: World, student: str, name: str, *, late: float = 0.0, **cells: dict[str, Any]) -> None:
    """Write a submission into the gradebook; `cells` says what its grades are."""
    with book(world) as gradebook:
        gradebook.add_submission(name, student)
        for cell, values in cells.items():
            grade = gradebook.find_grade(cell, name, name, student)
            for key, value in values.items():
                setattr(grade, key, value)
        gradebook.find_submission_notebook(name, name, student).late_submission_penalty = late
        gradebook.db.commit()


def table(result: Result) -> list[list[str]]:
    """Return the rows that a command printed, having made sure that it succeeded."""
    assert result.exit_code == 0, result.output
    return list(csv.reader(io.StringIO(result.stdout)))


def graded(world: World) -> None:
    """Let ada have 1.5 + 2 points for the second assignment, less half a point for lateness."""
    hand_in(world, "ada", "second", late=0.5, values={"auto_score": 1.5}, essay={"auto_score": 2.0})


def test_a_spreadsheet_gets_names_as_the_gradebook_has_them(world: World) -> None:
    graded(world)

    result = world.instructor("export")

    assert result.stdout == (
        "student_id,last_name,first_name,email,second,first\n"
        "ada,Lovelace,Ada,ada@example.org,3.0,\n"
        "eva,Müller,Eva,eva@example.org,,\n"
    )
    assert result.stderr == ""


def test_canvas_gets_its_own_columns_titles_and_the_points_possible(world: World) -> None:
    graded(world)

    result = world.instructor("export", "--format", "canvas")

    assert result.stdout == (
        "Student,ID,SIS User ID,SIS Login ID,Section,Beginnings,Give back what you get\n"
        "    Points Possible,,,,,5.0,5.0\n"
        '"Lovelace, Ada",,ada,ada,,3.0,\n'
        '"Müller, Eva",,eva,eva,,,\n'
    )


def test_moodle_gets_columns_to_map(world: World) -> None:
    graded(world)

    result = world.instructor("export", "--format", "moodle")

    assert result.stdout == (
        "username,email,idnumber,Assignment: Beginnings (Real),Assignment: Give back what you get (Real)\n"
        "ada,ada@example.org,ada,3.0,\n"
        "eva,eva@example.org,eva,,\n"
    )


def test_two_assignments_of_one_title_are_told_apart(world: World) -> None:
    course = world.course / "course.yml"
    course.write_text(course.read_text(encoding="utf-8").replace("Beginnings", "Give back what you get"))

    header, *_ = table(world.instructor("export", "--format", "canvas"))

    assert header[5:] == ["Give back what you get (second)", "Give back what you get (first)"]


def test_an_assignment_that_left_the_course_comes_last_under_its_name(world: World) -> None:
    with book(world) as gradebook:
        gradebook.add_assignment("abandoned")

    header, points, *_ = table(world.instructor("export", "--format", "canvas"))

    assert (header[-1], points[-1]) == ("abandoned", "0.0")


def test_where_nothing_was_handed_in_a_zero_may_stand(world: World) -> None:
    graded(world)

    _, ada, eva = table(world.instructor("export", "--missing", "zero"))

    assert (ada[-2:], eva[-2:]) == (["3.0", "0.0"], ["0.0", "0.0"])


@pytest.mark.parametrize("layout", ["csv", "canvas", "moodle"])
def test_the_numbers_are_nbgraders_to_the_last_digit(world: World, layout: str, tmp_path: Path) -> None:
    odd = {"auto_score": 0.1 + 0.2, "extra_credit": 0.7}
    human = {"auto_score": 1 / 3, "manual_score": 2 / 3, "extra_credit": 1e-9, "needs_manual_grade": True}
    hand_in(world, "ada", "first", values=odd, essay=human)
    hand_in(world, "ada", "second", late=0.1 * 1.1, values=odd, essay={"auto_score": 0.0, "manual_score": 1.1})
    hand_in(world, "eva", "second", late=2.5, values={"auto_score": 2.2, "extra_credit": -0.1}, essay={"auto_score": 0})
    with book(world) as gradebook:
        CsvExportPlugin(to=str(tmp_path / "theirs.csv")).export(gradebook)
    with (tmp_path / "theirs.csv").open(encoding="utf-8") as file:
        theirs = {(row["student_id"], row["assignment"]): row["score"] for row in csv.DictReader(file)}

    result = world.instructor("export", "--format", layout, "--missing", "zero")

    ours = {}
    for student, row in zip(("ada", "eva"), table(result)[-2:], strict=True):
        ours |= {(student, name): score for name, score in zip(("second", "first"), row[-2:], strict=True)}
    assert ours == theirs
    assert theirs["eva", "second"] == "0.0"  # lateness took more than there was
    assert len(theirs["ada", "first"]) > 6


def test_a_submission_that_waits_for_a_grader_has_an_empty_cell_and_is_named(world: World) -> None:
    hand_in(world, "ada", "second", values={"auto_score": 3.0}, essay={"needs_manual_grade": True})

    result = world.instructor("export", "--missing", "zero")

    assert table(result)[1][-2:] == ["", "0.0"]
    assert result.stderr.splitlines() == [EMPTY.format("ada, second")]


def test_an_old_score_counts_although_somebody_should_look_at_it_again(world: World) -> None:
    again = {"auto_score": 1.0, "manual_score": 2.0, "needs_manual_grade": True}
    hand_in(world, "ada", "second", values={"auto_score": 3.0}, essay=again)

    result = world.instructor("export")

    assert table(result)[1][-2:] == ["5.0", ""]
    assert result.stderr == ""


def test_what_is_collected_and_not_graded_is_no_missing_submission(world: World) -> None:
    for student in ("ada", "new"):
        (world.course / "submitted" / student / "second").mkdir(parents=True)

    result = world.instructor("export", "--missing", "zero")

    assert [row[-2:] for row in table(result)[1:]] == [["", "0.0"], ["0.0", "0.0"]]
    assert result.stderr.splitlines() == [EMPTY.format("ada, second"), EMPTY.format("new, second")]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_name_is_a_formula(world: World, start: str) -> None:
    with book(world) as gradebook:
        gradebook.add_student(f"{start}id", last_name=f"{start}1+1", first_name=f"{start}x", email=f"{start}mail")

    rows = [
        row
        for layout in ("csv", "canvas", "moodle")
        for row in table(world.instructor("export", "--format", layout))
        if any(cell.startswith("'") for cell in row)
    ]

    shown = start.replace("\r", " ")  # a name is one line
    escaped = f"'{shown}id"
    assert rows == [
        [escaped, f"'{shown}1+1", f"'{shown}x", f"'{shown}mail", "", ""],
        [f"'{shown}1+1, {shown}x", "", escaped, escaped, "", "", ""],
        [escaped, f"'{shown}mail", escaped, "", ""],
    ]


def test_moodle_would_misplace_who_has_no_address(world: World) -> None:
    with book(world) as gradebook:
        gradebook.add_student("bob")

    result = world.instructor("export", "--format", "moodle")

    assert result.stderr.splitlines() == [
        "warning: bob: has no e-mail address in the gradebook; map by username: Moodle gives the scores of a row "
        "without an address to the student above it"
    ]


@pytest.mark.parametrize(("layout", "mark"), [("csv", b"\xef\xbb\xbf"), ("canvas", b""), ("moodle", b"")])
def test_a_file_for_spreadsheets_alone_begins_with_the_mark_that_they_need(
    world: World, layout: str, mark: bytes
) -> None:
    printed = world.instructor("export", "--format", layout).stdout

    result = world.instructor("export", "--format", layout, "--output", "grades.csv")

    assert (world.course / "grades.csv").read_bytes() == mark + printed.encode()
    assert (result.stdout, result.stderr) == ("", "grades.csv: 2 students, 2 assignments\n")


@pytest.mark.parametrize(("output", "reason"), [("nowhere/grades.csv", "No such file or directory"), (".", "")])
def test_what_cannot_be_written_is_said_in_a_line(world: World, output: str, reason: str) -> None:
    before = sorted(os.listdir(world.course))

    line = refusal(world.instructor("export", "--output", output))

    assert line.startswith(f"{output}: {reason}")
    assert line.endswith("; expected a place that can be written; choose another")
    assert sorted(os.listdir(world.course)) == before


def test_a_missing_gradebook_is_said_and_not_made(world: World) -> None:
    path = world.course / "gradebook.db"
    path.unlink()

    line = refusal(world.instructor("export"))

    assert line == f"{path}: there is no gradebook; expected nbgrader's; run `autograde release NAME`"
    assert not path.exists()


def test_an_empty_gradebook_is_said(world: World) -> None:
    with book(world) as gradebook:
        for name in ("first", "second"):
            gradebook.remove_assignment(name)

    line = refusal(world.instructor("export"))

    assert line == "the gradebook: knows no assignment; expected one; run `autograde release NAME`"


def test_a_gradebook_that_is_none_is_said_without_its_password(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADE_GRADEBOOK", "swordfish")

    line = refusal(world.instructor("export"))

    assert line == (
        "the gradebook: no URL of a database; expected one such as sqlite:////srv/gradebook.db; correct `gradebook` "
        "in course.yml or AUTOGRADE_GRADEBOOK"
    )


def test_a_students_copy_exports_nothing(world: World) -> None:
    (world.course / "solutions").rmdir()

    line = refusal(world.instructor("export"))

    assert line == f"{world.course}: has no solutions/; expected the instructor's copy; change to that"
