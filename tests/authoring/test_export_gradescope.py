"""The archive for Gradescope grades a submission by its own script, and whatever happens leaves results."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import RIGHT
from instructor_repository import autograde, files_in, make_instructors_course, refusal

from autograder.authoring.export.gradescope_bundle import gradescope_bundle
from autograder.course.loading import Course
from autograder.sandbox.levels import best_level, missing

FAULT = (
    "The grader failed, which says nothing about your code. It was not graded. Your instructor finds the reason in "
    "the output of the autograder, and can run it again."
)
UNCLEAR = "Nothing was graded, because it is not clear what to grade. Submit echo.py or echo.ipynb."


def nothing(words: str) -> dict[str, object]:
    """Return the results of a submission that was not graded."""
    return {"score": 0, "output": words, "output_format": "text", "stdout_visibility": "hidden"}


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return make_instructors_course(tmp_path_factory.mktemp("gradescope") / "course", level=best_level())


@pytest.fixture(scope="module")
def bundle(course: Course) -> bytes:
    return gradescope_bundle(course, course.assignment("echo"))


@dataclass(frozen=True)
class Container:
    """Gradescope's folder `/autograder`, elsewhere."""

    root: Path

    def hand_in(self, name: str, text: str) -> None:
        place = self.root / "submission" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run the script as Gradescope does, with the interpreter of these tests in place of the installed one."""
        path = os.pathsep.join((str(Path(sys.executable).parent), "/usr/bin", "/bin"))
        environment = {"PATH": path, "HOME": str(self.root), "AUTOGRADER_ROOT": str(self.root), "COLUMNS": "200"}
        return subprocess.run(
            [self.root / "run_autograder"], cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )

    def results(self) -> dict[str, object]:
        """Run the script and return the results that it left."""
        done = self.run()
        assert done.returncode == 0, done.stderr
        results: dict[str, object] = json.loads((self.root / "results/results.json").read_text())
        return results


@pytest.fixture
def container(bundle: bytes, tmp_path: Path) -> Container:
    """A container as Gradescope lays it out, after `setup.sh`."""
    root = tmp_path / "autograder"
    for folder in ("source", "submission", "results"):
        (root / folder).mkdir(parents=True)
    with zipfile.ZipFile(io.BytesIO(bundle)) as packed:
        for entry in packed.infolist():
            (root / "source" / packed.extract(entry, root / "source")).chmod(entry.external_attr >> 16 & 0o777)
    shutil.copy(root / "source/run_autograder", root)
    (root / "submission_metadata.json").write_text("{}")
    return Container(root)


# -- what is in it -----------------------------------------------------------------------------------------------------


def test_it_holds_the_scripts_the_engine_the_secret_and_the_one_assignment_with_its_hidden_checks(
    bundle: bytes, course: Course
) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle)) as packed:
        names = packed.namelist()
        settings = packed.read("course/course.yml").decode()
        secret = packed.read("secret")

    assert [name for name in names if not name.startswith("dist/")] == [
        "constraints.txt",
        "course/assignments/echo/README.md",
        "course/assignments/echo/check_echo.py",
        "course/assignments/echo/echo.ipynb",
        "course/assignments/echo/echo.py",
        "course/course.yml",
        "course/solutions/echo/check_echo_hidden.py",
        "course/solutions/echo/echo.py",
        "run_autograder",
        "secret",
        "setup.sh",
    ]
    assert secret == course.secret_file.read_bytes().strip()
    assert "secret_file: ../secret\n" in settings
    assert not any(word in settings for word in ("swordfish", "/srv", "other"))


def test_the_scripts_may_be_run_and_the_secret_is_its_owners_alone(bundle: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(bundle)) as packed:
        modes = {entry.filename: stat.filemode(entry.external_attr >> 16) for entry in packed.infolist()}

    assert modes["setup.sh"] == modes["run_autograder"] == "-rwxr-xr-x"
    assert modes["secret"] == "-rw-------"
    assert modes["course/course.yml"] == "-rw-r--r--"


def test_the_same_course_gives_the_same_archive(bundle: bytes, course: Course) -> None:
    assert gradescope_bundle(course, course.assignment("echo")) == bundle


@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_the_scripts_are_bash_with_every_blank_filled_in(container: Container, name: str) -> None:
    script = container.root / "source" / name

    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert re.findall(r"@\w+@", script.read_text()) == []


def test_the_command_writes_it_for_the_instructor_alone(course: Course, bundle: bytes, tmp_path: Path) -> None:
    result = autograde(tmp_path, "--course", course.root, "export-gradescope", "echo")

    file = tmp_path / "echo-gradescope.zip"
    assert (result.exit_code, file.read_bytes()) == (0, bundle)
    assert result.stdout == f"echo-gradescope.zip: written, {len(bundle) / 1024:.0f} KiB\n"
    assert (
        result.stderr
        == "it holds the hidden checks and the course's secret; give it to Gradescope and to nobody else\n"
    )
    assert stat.filemode(file.stat().st_mode) == "-rw-------"


def test_a_place_that_students_get_is_refused(course: Course) -> None:
    file = "assignments/echo/echo.zip"

    assert refusal(autograde(course.root, "export-gradescope", "echo", file)) == (
        f"{file}: lies under assignments/, which students get; expected a place of the instructor's own, for it holds "
        "hidden checks; name another"
    )
    assert not (course.root / file).exists()


def test_data_sets_go_along_on_request(tmp_path: Path) -> None:
    course = make_instructors_course(tmp_path / "course")
    course.path.write_text(course.path.read_text().replace("/srv/images_folder", "../images"))
    absent = refusal(autograde(course.root, "export-gradescope", "echo", "--data"))
    (tmp_path / "images/raw").mkdir(parents=True)
    (tmp_path / "images/raw/digits").write_bytes(b"0123456789")

    result = autograde(course.root, "export-gradescope", "echo", "--data")

    assert absent == (
        f"course.yml: {tmp_path}/images is not there; expected `data:` with a folder that is there; leave --data out, "
        "or put the data there"
    )
    assert result.exit_code == 0
    with zipfile.ZipFile(course.root / "echo-gradescope.zip") as packed:
        assert packed.read("course/data/raw/digits") == b"0123456789"
        assert "\ndata: data\n" in packed.read("course/course.yml").decode()


# -- what it does ------------------------------------------------------------------------------------------------------


def test_a_right_submission_gets_full_marks_from_the_script(container: Container) -> None:
    if best_level() == "process":
        pytest.skip(f"no submission is graded here: {missing('namespaces')}")
    container.hand_in("assignments/echo/echo.py", RIGHT)  # a copy of the students' repository

    results = container.results()

    assert results["score"] == 5.0
    tests = results["tests"]
    assert isinstance(tests, list)
    assert [test["number"] for test in tests] == ["1", "2", "3"]
    assert stat.filemode(container.root.stat().st_mode) == "drwx------"


def test_a_container_without_a_sandbox_grades_nothing(container: Container) -> None:
    container.hand_in("echo.py", RIGHT)
    tools = container.root / "bin"
    tools.mkdir()
    for name in ("bash", "cat", "chmod", "env", "find", "mkdir", "rm"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python").write_text("#!/bin/sh\necho process\n")  # what `best_level` says there
    (tools / "python").chmod(0o755)
    environment = {"PATH": str(tools), "AUTOGRADER_ROOT": str(container.root)}

    done = subprocess.run(
        [container.root / "run_autograder"], env=environment, capture_output=True, text=True, check=False
    )

    results = json.loads((container.root / "results/results.json").read_text())
    assert (results["score"], results["output"]) == (0, FAULT)
    assert done.stdout.startswith("this container keeps a submission neither from the course nor from the secret; ")


@pytest.mark.parametrize("names", [[], ["notes.txt"], ["one.py", "two.py"]])
def test_where_it_is_not_clear_what_to_grade_the_student_reads_so(container: Container, names: list[str]) -> None:
    for name in names:
        container.hand_in(name, RIGHT)

    assert container.results() == nothing(UNCLEAR)


def test_a_link_to_the_reference_is_nothing_handed_in(container: Container) -> None:
    (container.root / "submission/echo.py").symlink_to(container.root / "source/course/solutions/echo/echo.py")
    (container.root / "submission/assignments").symlink_to(container.root / "source/course/solutions")

    assert container.results()["output"] == UNCLEAR
    assert sorted(files_in(container.root / "submission")) == []


def test_a_fault_of_the_grader_is_said_to_be_one_and_its_reason_is_for_instructors(container: Container) -> None:
    container.hand_in("echo.py", RIGHT)
    (container.root / "results/results.json").write_text('{"score": 5}')  # of an earlier run
    (container.root / "source/course/course.yml").write_text("title: swordfish\n")

    done = container.run()

    results = json.loads((container.root / "results/results.json").read_text())
    assert (done.returncode, results) == (0, nothing(FAULT))
    assert "course.yml:1: the course has no 'assignments'" in done.stderr
