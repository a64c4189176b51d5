"""nbgrader judged by our engine: exact scores, nothing for an attack, and what graders entered stays."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from exchange_world import lines_of, make_course
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins import CsvExportPlugin
from sqlalchemy.exc import SAWarning

from autograder.cli.main import main
from autograder.course.lateness import penalty
from autograder.course.loading import load_course
from autograder.grading.child import GradingProcess
from autograder.grading.job import LEVEL_VARIABLE, Job
from autograder.grading.report_store import Reuse
from autograder.nbgrader.config import config_of
from autograder.nbgrader.gradebook.writing import Standing, read_class, standings, write_grades
from autograder.report.model import CheckResult, Report
from autograder.sandbox.levels import best_level

ATTACKS = Path(__file__).parents[1] / "attacks"
CHECKS = '''
"""Checks for echo."""

import torch

from autograder import Credit, Student, assert_close, points


@points(2)
def check_echo(student: Student, rng: torch.Generator) -> None:
    """Echo returns what it got."""
    x = torch.randn(4, generator=rng)
    assert_close(student.echo(x), x)


@points(3.3)
def check_share(student: Student, credit: Credit) -> None:
    """Share is small."""
    credit(float(student.share(torch.ones(()))), full_at=1.0, zero_at=8.0, text="share could be smaller")
'''
HIDDEN = '''
"""A hidden check."""

import os
from pathlib import Path

import torch

from autograder import Student, points


@points(1, hint="doubling is adding")
def check_twice(student: Student) -> None:
    """Twice returns double of what it got."""
    if Path(os.environ.get("ECHO_BROKEN", "none")).exists():
        raise RuntimeError("the checker's own fault")
    assert float(student.twice(torch.full((), 21.0))) == 42.0, "it saw 21 and expected 42"
'''
STUB = '''
"""Give back what you get."""

import torch

# %%
def echo(x: torch.Tensor) -> torch.Tensor:
    """Return x."""
    raise NotImplementedError("echo")


# %%
def twice(x: torch.Tensor) -> torch.Tensor:
    """Return 2 x."""
    raise NotImplementedError("twice")


# %%
def share(x: torch.Tensor) -> torch.Tensor:
    """Return as little as you can."""
    raise NotImplementedError("share")
'''
RIGHT = """
import torch

def echo(x):
    return x.clone()

def twice(x):
    return 2 * x

def share(x):
    return 2.7 * x
"""
HALF = RIGHT.replace("2 * x", "print('<b>loud</b>') or 3 * x")
LATE = "2030-02-03 06:00:00.000000 UTC"  # 2 days, 6 hours and a minute: two days count beyond the one of grace
DUE = "2030-01-31 23:59"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with one assignment, released, and with the submissions of ada (right) and bob (half right) graded."""
    world = make_course(tmp_path_factory.mktemp("judge"), level=best_level(), due={"echo": DUE})
    folder = world.course / "assignments" / "echo"
    (folder / "echo.py").write_text(STUB.lstrip())
    (folder / "check_echo.py").write_text(CHECKS.lstrip())
    (world.course / "solutions" / "echo").mkdir()
    (world.course / "solutions" / "echo" / "check_echo_hidden.py").write_text(HIDDEN.lstrip())
    lines_of(world.instructor("build"))
    lines_of(world.instructor("release", "echo"))
    hand_in(world.course, "ada", notebook_of(world.course, RIGHT), when=LATE)
    hand_in(world.course, "bob", notebook_of(world.course, HALF))
    grade(world.course)
    return world.course


@pytest.fixture
def course(template: Path, tmp_path: Path) -> Path:
    """A copy of the course that a test may change."""
    root = tmp_path / "course"
    shutil.copytree(template, root)
    return root


def notebook_of(root: Path, source: str) -> dict[str, Any]:
    """Return the released notebook with a student's code in its first solution cell and none in the others."""
    notebook: dict[str, Any] = json.loads((root / "release" / "echo" / "echo.ipynb").read_text())
    own = [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]
    for cell in own:
        cell["source"] = ""
    own[0]["source"] = source
    return notebook


