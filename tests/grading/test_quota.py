"""`course.yml` may limit how many of a student's submissions are graded officially on one day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from harness import RIGHT, Lab

from autograder.cli.main import main
from autograder.course.loading import Course, load_course
from autograder.errors import SubmissionError
from autograder.grading.quota import admit
from autograder.grading.report_store import Store, store_url
from autograder.submission.reading import Submission

WORK = Submission("ada", "echo", "", "sha256:1", "echo.py")
NOON = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def course(lab: Lab) -> Course:
    lab.make()
    limited(lab, 2)
    return load_course(lab.root / "course.yml")


@pytest.fixture
def store(course: Course) -> Store:
    return Store(store_url(course))


def limited(lab: Lab, most: int) -> None:
    text = (lab.root / "course.yml").read_text()
    lab.write("course.yml", f"gradings_per_day: {most}\n{text}")


def graded(course: Course, store: Store, *digests: str, student: str = "ada", now: datetime = NOON) -> None:
    for digest in digests:
        admit(course, store, replace(WORK, digest=digest, student=student), now=now)


def test_one_more_than_allowed_is_refused_in_words(course: Course, store: Store) -> None:
    graded(course, store, "a", "b")

    with pytest.raises(SubmissionError) as caught:
        graded(course, store, "c")

    assert str(caught.value) == (
        "ada: 2 submissions of echo were graded on 2030-01-31 already; "
        "course.yml allows 2 a day; grade it tomorrow (UTC)"
    )


def test_what_was_graded_before_may_be_graded_again(course: Course, store: Store) -> None:
    graded(course, store, "a", "b")

    graded(course, store, "a", "b", "a")


def test_what_was_refused_is_graded_on_the_next_day(course: Course, store: Store) -> None:
    graded(course, store, "a", "b")
    with pytest.raises(SubmissionError):
        graded(course, store, "c")

    graded(course, store, "c", now=NOON.replace(month=2, day=1))


def test_other_students_have_their_own_count(course: Course, store: Store) -> None:
    graded(course, store, "a", "b")

    graded(course, store, "a", "b", student="bob")


def test_the_day_ends_at_midnight_in_the_course(lab: Lab) -> None:
    lab.make()
    text = (lab.root / "course.yml").read_text()
    lab.write("course.yml", f"gradings_per_day: 1\ntimezone: Asia/Tokyo\n{text}")
    course = load_course(lab.root / "course.yml")
    store = Store(store_url(course))
    graded(course, store, "a", now=NOON)

    graded(course, store, "b", now=NOON.replace(hour=15))


def test_an_assignment_has_a_limit_of_its_own(lab: Lab) -> None:
    lab.make()
    text = (lab.root / "course.yml").read_text()
    lab.write(
        "course.yml", f"gradings_per_day: 5\n{text}".replace("- name: echo", "- name: echo\n    gradings_per_day: 1")
    )
    course = load_course(lab.root / "course.yml")
    store = Store(store_url(course))
    graded(course, store, "a")

    with pytest.raises(SubmissionError, match="allows 1 a day"):
        graded(course, store, "b")


def test_without_a_store_nobody_is_refused(course: Course, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    graded(course, Store(f"sqlite:///{tmp_path}"), "a", "b", "c")

    assert "today's gradings cannot be counted" in caplog.text


def test_a_limit_measures_nothing_anew(lab: Lab) -> None:
    before = lab.make().assignment_digest("echo")

    limited(lab, 3)

    assert load_course(lab.root / "course.yml").assignment_digest("echo") == before


def grade(lab: Lab, monkeypatch: pytest.MonkeyPatch, *paths: str) -> Result:
    monkeypatch.chdir(lab.root)
    return CliRunner().invoke(main, ["grade", "echo", *paths, "--sandbox", lab.sandbox.level])


def test_the_command_grades_the_others_and_says_who_has_to_wait(
    lab: Lab, course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        lab.write(f"class{number}/ada.py", f"{RIGHT}# {number}\n")
    lab.write("class2/bob.py", RIGHT)

    first, second, third = (grade(lab, monkeypatch, f"class{number}/") for number in range(3))

    assert (first.exit_code, second.exit_code, third.exit_code) == (0, 0, 2)
    assert "ada: 2 submissions of echo were graded on" in third.stderr
    assert "bob" in third.stdout and "ada" not in third.stdout
