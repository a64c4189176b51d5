"""One whole cycle: two assignments and twelve students, through our commands on one side and nbgrader's on the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from exchange_world import World, lines_of, make_course
from harness import RIGHT

from autograder.sandbox.levels import best_level

HALF = "def echo(x):\n    return x.clone()\n\ndef twice(x):\n    return 3 * x\n"
# One line such as this, in nbgrader's own execution, empties every later cell.
CHEAT = "get_ipython().input_transformers_cleanup.append(lambda lines: [])\n"
CRASH = RIGHT + "\nimport os\nos._exit(0)\n"

# nbgrader opens a file of each student's and leaves closing it to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*timestamp.txt:ResourceWarning")

EXPECTED = {
    "ada": 3.0,  # a module
    "bob": 3.0,  # the notebook, edited in place
    "cyd": 2.0,  # half of it, by nbgrader's own submit
    "dan": 3.0,  # twice: wrong first
    "eve": 0.0,  # a notebook that cheats nbgrader's own execution
    "fay": 0.0,  # a module that ends its process
    "gil": 3.0,  # a right notebook without its grade cells
    "hal": 2.0,  # grade cells that award themselves points
    "ivy": 3.0,  # a module under another name
    "jon": 0.0,  # a notebook that is none, by nbgrader's own submit
    "kim": 0.0,  # the stub as it was
    "lou": 3.0,  # right, and wrong before that, by nbgrader's own submit and then by ours
}
LATE = {"ada": 3.0, "cyd": 2.0}
"""Who submits the second assignment, two and a half days late, by which 20 % are lost."""


@dataclass
class Cycle:
    """What happened.

    Attributes:
        world: Where.
        printed: What each of our commands printed, by its name and student.
        reports: The reports of `autograde grade`, by student.
    """

    world: World
    printed: dict[str, list[str]]
    reports: dict[str, dict[str, Any]]


def answer(notebook: Path, source: str) -> None:
    """Write a source into a notebook's solution cell."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    (cell,) = (cell for cell in document["cells"] if cell["metadata"]["nbgrader"]["solution"])
    cell["source"] = source
    notebook.write_text(json.dumps(document), encoding="utf-8")


def without_grade_cells(notebook: Path) -> None:
    """Delete what nbgrader would have executed for points."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    document["cells"] = [cell for cell in document["cells"] if not cell["metadata"]["nbgrader"]["grade"]]
    notebook.write_text(json.dumps(document), encoding="utf-8")


def with_generous_grade_cells(notebook: Path) -> None:
    """Let grade cells say what they are worth."""
    document = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        if cell["metadata"]["nbgrader"]["grade"]:
            cell["source"] = "100.0"
            cell["metadata"]["nbgrader"] |= {"points": 100, "locked": False}
    notebook.write_text(json.dumps(document), encoding="utf-8")


def nbgrader(world: World, folder: Path, *arguments: str, student: str | None = None) -> str:
    """Run a plain command of nbgrader's and return what it logged."""
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env=os.environ | world.environment(student),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def plain_options(world: World, student: str) -> tuple[str, ...]:
    """Return what tells plain nbgrader about the course where there is no configuration."""
    return ("--course", "made_up", "--student", student, f"--Exchange.root={world.exchange}")


def edit(world: World) -> None:
    """Let every student do what they do."""

    def home(student: str, name: str = "echo") -> Path:
        return world.home(student) / name

    for student, source in (("ada", RIGHT), ("dan", HALF), ("fay", CRASH), ("lou", HALF)):
        (home(student) / "echo.py").write_text(source)
    (home("ivy") / "final.py").write_text(RIGHT)
    for student, source in (("bob", RIGHT), ("cyd", HALF), ("eve", CHEAT), ("gil", RIGHT), ("hal", HALF)):
        answer(home(student) / "echo.ipynb", source)
    without_grade_cells(home("gil") / "echo.ipynb")
    with_generous_grade_cells(home("hal") / "echo.ipynb")
    (home("jon") / "echo.ipynb").write_text('{"cells": [')
    (home("ada", "again") / "again.py").write_text(RIGHT)
    answer(home("cyd", "again") / "again.ipynb", HALF)