def hand_in(root: Path, student: str, content: dict[str, Any] | str | bytes, *, when: str = "") -> Path:
    """Put a notebook, or what stands in its place, where nbgrader collects to."""
    folder = root / "submitted" / student / "echo"
    folder.mkdir(parents=True)
    data = json.dumps(content) if isinstance(content, dict) else content
    (folder / "echo.ipynb").write_bytes(data.encode() if isinstance(data, str) else data)
    if when:
        (folder / "timestamp.txt").write_text(when)
    return folder


def grade(root: Path, *options: str, exit_code: int = 0) -> list[str]:
    """Grade with our command, and return what it said on standard error, but for the next step."""
    done = CliRunner().invoke(main, ["--course", str(root), "grade", "echo", *options], catch_exceptions=False)
    assert done.exit_code == exit_code, done.output
    return [line for line in done.stderr.splitlines() if not line.startswith("next: ")]


def nbgrader(root: Path, *arguments: str, fails: bool = False, **variables: str) -> str:
    """Run a command of nbgrader's, and return what it said."""
    own = {"JUPYTER_CONFIG_DIR": str(root / "config"), "JUPYTER_DATA_DIR": str(root / "data"), **variables}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=root,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr


@contextmanager
def gradebook(root: Path) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "made_up") as book:
            yield book


def grades(root: Path, student: str) -> dict[str, Any]:
    """Return a student's grades by check, as the gradebook has them."""
    with gradebook(root) as book:
        found = book.find_submission_notebook("echo", "echo", student).grades
        return {each.name: (each.auto_score, each.needs_manual_grade) for each in found}


def cells(root: Path, student: str) -> dict[str, Any]:
    """Return the cells of a graded notebook by their name in nbgrader."""
    notebook = json.loads((root / "autograded" / student / "echo" / "echo.ipynb").read_text())
    named = [cell for cell in notebook["cells"] if "nbgrader" in cell["metadata"]]
    return {cell["metadata"]["nbgrader"]["grade_id"]: cell for cell in named}


def said(cell: dict[str, Any]) -> str:
    """Return what a student reads in a cell: its plain texts, the score at the end."""
    return "\n".join("".join(output["data"]["text/plain"]) for output in cell["outputs"])


FULL = {"echo": (2.0, False), "share": (1.8, False), "twice": (1.0, False)}
NOTHING = {"echo": (0.0, False), "share": (0.0, False), "twice": (0.0, False)}


def attack(name: str, root: Path) -> str:
    return (ATTACKS / f"{name}.py").read_text().replace("@GRADEBOOK@", str(root / "gradebook.db"))


def decide(root: Path, *checks: CheckResult, level: str = "process") -> Any:
    """Write a made-up report for everybody who submitted, as if these checks had ended so."""
    home = load_course(root / "course.yml")
    job = Job(home.path, "echo", level)
    graded = [
        (each, Report(each.student, "echo", each.digest, None, "cpu", level, "", 0.0, (), checks, notes=each.notes))
        for each in read_class(home, "echo")[0]
    ]
    return write_grades(home, job, graded)


def result(name: str, points: float, score: float, verdict: Any = "passed", **fields: Any) -> CheckResult:
    return CheckResult(name, f"{name} works", points, score, verdict, **fields)


ALL = (result("echo", 2.0, 2.0), result("share", 3.3, 1.8), result("twice", 1.0, 1.0, hidden=True))


def test_both_commands_write_the_same_grades_and_no_attack_earns_any(course: Path) -> None:
    attacks = ("empties_later_cells", "removes_asserts", "writes_the_gradebook")
    for name in attacks:
        hand_in(course, name, notebook_of(course, attack(name, course)))
    hand_in(course, "unreadable", b"\xff{")

    grade(course, exit_code=1)
    ours = {student: grades(course, student) for student in ("ada", "bob", *attacks, "unreadable")}
    for file in (course / ".autograde").glob("reports.db*"):
        file.unlink()
    stderr = nbgrader(course, "autograde", "echo", "--force")
    theirs = {student: grades(course, student) for student in ours}

    assert ours == theirs
    assert ours["ada"] == FULL
    assert ours["bob"] == FULL | {"twice": (0.0, False)}
    assert [ours[name] for name in attacks] == [NOTHING] * 3
    assert ours["unreadable"] == NOTHING
    assert "echo.ipynb cannot be read as a notebook; the released one takes its place" in stderr


