"""The steps of both workflows, read from their files, do what the workflows say when bash runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from harness import RIGHT
from instructor_repository import autograde, make_instructors_course

from autograder.sandbox.levels import best_level

ROOT = Path(__file__).parents[2]
GRADE = ROOT / "docs/examples/grade.yml"
CHECK = ROOT / "autograder/authoring/export/templates/students/check.yml"
LEFT_OUT = {
    "install": "asks the network; the environment of these tests stands in for it",
    "prepare": "changes the machine: packages, and a setting of its kernel",
}
COMMIT = ("-c", "user.name=ada", "-c", "user.email=ada@localhost", "commit", "--quiet", "--message", "work")


def steps_of(path: Path) -> dict[str, dict[str, Any]]:
    """Return the steps of a workflow that run a script, by id, each with the environment of its job."""
    (job,) = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    return {
        step["id"]: {**step, "env": {**job.get("env", {}), **step.get("env", {})}}
        for step in job["steps"]
        if "run" in step
    }


def run(step: Mapping[str, Any], folder: Path, values: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does: in a file, by bash, which ends at the first command that fails.

    Args:
        step: The step.
        folder: Where the repository is checked out.
        values: What GitHub's expressions stand for, and other variables of its runner.
    """
    tools = folder.parent / "tools"
    script = tools / "step.sh"
    script.write_text(step["run"], encoding="utf-8")
    named = {name: values.get(value, value) for name, value in step["env"].items()}
    assert not any("${{" in value for value in named.values()), named
    variables = {name: value for name, value in values.items() if not name.startswith("${{")}
    path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
    git = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
        cwd=folder,
        env={"HOME": str(tools), "LANG": "C.UTF-8", **git, **variables, **named, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *arguments: str | Path) -> None:
    """Run git with no settings of this machine."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True, capture_output=True)


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A folder of programs, with a `sudo` that only runs what it is given."""
    folder = tmp_path / "tools"
    folder.mkdir()
    (folder / "sudo").write_text('#!/bin/sh\nwhile case "$1" in --*) ;; *) false ;; esac; do shift; done\nexec "$@"\n')
    (folder / "sudo").chmod(0o755)
    return folder


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [GRADE, CHECK], ids=["grade", "check"])
def test_no_expression_stands_in_a_script_and_no_right_beyond_reading_is_given(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()

    # What stands in a script is put there before bash reads it: a name could then be a command.
    assert [step["id"] for step in job["steps"] if "${{" in step.get("run", "")] == []
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    checkouts = [step for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout@")]
    assert [step["with"] for step in checkouts] == [{"persist-credentials": False}]


def test_each_step_is_run_here_or_left_out_with_a_reason() -> None:
    assert set(steps_of(CHECK)) - set(LEFT_OUT) == {"check"}
    assert set(steps_of(GRADE)) - set(LEFT_OUT) == {"fetch", "grade"}


def test_only_the_instructors_workflow_knows_a_secret() -> None:
    assert "secrets." not in CHECK.read_text(encoding="utf-8")
    assert "secrets.AUTOGRADE_SECRET" in GRADE.read_text(encoding="utf-8")


# -- the students' -----------------------------------------------------------------------------------------------------


@pytest.fixture
def students(tools: Path, tmp_path: Path) -> Path:
    """A students' repository as it is exported."""
    course = make_instructors_course(tmp_path / "course", level=best_level())
    folder = tmp_path / "students"
    assert autograde(course.root, "export-students", folder).exit_code == 0
    return folder


def check(students: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run the step that checks; return how it went, and what it wrote for the page of the run."""
    summary = students.parent / "summary.md"
    summary.touch()
    values = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(students), "GITHUB_STEP_SUMMARY": str(summary)}
    step = steps_of(students / ".github/workflows/check.yml")["check"]
    done = run(step, students, values)
    return done, summary.read_text(encoding="utf-8")


def test_a_repository_of_stubs_has_nothing_to_check(students: Path) -> None:
    done, summary = check(students)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == summary == "Every assignment is still its stub: nothing to check.\n"


def test_what_was_begun_is_checked_and_one_that_fails_fails_the_run(students: Path) -> None:
    (students / "assignments/echo/echo.py").write_text(RIGHT)
    (students / "assignments/other/other.py").write_bytes(b"\xff\xfe")

    done, summary = check(students)

    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "Under the pass mark, or not to be checked: other"
    assert "3 of 3 points" in done.stdout
    assert "echo" in summary
    assert "zero" not in summary  # the hidden check


def test_a_list_that_cannot_be_had_fails_the_run(students: Path) -> None:
    (students / "course.yml").write_text("title: A\n")

    done, _ = check(students)

    assert done.returncode == 2
    assert done.stderr.startswith("autograde: course.yml:1: the course has no 'assignments'")


# -- the instructor's --------------------------------------------------------------------------------------------------


@pytest.fixture
def pushed(tools: Path, tmp_path: Path) -> Path:
    """A folder of students' repositories as GitHub keeps them, of one who works and two who lay links."""
    root = tmp_path / "github"
    reference = tmp_path / "course/solutions/echo"
    for student in ("ada", "eve", "mal", "new"):
        (root / student / "assignments/echo").mkdir(parents=True)
        git(root / student, "init", "--quiet", "--initial-branch", "main")
    (root / "ada/assignments/echo/echo.py").write_text(RIGHT)
    (root / "eve/assignments/echo").rmdir()
    (root / "eve/assignments/echo").symlink_to(reference)
    (root / "mal/assignments/echo/echo.py").symlink_to(reference / "echo.py")
    for student in ("ada", "eve", "mal"):
        git(root / student, "add", "--all")
        git(root / student, *COMMIT)
    return root


def test_what_was_pushed_is_fetched_and_graded_and_no_link_leads_to_the_reference(
    pushed: Path, tools: Path, tmp_path: Path
) -> None:
    course = make_instructors_course(tmp_path / "course", level=best_level())
    roster = [f"{name} file://{pushed / name}" for name in ("ada", "eve", "mal", "new", "zoe")]
    (course.root / "students.txt").write_text("# name and address\n\n" + "\n".join(roster))
    shutil.rmtree(course.secret_file.parent)  # the secret comes from the environment
    values = {
        "${{ inputs.assignment }}": "echo",
        "${{ secrets.STUDENTS_TOKEN }}": "",
        "${{ secrets.AUTOGRADE_SECRET }}": "sixteen characters",
    }
    steps = steps_of(GRADE)

    fetched = run(steps["fetch"], course.root, values)
    link = course.root / "submissions/mal/echo.py"
    what_mal_handed_in = link.read_text()
    shutil.rmtree(link.parent)  # one submission is enough to see that grading works
    graded = run(steps["grade"], course.root, values)

    assert fetched.returncode == 0, fetched.stderr
    assert fetched.stdout == "::warning::zoe: cannot be fetched, and has no submission\n"
    commits = (course.root / "results/commits.txt").read_text().splitlines()
    assert [line.split()[0] for line in commits] == ["ada", "eve", "mal", "new"]
    assert commits[-1] == "new nothing was pushed"
    assert [path.name for path in (course.root / "submissions").iterdir()] == ["ada"]
    assert what_mal_handed_in == str(course.root / "solutions/echo/echo.py")  # where the link leads, and no more
    assert graded.returncode == 0, graded.stderr
    document = json.loads((course.root / "results/echo.json").read_text())
    scores = {one["student"]: (one["score"], one["max_score"]) for one in document["submissions"]}
    assert scores == {"ada": (5.0, 5.0)}
    assert not course.secret_file.exists()


def test_a_token_goes_to_github_alone_and_into_no_file(tools: Path, tmp_path: Path) -> None:
    course = make_instructors_course(tmp_path / "course")
    told = tools / "told"
    (tools / "git").write_text(f'#!/bin/sh\nenv | grep ^GIT_CONFIG_ > "{told}"\n')
    (tools / "git").chmod(0o755)
    (course.root / "students.txt").write_text("ada https://github.com/course/ada")

    values = {"${{ inputs.assignment }}": "echo", "${{ secrets.STUDENTS_TOKEN }}": "swordfish"}

    done = run(steps_of(GRADE)["fetch"], course.root, values)

    assert done.returncode == 0, done.stderr
    assert "GIT_CONFIG_KEY_0=http.https://github.com/.extraheader" in told.read_text().splitlines()
    assert "swordfish" not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["../assignments", ".git", "a/b"])
def test_a_name_that_is_no_folder_of_its_own_stops_the_fetching(tools: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "course"
    folder.mkdir()
    (folder / "students.txt").write_text(f"{name} file:///nowhere\n")

    done = run(
        steps_of(GRADE)["fetch"], folder, {"${{ inputs.assignment }}": "echo", "${{ secrets.STUDENTS_TOKEN }}": ""}
    )

    assert (done.returncode, done.stdout) == (1, f"::error::students.txt: {name} is no name of a folder\n")