@pytest.fixture(scope="module")
def cycle(tmp_path_factory: pytest.TempPathFactory) -> Cycle:
    """Go through it once: release, fetch, edit, submit, collect, grade, return, read."""
    late = datetime.now(UTC) - timedelta(days=2.5)
    due = {"echo": "2030-01-31 23:59", "again": f"{late:%Y-%m-%d %H:%M}"}
    world = make_course(tmp_path_factory.mktemp("cycle"), level=best_level(), due=due)
    printed: dict[str, list[str]] = {}

    def ours(key: str, *arguments: str, student: str | None = None, within: str = ".") -> list[str]:
        result = world.instructor(*arguments) if student is None else world.student(student, *arguments, within=within)
        lines = lines_of(result, result.exit_code if arguments[0] == "grade" else 0)
        printed[key] = lines
        return lines

    ours("build", "build")
    ours("release echo", "release", "echo")
    ours("release again", "release", "again")
    named = ("--exchange", str(world.exchange), "--course-id", "made_up")
    for student in EXPECTED:
        ours(f"fetch {student}", "fetch", "echo", *named, student=student)
    for student in LATE:
        ours(f"fetch again {student}", "fetch", "again", *named, student=student)
    edit(world)

    def plain(student: str, name: str) -> None:
        nbgrader(world, world.home(student), "submit", name, *plain_options(world, student), student=student)

    with ThreadPoolExecutor(2) as pool:
        wanted = [("cyd", "echo"), ("jon", "echo"), ("lou", "echo"), ("cyd", "again")]
        list(pool.map(lambda item: plain(*item), wanted))
    for student in ("ada", "bob", "dan", "eve", "fay", "gil", "hal", "kim"):
        ours(f"submit {student}", "submit", "echo", "--no-check", student=student, within="echo")
    ours("submit ivy", "submit", "echo", "final.py", "--no-check", student="ivy", within="echo")
    for student in ("dan", "lou"):
        (world.home(student) / "echo/echo.py").write_text(RIGHT)
        ours(f"submit {student} again", "submit", "echo", "--no-check", student=student, within="echo")
    ours("submit again ada", "submit", "again", "--no-check", student="ada", within="again")
    ours("list instructor", "list")
    ours("collect", "collect", "echo")
    nbgrader(world, world.course, "collect", "again")
    ours("grade", "grade", "echo", "--json", "reports.json")
    nbgrader(world, world.course, "autograde", "again")
    ours("release-feedback", "release-feedback", "echo")
    ours("list ada", "list", student="ada", within="echo")
    nbgrader(world, world.course, "generate_feedback", "again")
    nbgrader(world, world.course, "release_feedback", "again")
    for student in EXPECTED:
        ours(f"feedback {student}", "feedback", "echo", student=student, within="echo")
    ours("feedback again ada", "feedback", "again", student="ada", within="again")
    nbgrader(world, world.home("cyd"), "fetch_feedback", "again", *plain_options(world, "cyd"), student="cyd")
    ours("list ada at the end", "list", student="ada", within="echo")
    document = json.loads((world.course / "reports.json").read_text(encoding="utf-8"))
    return Cycle(world, printed, {report["student"]: report for report in document["submissions"]})


def gradebook(cycle: Cycle, name: str) -> dict[str, Any]:
    """Return what the gradebook holds for each student: score, penalty and what nbgrader exports."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{cycle.world.course / 'gradebook.db'}", "made_up") as book:
        return {
            submission.student.id: (submission.score, submission.late_submission_penalty or 0.0)
            for submission in book.assignment_submissions(name)
        }


def pages(folder: Path) -> list[str]:
    """Return the feedback in a student's copy of an assignment, the oldest first."""
    return [path.read_text(encoding="utf-8") for path in sorted((folder / "feedback").glob("*/*.html"))]