def test_a_late_penalty_is_the_policys_in_the_gradebook_and_in_nbgraders_export(course: Path) -> None:
    home = load_course(course / "course.yml")
    with gradebook(course) as book:
        plugin = CsvExportPlugin()
        plugin.to = str(course / "grades.csv")
        plugin.export(book)
    with (course / "grades.csv").open(newline="") as file:
        exported = {row["student_id"]: row for row in csv.DictReader(file)}

    taken = penalty(home.assignment("echo").late, 4.8, 2 * 86_400 + 6 * 3_600 + 60)

    assert taken == pytest.approx(0.96)
    assert standings(home, "echo") == {"ada": Standing(4.8, taken), "bob": Standing(3.8, 0.0)}
    assert float(exported["ada"]["late_submission_penalty"]) == taken
    assert float(exported["ada"]["score"]) == standings(home, "echo")["ada"].final


def test_a_second_run_writes_nothing_and_a_new_submission_only_itself(course: Path) -> None:
    again = grade(course)
    (course / "submitted" / "bob" / "echo" / "echo.ipynb").write_text(json.dumps(notebook_of(course, RIGHT)))
    changed = grade(course)

    assert again[-1] == "echo: 0 written to the gradebook, 2 there already"
    assert changed[-1] == "echo: 1 written to the gradebook, 1 there already"
    assert grades(course, "bob") == FULL


