"""Store, gradebook and export agree; where they do not, a line says so for each check."""

from __future__ import annotations

import pytest
from exchange_world import World, lines_of
from graded_world import HALF, TRIPLE, change_checks, change_grade, gradebook, hand_in
from harness import RIGHT

from autograder.course.loading import load_course
from autograder.nbgrader.gradebook.verify import exported_scores, verify

# nbgrader opens a file of each student's and leaves closing it to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*timestamp.txt:ResourceWarning")

REGRADE = "run `autograde regrade echo`"


def test_what_was_graded_agrees(world: World) -> None:
    result = world.instructor("verify")

    assert lines_of(result) == ["echo: 3 agree, 0 disagreements, 0 not graded"]
    assert result.stderr == ""


def test_a_grade_that_somebody_changed_is_a_line_and_exits_1(world: World) -> None:
    change_grade(world, "bob", "twice", auto_score=1.0)

    result = world.instructor("verify", "echo")

    assert lines_of(result, 1) == [
        f"bob, echo, twice: the store says 0, the gradebook 1, the export 3.0 in all; {REGRADE}",
        "echo: 2 agree, 1 disagreement, 0 not graded",
    ]


def test_regrading_mends_it(world: World) -> None:
    change_grade(world, "bob", "twice", auto_score=1.0)

    lines_of(world.instructor("regrade", "echo", "--yes"))

    assert lines_of(world.instructor("verify")) == ["echo: 3 agree, 0 disagreements, 0 not graded"]


def test_what_human_graders_entered_is_no_disagreement(world: World) -> None:
    change_grade(world, "bob", "twice", manual_score=0.5)
    change_grade(world, "ada", "echo", extra_credit=1.5)  # whose lateness nbgrader counts when it grades again

    assert lines_of(world.instructor("verify")) == ["echo: 3 agree, 0 disagreements, 0 not graded"]


def test_a_penalty_that_is_not_the_courses_is_a_line(world: World) -> None:
    with gradebook(world) as book:
        book.find_submission_notebook("echo", "echo", "ada").late_submission_penalty = 0.5
        book.db.commit()

    assert lines_of(world.instructor("verify"), 1)[0] == (
        f"ada, echo, late: the store says -0.6, the gradebook -0.5, the export 2.5 in all; {REGRADE}"
    )


def test_what_is_collected_and_not_graded_is_listed_apart(world: World) -> None:
    hand_in(world, "dan", RIGHT)
    hand_in(world, "bob", HALF + "\n", when="2030-01-31 13:00:00.000000 UTC")  # after he was graded

    assert lines_of(world.instructor("verify")) == [
        "bob, echo: collected and not graded; run `autograde grade echo`",
        "dan, echo: collected and not graded; run `autograde grade echo`",
        "echo: 2 agree, 0 disagreements, 2 not graded",
    ]


def test_a_report_that_never_reached_the_gradebook_is_a_line(world: World) -> None:
    with gradebook(world) as book:
        book.remove_submission("echo", "cyd")

    assert lines_of(world.instructor("verify"), 1) == [
        "cyd, echo, score: the store says 3 of 3, the gradebook nothing, the export nothing; run `autograde grade echo`",
        "echo: 2 agree, 1 disagreement, 0 not graded",
    ]


def test_a_grade_that_no_report_backs_is_a_line(world: World) -> None:
    for file in (world.course / ".autograde").glob("reports.db*"):
        file.unlink()

    assert lines_of(world.instructor("verify"), 1) == [
        f"ada, echo, score: the store says nothing, the gradebook 2.4, the export 2.4; {REGRADE}",
        f"bob, echo, score: the store says nothing, the gradebook 2, the export 2.0; {REGRADE}",
        f"cyd, echo, score: the store says nothing, the gradebook 3, the export 3.0; {REGRADE}",
        "echo: 0 agree, 3 disagreements, 0 not graded",
    ]


def test_grades_of_an_earlier_course_agree_with_the_reports_that_they_were_made_of(world: World) -> None:
    change_checks(world, TRIPLE)

    result = world.instructor("verify")

    assert lines_of(result) == ["echo: 3 agree, 0 disagreements, 0 not graded"]
    assert result.stderr == "echo: 3 grades are from before the last change; `autograde regrade echo` compares\n"


def test_a_regrading_that_was_not_written_leaves_a_disagreement(world: World) -> None:
    change_checks(world, TRIPLE)
    lines_of(world.instructor("regrade", "echo"))

    assert lines_of(world.instructor("verify"), 1) == [
        f"ada, echo, twice: the store says 0, the gradebook 1, the export 2.4 in all; {REGRADE}",
        f"bob, echo, twice: the store says 1, the gradebook 0, the export 2.0 in all; {REGRADE}",
        f"cyd, echo, twice: the store says 0, the gradebook 1, the export 3.0 in all; {REGRADE}",
        "echo: 0 agree, 3 disagreements, 0 not graded",
    ]


@pytest.mark.parametrize(("cell", "shown"), [("1.0", "1.0"), ("", "nothing")])
def test_an_export_that_says_something_else_is_a_line(world: World, cell: str, shown: str) -> None:
    course = load_course(world.course / "course.yml")
    exported = exported_scores(course)

    found = verify(course, "echo", exported | {("bob", "echo"): cell})

    assert exported == {("ada", "echo"): "2.4", ("bob", "echo"): "2.0", ("cyd", "echo"): "3.0"}
    assert [str(each) for each in found.disagreements] == [
        f"bob, echo, score: the store says the same as the gradebook, the gradebook 2, the export {shown}; "
        "report this as a bug of autograde"
    ]
    assert found.agreed == 2


def test_a_course_without_anything_collected_has_nothing_to_verify(world: World) -> None:
    (world.course / "submitted").rename(world.root / "elsewhere")

    all_of_it, named = world.instructor("verify"), world.instructor("verify", "echo")

    assert (all_of_it.exit_code, all_of_it.stderr) == (0, "nothing is collected for any assignment\n")
    assert named.exit_code == 2