def test_every_student_gets_the_score_that_their_answers_earned(cycle: Cycle) -> None:
    scores = {student: score for student, (score, _) in gradebook(cycle, "echo").items()}

    assert scores == EXPECTED
    assert {student: report["score"] for student, report in cycle.reports.items()} == EXPECTED


def test_lateness_costs_what_the_course_says(cycle: Cycle) -> None:
    book = gradebook(cycle, "again")

    assert {student: score for student, (score, _) in book.items()} == LATE
    assert {student: penalty for student, (_, penalty) in book.items()} == pytest.approx({"ada": 0.6, "cyd": 0.4})
    assert cycle.printed["submit again ada"][-1].endswith("that costs 20 % of the score")


def test_what_waits_is_counted_and_collected_once(cycle: Cycle) -> None:
    echo, again = cycle.printed["list instructor"][2:4]

    assert echo.split()[-3:] == ["yes", "12", "0"]
    assert again.split()[-3:] == ["yes", "2", "0"]
    assert cycle.printed["collect"][-1] == "echo: 12 submissions collected, 0 there already"
    assert sorted(os.listdir(cycle.world.course / "submitted")) == sorted(EXPECTED)


@pytest.mark.parametrize("student", ["ada", "bob", "dan", "eve", "fay", "gil", "hal", "ivy", "kim", "lou"])
def test_a_receipt_bears_the_digest_that_was_graded(cycle: Cycle, student: str) -> None:
    last = cycle.printed.get(f"submit {student} again", cycle.printed[f"submit {student}"] if student != "lou" else [])

    assert f"  digest  {cycle.reports[student]['digest']}" in last


@pytest.mark.parametrize("student", sorted(EXPECTED))
def test_every_student_reads_their_feedback(cycle: Cycle, student: str) -> None:
    page = pages(cycle.world.home(student) / "echo")[-1]

    report = cycle.reports[student]
    assert f"{report['score']:g}" in page
    for check in report["checks"]:
        if check["score"] < check["points"]:
            first = check["message"].splitlines()[0].partition("'")[0].partition("<")[0][:40]
            assert first in page, (student, check["name"])


def test_feedback_comes_by_nbgraders_own_command_as_well(cycle: Cycle) -> None:
    ours, theirs = pages(cycle.world.home("ada") / "again"), pages(cycle.world.home("cyd") / "again")

    assert len(ours) == len(theirs) == 1
    assert "(Score: 1.6 / 3.0)" in theirs[0]  # 2 points, of which the late penalty is a fifth
    assert "Score: 2.4 / 3.0)" in ours[0]


def test_feedback_shows_nobody_anothers_work(cycle: Cycle) -> None:
    returned = list((cycle.world.exchange / "made_up/feedback").iterdir())

    assert len(returned) == len(EXPECTED) + len(LATE)
    assert all(not path.name.startswith((".", "ada", "echo")) for path in returned)


def test_the_list_follows_a_submission_to_its_return(cycle: Cycle) -> None:
    released, read = (cycle.printed[key][2].split() for key in ("list ada", "list ada at the end"))

    digest = cycle.reports["ada"]["digest"].removeprefix("sha256:")[:12]
    assert released[-2:] == [digest, "ready"]
    assert read[-2:] == [digest, "fetched"]


def test_nothing_is_left_half_copied(cycle: Cycle) -> None:
    for folder in (cycle.world.exchange, cycle.world.course / "submitted", cycle.world.home("ada")):
        hidden = [path for path in folder.rglob(".*") if path.name != ".autograde"]
        assert hidden == []


def test_the_cheats_leave_the_gradebooks_maximum_alone(cycle: Cycle) -> None:
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{cycle.world.course / 'gradebook.db'}", "made_up") as book:
        highest: Sequence[float] = [submission.max_score for submission in book.assignment_submissions("echo")]

    assert set(highest) == {3.0}