def test_how_much_students_read_is_changed_without_grading_anew(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECHO_BROKEN", str(course))
    with (course / "course.yml").open("a") as file:
        file.write("hidden_feedback: none\n")

    again = grade(course)

    assert again[-1] == "echo: 2 written to the gradebook, 0 there already"
    assert grades(course, "bob") == FULL | {"twice": (0.0, False)}
    assert said(cells(course, "bob")["twice"]) == "0.0"


def test_both_commands_keep_the_old_grade_of_who_may_not_be_graded_today(course: Path) -> None:
    with (course / "course.yml").open("a") as file:
        file.write("gradings_per_day: 1\n")
    grade(course)
    (course / "submitted" / "bob" / "echo" / "echo.ipynb").write_text(json.dumps(notebook_of(course, RIGHT)))

    ours = grade(course, exit_code=2)
    theirs = nbgrader(course, "autograde", "echo", "--force", fails=True)

    words = "bob: 1 submissions of echo were graded on"
    assert words in ours[-1] and words in theirs
    assert grades(course, "bob") == FULL | {"twice": (0.0, False)}
    assert grades(course, "ada") == FULL


def test_a_fault_of_ours_keeps_the_old_grade_and_gives_no_new_one(course: Path) -> None:
    hand_in(course, "new", notebook_of(course, RIGHT))
    fault = result("twice", 1.0, 0.0, "grader_error", hidden=True, message="secret 42")

    written = decide(course, *ALL[:2], fault)

    assert written.written == ("ada", "bob", "new")
    assert grades(course, "ada") == FULL
    assert grades(course, "new") == FULL | {"twice": (None, True)}
    assert said(cells(course, "ada")["twice"]).endswith("\n1.0")
    assert "secret" not in (course / "autograded" / "new" / "echo" / "echo.ipynb").read_text()


def test_grade_says_that_a_check_failed_by_our_fault_and_grades_it_again(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (course / "broken").touch()
    monkeypatch.setenv("ECHO_BROKEN", str(course / "broken"))

    said = grade(course, "--no-resume", exit_code=2)
    (course / "broken").unlink()
    again = grade(course)

    assert said[-2:] == [
        f"autograde: {student}: a check ended in an internal grader error; its old score stays; grade again"
        for student in ("ada", "bob")
    ]
    assert again[-1] == "echo: 2 written to the gradebook, 0 there already"
    assert grades(course, "ada") == FULL


def test_what_a_human_grader_entered_survives_a_regrade(course: Path) -> None:
    with gradebook(course) as book:
        found = book.find_grade("share", "echo", "echo", "ada")
        found.manual_score, found.extra_credit = 3.0, 0.5
        book.find_comment("echo-cell-1", "echo", "echo", "ada").manual_comment = "well done"
        book.db.commit()

    decide(course, result("echo", 2.0, 0.0, "failed"), *ALL[1:])

    with gradebook(course) as book:
        kept = book.find_grade("share", "echo", "echo", "ada")
        assert (kept.auto_score, kept.manual_score, kept.extra_credit) == (1.8, 3.0, 0.5)
        assert kept.needs_manual_grade
        assert book.find_comment("echo-cell-1", "echo", "echo", "ada").comment == "well done"
        assert book.find_submission("echo", "ada").score == 0.0 + 3.0 + 0.5 + 1.0


@pytest.mark.parametrize(
    ("level", "words"),
    [
        ("none", "0.0"),
        (
            "verdict",
            "twice: failed, 0 of 1 point\ntwice works\na hidden check found something wrong\n0.0",
        ),
        (
            "hint",
            "twice: failed, 0 of 1 point\ntwice works\na hidden check found something wrong: doubling is adding\n0.0",
        ),
    ],
)
def test_a_hidden_check_shows_as_much_as_the_course_allows(course: Path, level: str, words: str) -> None:
    with (course / "course.yml").open("a") as file:
        file.write(f"hidden_feedback: {level}\n")
    saw = {"message": "it saw 21", "output": "leaked", "hint": "doubling is adding", "hidden": True}

    decide(course, *ALL[:2], result("twice", 1.0, 0.0, "failed", **saw))

    assert said(cells(course, "ada")["twice"]) == words
    whole = (course / "autograded" / "ada" / "echo" / "echo.ipynb").read_text()
    assert "it saw" not in whole and "leaked" not in whole


def test_what_a_student_reads_is_escaped(course: Path) -> None:
    loud = result("echo", 2.0, 0.0, "failed", message="<script>1</script>", output="\x1b[31m<b>red</b>")

    decide(course, loud, *ALL[1:])

    cell = cells(course, "ada")["echo"]
    html = "".join(cell["outputs"][0]["data"]["text/html"])
    assert "&lt;script&gt;1&lt;/script&gt;" in html and "<b>" not in html and "\x1b" not in html
    assert [output["output_type"] for output in cell["outputs"]] == ["display_data", "execute_result"]


def _without_checks(notebook: dict[str, Any]) -> None:
    notebook["cells"] = [cell for cell in notebook["cells"] if "check(" not in "".join(cell["source"])]


def _empty(notebook: dict[str, Any]) -> None:
    notebook["cells"] = []


def _twice(notebook: dict[str, Any]) -> None:
    notebook["cells"] += notebook["cells"]


def _altered(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        own = cell["metadata"]["nbgrader"]
        if own["grade"]:
            cell["source"] = "99.0"
            cell["cell_type"] = "raw"
            own |= {"points": 99, "locked": False, "solution": True}


def _odd_metadata(notebook: dict[str, Any]) -> None:
    odd: list[Any] = [7, [], {}, {"grade": 1}, {"grade_id": ["x"], "grade": True}, {"schema_version": "9"}, None]
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"]["nbgrader"] = odd[number % len(odd)]
        cell["id"] = odd[number % len(odd)]
    notebook["metadata"] = {"kernelspec": 5}


def _future_schema(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["nbgrader"]["schema_version"] = 99
        cell["metadata"]["nbgrader"]["unknown"] = [1]


def _outputs(notebook: dict[str, Any]) -> None:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stderr", "text": "x" * 2_000_000}, {"odd": 1}]
            cell["execution_count"] = "many"


def _unknown_cell(notebook: dict[str, Any]) -> None:
    own = {"grade": True, "grade_id": "gift", "locked": True, "points": 50, "schema_version": 3, "solution": False}
    gift = {"cell_type": "code", "metadata": {"nbgrader": own}, "source": "50.0", "outputs": [], "id": "echo \ud800"}
    notebook["cells"].insert(0, gift)


def _format_3(notebook: dict[str, Any]) -> None:
    cells = [{"cell_type": "code", "input": "x = 1", "outputs": [], "metadata": {}, "language": "python"}]
    notebook.clear()
    notebook.update({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]})


def _no_cells(notebook: dict[str, Any]) -> None:
    notebook["cells"] = {"a": 1}


DAMAGES: tuple[Callable[[dict[str, Any]], None], ...] = (
    *(_without_checks, _empty, _twice, _altered, _odd_metadata, _future_schema, _outputs, _unknown_cell, _format_3),
    _no_cells,
)


def test_no_damage_to_a_notebook_stops_nbgrader_or_changes_what_is_judged(course: Path) -> None:
    names = [damage.__name__.strip("_") for damage in DAMAGES]
    for name, damage in zip(names, DAMAGES, strict=True):
        notebook = notebook_of(course, RIGHT)
        damage(notebook)
        hand_in(course, name, notebook)

    written = decide(course, *ALL)

    assert written.warnings == ()
    pristine = json.loads((course / "release" / "echo" / "echo.ipynb").read_text())["cells"]
    locked = {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        for cell in pristine
        if cell["metadata"]["nbgrader"]["locked"]
    }
    for name in names:
        assert grades(course, name) == FULL, name
        found = cells(course, name)
        assert {key: "".join(found[key]["source"]) for key in locked} == locked, name
        assert [key for key in found if key in locked] == list(locked), name
        assert "gift" not in found


def test_a_check_without_a_result_has_no_score_and_waits_for_a_human(course: Path) -> None:
    decide(course, *ALL[:2])

    assert grades(course, "ada") == FULL | {"twice": (None, True)}


def test_a_module_without_a_notebook_is_graded_and_an_empty_folder_is_not(course: Path) -> None:
    alone = course / "submitted" / "module" / "echo"
    alone.mkdir(parents=True)
    (alone / "echo.py").write_text(RIGHT)
    (course / "submitted" / "empty" / "echo").mkdir(parents=True)
    other = course / "submitted" / "other" / "echo"
    other.mkdir(parents=True)
    (other / "notes.txt").write_text("I forgot")

    said = grade(course, exit_code=1)

    warned = [line for line in said if line.startswith("warning: ")]
    assert warned == [
        "warning: empty: submitted an empty folder; no grade is written",
        f"warning: module: submitted no notebook; the released one is beside it in {alone}",
        "warning: other: submitted neither echo.py nor echo.ipynb",
        "warning: other: no grade is written; nbgrader could not convert the notebook",
    ]
    assert grades(course, "module") == FULL
    assert (course / "autograded" / "module" / "echo" / "echo.py").read_text() == RIGHT


def test_a_machine_that_cannot_isolate_refuses_once_in_one_line(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(course, "new", notebook_of(course, RIGHT))
    monkeypatch.setenv(LEVEL_VARIABLE, "nowhere")
    config = config_of(load_course(course / "course.yml"))
    directory = CourseDirectory(config=config)
    directory.assignment_id = "echo"

    with pytest.raises(NbGraderException, match=r"^sandbox: level nowhere is not available here: "):
        Autograde(coursedir=directory, config=config).start()

    (line,) = grade(course, exit_code=2)
    assert line.startswith("autograde: sandbox: level nowhere is not available here: ")
    assert grades(course, "ada") == FULL
    assert not (course / "autograded" / "new").exists()


def test_an_assignment_that_was_never_released_is_refused_before_anything_is_graded(course: Path) -> None:
    (course / "gradebook.db").unlink()

    (line,) = grade(course, exit_code=2)

    assert line == (
        "autograde: echo: not in the gradebook; expected what releasing writes there; run `autograde release echo`"
    )


def test_the_grading_process_is_started_again_when_it_died_and_ends_when_it_is_idle(
    course: Path, tmp_path: Path
) -> None:
    home = load_course(course / "course.yml")
    job = Job(home.path, "echo", best_level())
    (ada, bob), _ = read_class(home, "echo")
    process = GradingProcess(idle_s=0.5)
    reuse = Reuse(f"sqlite:///{tmp_path}/own.db", resume=False)

    first = process.grade(job, reuse, ada)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    second = process.grade(job, reuse, bob)
    deadline = time.monotonic() + 60
    while process.pid is not None and time.monotonic() < deadline:
        time.sleep(0.05)

    assert (first.student, first.score, second.student, second.score) == ("ada", 4.8, "bob", 3.8)
    assert process.pid is None
