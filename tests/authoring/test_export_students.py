"""The students' repository holds all that they need, nothing of solutions/, and stays theirs when it is written again."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import Result
from instructor_repository import SECRETS, autograde, files_in, make_instructors_course, refusal

from autograder.authoring.export.managed_folder import LIST, Change, write
from autograder.authoring.export.student_repository import student_files
from autograder.authoring.export.wheel import make_wheel
from autograder.course.loading import Course, load_course
from autograder.errors import CourseError
from autograder.submission.started import started

ROOT = Path(__file__).parents[2]
NEXT = "next: look at {}, then commit and push it from there\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """The instructor's repository as it is before anybody changes it."""
    return make_instructors_course(tmp_path_factory.mktemp("made") / "course")


@pytest.fixture
def course(made: Course, tmp_path: Path) -> Course:
    """A copy of it."""
    shutil.copytree(made.root, tmp_path / "course")
    return load_course(tmp_path / "course" / "course.yml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "students"


def export(course: Course, folder: Path, *options: str) -> Result:
    return autograde(course.root, "export-students", folder, *options)


def exported(course: Course, folder: Path) -> Path:
    """Return a folder that was exported just now."""
    result = export(course, folder)
    assert result.exit_code == 0, result.output
    return folder


# -- what is in it -----------------------------------------------------------------------------------------------------


def test_students_get_the_course_the_assignments_the_engine_and_a_workflow(course: Course, folder: Path) -> None:
    wheel, _ = make_wheel()
    parts = ("README.md", "check_{}.py", "{}.ipynb", "{}.py")
    wanted = [f"assignments/{name}/{part.format(name)}" for name in ("echo", "other") for part in parts]
    wanted += [".github/workflows/check.yml", ".gitignore", "README.md", "constraints.txt", "course.yml"]
    wanted += [f"dist/{wheel}", "requirements.txt"]

    result = export(course, folder)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [f"{name}: written" for name in sorted(wanted)]
    assert result.stderr == NEXT.format(folder)
    assert sorted(files_in(folder)) == sorted([*wanted, LIST])
    assert (folder / "requirements.txt").read_text() == f"./dist/{wheel}\n"


def test_nothing_that_is_secret_is_in_any_file_of_it(course: Course, folder: Path) -> None:
    files = files_in(exported(course, folder))
    (wheel,) = (data for name, data in files.items() if name.endswith(".whl"))
    with zipfile.ZipFile(io.BytesIO(wheel)) as packed:
        files |= {name: packed.read(name) for name in packed.namelist()}

    assert [name for name, data in files.items() for word in SECRETS if word.encode() in data] == []
    assert not any("hidden" in Path(name).name for name in files if not name.startswith("autograder/"))


def test_the_exported_course_loads_and_says_of_its_assignments_what_the_course_says(
    course: Course, folder: Path
) -> None:
    theirs = load_course(exported(course, folder) / "course.yml")

    assert (theirs.secret_file, theirs.gradebook) == (folder / ".autograde/secret", None)
    assert (theirs.exchange, theirs.data) == (None, None)
    assert [item.name for item in theirs.assignments] == ["echo", "other"]
    echo, ours = theirs.assignment("echo"), course.assignment("echo")
    assert (echo.title, echo.due, echo.late, echo.limits) == (ours.title, ours.due, ours.late, ours.limits)
    assert "| [echo](assignments/echo/README.md) | Give back \\| what you get | 2030-01-31 23:59 UTC |" in (
        (folder / "README.md").read_text(encoding="utf-8").splitlines()
    )


def test_every_file_of_an_assignment_is_the_instructors_own(course: Course, folder: Path) -> None:
    exported(course, folder)

    for name in ("echo.py", "echo.ipynb", "check_echo.py", "README.md"):
        path = Path("assignments/echo") / name
        assert (folder / path).read_bytes() == (course.root / path).read_bytes()


def test_no_line_of_this_courses_solutions_leaves_it() -> None:
    course = load_course(ROOT / "course.yml")
    public = {path: path.read_bytes() for path in (ROOT / "assignments").rglob("*") if path.is_file()}
    lines = {
        line.strip()
        for path in (ROOT / "solutions").rglob("*.py")
        for line in path.read_bytes().splitlines()
        if len(line.strip()) >= 40
    }

    files = student_files(course)

    assert lines
    for name, data in files.items():
        if name.startswith("assignments/"):
            assert data == public[ROOT / name], name
        elif not name.startswith("dist/"):
            assert not lines.intersection(line.strip() for line in data.splitlines()), name


def test_students_may_install_the_engine_from_elsewhere(course: Course, folder: Path) -> None:
    export(course, folder, "--package", "autograder==0.1.0")

    assert (folder / "requirements.txt").read_text() == "autograder==0.1.0\n"
    assert not (folder / "dist").exists()


# -- written again -----------------------------------------------------------------------------------------------------


def test_written_again_it_changes_nothing(course: Course, folder: Path) -> None:
    exported(course, folder)
    before = {name: (folder / name).stat().st_ino for name in files_in(folder)}

    result = export(course, folder)

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", f"{folder}: up to date\n")
    assert {name: (folder / name).stat().st_ino for name in files_in(folder)} == before


def test_a_clone_without_files_takes_an_export(course: Course, folder: Path) -> None:
    (folder / ".git").mkdir(parents=True)

    assert export(course, folder).exit_code == 0


def test_what_the_course_changed_is_written_and_what_others_did_stays(course: Course, folder: Path) -> None:
    exported(course, folder)
    work, notes = folder / "assignments/echo/echo.py", folder / "assignments/echo/notes.txt"
    work.write_text("def echo(x):\n    return x\n")
    notes.write_text("mine\n")
    (course.root / "assignments/echo/README.md").write_text("# Echo, corrected\n")
    stub = course.root / "assignments/echo/echo.py"
    stub.write_text(stub.read_text() + "# corrected\n")
    autograde(course.root, "build")

    result = export(course, folder)

    assert result.stdout.splitlines() == [
        "assignments/echo/README.md: written",
        "assignments/echo/echo.ipynb: written",
    ]
    assert result.stderr == (
        "assignments/echo/echo.py: kept, for it was changed here; delete it to get the course's own\n"
    ) + NEXT.format(folder)
    assert (folder / "assignments/echo/README.md").read_text() == "# Echo, corrected\n"
    assert (work.read_text(), notes.read_text()) == ("def echo(x):\n    return x\n", "mine\n")


def test_a_file_that_was_deleted_comes_back(course: Course, folder: Path) -> None:
    exported(course, folder)
    (folder / "assignments/echo/echo.py").unlink()

    assert export(course, folder).stdout == "assignments/echo/echo.py: written\n"


def test_what_the_course_no_longer_has_is_taken_away_unless_somebody_changed_it(course: Course, folder: Path) -> None:
    exported(course, folder)
    work = folder / "assignments/other/other.py"
    work.write_text("def echo(x):\n    return x\n")
    text = course.path.read_text()
    course.path.write_text(text[: text.index("  - name: other")])

    result = export(course, folder)

    assert (
        "assignments/other/other.py: kept, for it was changed here; the course no longer has it"
        in result.stderr.splitlines()
    )
    gone = ("README.md", "check_other.py", "other.ipynb")
    assert set(result.stdout.splitlines()) >= {f"assignments/other/{name}: removed" for name in gone}
    assert [path.name for path in (folder / "assignments/other").iterdir()] == ["other.py"]
    assert json.loads((folder / LIST).read_text())["files"].get("assignments/other/other.py") is None


def test_check_writes_nothing_and_says_what_would_change(course: Course, folder: Path) -> None:
    first = export(course, folder, "--check")
    absent = not folder.exists()
    exported(course, folder)
    same = export(course, folder, "--check")
    (folder / "README.md").unlink()
    stale = export(course, folder, "--check")

    assert (first.exit_code, absent) == (1, True)
    assert "course.yml: missing or out of date" in first.stdout.splitlines()
    assert (same.exit_code, same.stdout, same.stderr) == (0, "", f"{folder}: up to date\n")
    assert (stale.exit_code, stale.stdout, stale.stderr) == (1, "README.md: missing or out of date\n", "")
    assert not (folder / "README.md").exists()


def test_an_export_that_was_stopped_half_way_is_finished_by_the_next_one(tmp_path: Path) -> None:
    write(tmp_path, {"a": b"one"})
    with pytest.raises(CourseError, match="Not a directory"):
        write(tmp_path, {"a": b"two", "a/b": b"cannot lie in a file"})

    found = write(tmp_path, {"a": b"three"})

    assert found == [Change("a", "written")]
    assert (tmp_path / "a").read_bytes() == b"three"


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_a_folder_in_the_course_or_around_it_is_refused(course: Course) -> None:
    root = course.root
    elsewhere = "expected a folder outside it; name another"

    assert refusal(export(course, root)) == f"{root}: lies in the instructor's course {root}; {elsewhere}"
    for inside in ("solutions", "solutions/echo", "students"):
        said = refusal(export(course, root / inside))
        assert said == f"{root / inside}: lies in the instructor's course {root}; {elsewhere}"
    assert refusal(export(course, root.parent)) == (f"{root.parent}: holds the instructor's course {root}; {elsewhere}")


def test_a_folder_that_leads_into_the_course_by_a_link_is_refused(course: Course, folder: Path) -> None:
    folder.symlink_to(course.root / "solutions")

    said = refusal(export(course, folder))

    elsewhere = "expected a folder outside it; name another"
    assert said == f"{folder}: lies in the instructor's course {course.root}; {elsewhere}"


def test_a_folder_of_other_files_is_refused(course: Course, folder: Path) -> None:
    folder.mkdir()
    (folder / "thesis.tex").write_text("mine")

    assert refusal(export(course, folder)) == (
        f"{folder}: holds thesis.tex and no earlier export; expected an empty folder, a new clone, or an earlier "
        "export; name another, or empty this one"
    )
    assert sorted(files_in(folder)) == ["thesis.tex"]


def test_a_file_is_no_folder(course: Course, folder: Path) -> None:
    folder.write_text("mine")

    assert refusal(export(course, folder)) == (
        f"{folder}: is no folder; expected one, or a name for a new one; name another"
    )


def test_a_link_in_the_folder_is_not_followed(course: Course, folder: Path, tmp_path: Path) -> None:
    exported(course, folder)
    outside = tmp_path / "outside"
    shutil.move(folder / "assignments", outside)
    (folder / "assignments").symlink_to(outside)

    assert refusal(export(course, folder)) == (
        f"{folder}/assignments: a link; expected a file or folder of its own; take it away and export again"
    )


@pytest.mark.parametrize("name", ["../course/course.yml", "/etc/hostname", ".git/config", "a/../../b"])
def test_a_list_that_names_what_lies_elsewhere_is_refused(course: Course, folder: Path, name: str) -> None:
    exported(course, folder)
    document = json.loads((folder / LIST).read_text())
    document["files"][name] = ["0" * 64]
    (folder / LIST).write_text(json.dumps(document))

    assert refusal(export(course, folder)) == (
        f"{folder}/{LIST}: not the list of an earlier export (it names {name!r}); expected the one that "
        "`autograde export-students` wrote; restore it from its history"
    )


def test_a_reference_that_was_saved_over_the_stub_goes_nowhere(course: Course, folder: Path) -> None:
    reference = (course.root / "solutions/echo/echo.py").read_text()
    (course.root / "assignments/echo/echo.py").write_text(f"# not quite the same\n\n{reference}")
    autograde(course.root, "build")

    assert refusal(export(course, folder)) == (
        "assignments/echo/echo.py: is solutions/echo/echo.py; expected what students may see; put the stub back"
    )
    assert not folder.exists()


def test_a_link_among_the_released_files_goes_nowhere(course: Course, folder: Path) -> None:
    (course.root / "assignments/echo/more").symlink_to(course.root / "solutions/echo")

    assert refusal(export(course, folder)) == (
        "assignments/echo/more: a link; expected a plain file, which students may have; copy it here"
    )


def test_a_stale_notebook_goes_nowhere(course: Course, folder: Path) -> None:
    (course.root / "assignments/echo/README.md").write_text("# Changed\n")

    assert refusal(export(course, folder)) == (
        "assignments/echo/echo.ipynb: stale; expected what its stub, README and checks give; run `autograde build`"
    )


def test_students_cannot_export(course: Course, folder: Path, tmp_path: Path) -> None:
    exported(course, folder)

    assert refusal(autograde(folder, "export-students", tmp_path / "further")) == (
        f"{folder}: has no solutions/; expected the instructor's copy; change to that"
    )


# -- what was started ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "old", "new", "names"),
    [
        ("echo.py", 'raise NotImplementedError("echo")', "return x", ["echo"]),
        ("echo.py", "import torch\n", "import torch\n\n# to be done\n", []),
        ("echo.ipynb", 'raise NotImplementedError(\\"echo\\")', "return x", ["echo"]),
        ("echo.ipynb", '"outputs": []', '"outputs": [{"output_type": "stream", "text": "1"}]', []),
        ("echo.ipynb", '"nbformat": 4,', "", ["echo"]),
        ("echo.py", '"""Give back what you get."""', "\udcff", ["echo"]),
    ],
    ids=["module", "comment", "notebook", "outputs", "no notebook", "no text"],
)
def test_an_assignment_is_begun_when_its_code_is_no_longer_the_stub(
    made: Course, tmp_path: Path, file: str, old: str, new: str, names: list[str]
) -> None:
    shutil.copytree(made.root, tmp_path / "copy")
    place = tmp_path / "copy/assignments/echo" / file
    text = place.read_text(encoding="utf-8")
    assert old in text
    place.write_text(text.replace(old, new), encoding="utf-8", errors="surrogateescape")

    assert started(load_course(tmp_path / "copy/course.yml")) == names


def test_the_command_names_each_on_a_line(course: Course) -> None:
    for name in ("other", "echo"):
        (course.root / f"assignments/{name}/{name}.py").write_text("x = 1\n")

    result = autograde(course.root, "started")

    assert (result.exit_code, result.stdout) == (0, "echo\nother\n")
