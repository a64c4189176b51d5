"""`autograde new` makes an assignment that validates, changes no other byte of the course, and makes all or nothing."""

from __future__ import annotations

from pathlib import Path

import harness as lab
import pytest
import yaml
from click.testing import CliRunner, Result

from autograder.authoring.new import making
from autograder.authoring.new.course_entry import extended, plain_or_quoted
from autograder.authoring.notebooks import claims_of
from autograder.authoring.validate import expectations, uncovered
from autograder.cli.main import main
from autograder.course.loading import load_course
from autograder.sandbox.levels import missing

NO_NAME = "no name of an assignment; expected a lower-case Python name of at most 60 characters, such as logsoftmax"
COURSE = """\
# Kept by hand.
title:   A made-up course   # as it stands in the catalogue
assignments:
  - name: echo   # the first one
    title: "Give back what you get"
    due: 2030-01-31 23:59
    # moved twice

# What a late day costs
late: {grace_days: 1}
"""


def autograde(folder: Path, *arguments: str) -> Result:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("COLUMNS", "200")
        return CliRunner().invoke(main, arguments, catch_exceptions=False)


def refusal(folder: Path, *arguments: str) -> str:
    """Return the one line with which a command is refused, once it is sure that nothing changed."""
    before = tree(folder)
    result = autograde(folder, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert tree(folder) == before
    (line,) = result.stderr.splitlines()
    return line.removeprefix("autograde: ")


def tree(folder: Path) -> dict[str, bytes | None]:
    """Return all that lies in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with one assignment, whose course.yml somebody keeps by hand."""
    files = {
        "course.yml": COURSE,
        "assignments/echo/echo.py": lab.STUB,
        "assignments/echo/check_echo.py": lab.CHECKS,
        "solutions/echo/echo.py": lab.RIGHT,
    }
    for name, text in files.items():
        place = tmp_path / "course" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return tmp_path / "course"


# -- what is made ------------------------------------------------------------------------------------------------------


def test_an_instructor_who_starts_from_nothing_has_a_course_that_validates(tmp_path: Path) -> None:
    if missing("namespaces"):
        pytest.skip(f"official grading needs level namespaces: {missing('namespaces')}")

    made = autograde(tmp_path, "new", "rows", "--start-course", "Deep learning: 1")
    judged = autograde(tmp_path, "validate", "rows", "--quick")

    assert made.exit_code == 0
    assert judged.exit_code == 0, judged.output
    course = load_course(tmp_path / "course.yml")
    assignment = course.assignment("rows")
    assert (course.title, assignment.title) == ("Deep learning: 1", "Rows")
    assert uncovered(assignment, expectations(assignment)) == []
    kinds = [line.split()[0] for line in judged.stdout.splitlines()[2:]]
    assert {"stub", "reference", "right", "wrong", "attack"} <= set(kinds)


def test_a_new_assignment_has_all_its_files_and_a_fresh_notebook(course: Path) -> None:
    result = autograde(course, "new", "unit_rows", "--title", "Rows: of length one")

    assignment = load_course(course / "course.yml").assignment("unit_rows")
    assert (result.exit_code, assignment.title) == (0, "Rows: of length one")
    assert sorted(path.name for path in assignment.folder.iterdir()) == [
        *("README.md", "baseline.py", "check_unit_rows.py", "probes.py", "unit_rows.ipynb", "unit_rows.py"),
    ]
    assert sum(claim.points for claim in claims_of(assignment)) == 10
    assert autograde(course, "build", "--check", "unit_rows").exit_code == 0
    texts = [
        path.read_text(encoding="utf-8")
        for folder in (assignment.folder, assignment.solutions)
        for path in folder.rglob("*.*")
    ]
    assert [text for text in texts if "{{" in text or "NAME" in text] == []
    assert sorted(path.name for path in course.iterdir()) == ["assignments", "course.yml", "solutions"]


def test_the_command_says_what_it_wrote(course: Path, tmp_path: Path) -> None:
    result = autograde(tmp_path, "--course", "course", "new", "rows")

    lines = result.stdout.splitlines()
    assert lines[:3] == [
        f"{course}: course.yml",
        f"{course}/assignments/rows: README.md, baseline.py, check_rows.py, probes.py, rows.ipynb, rows.py",
        f"{course}/solutions/rows: check_rows_hidden.py, rows.py",
    ]
    assert result.stderr == "rows: try `autograde validate rows`, then change one file after the other into yours\n"


def test_files_of_a_folder_in_which_a_course_starts_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n", encoding="utf-8")

    result = autograde(tmp_path, "new", "rows", "--start-course", "Deep learning")

    assert result.exit_code == 0
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "mine\n"
    assert (tmp_path / "nbgrader_config.py").is_file()


# -- course.yml --------------------------------------------------------------------------------------------------------


def test_every_other_byte_of_the_course_stays(course: Path) -> None:
    autograde(course, "new", "rows")

    text = (course / "course.yml").read_text(encoding="utf-8")
    before, _, after = COURSE.partition("    # moved twice\n")
    start = f"{before}    # moved twice\n\n  - name: rows\n    title: Rows\n"
    assert text.startswith(start)
    assert text.endswith(f"        mps: {{full_at: 4.0, zero_at: 8.0}}\n{after}")
    assert load_course(course / "course.yml").assignment("echo").title == "Give back what you get"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title: A\nassignments: []\n", "title: A\nassignments:\n  - name: b\n    title: B\n"),
        ("assignments: []  # none yet\ntitle: A\n", "assignments:  # none yet\n  - name: b\n    title: B\ntitle: A\n"),
        ("title: A\nassignments: []", "title: A\nassignments:\n  - name: b\n    title: B\n"),
        ("assignments:\n- name: a\n  title: A", "assignments:\n- name: a\n  title: A\n\n- name: b\n  title: B\n"),
        ("assignments:\r\n  - name: a\r\n", "assignments:\r\n  - name: a\r\n\r\n  - name: b\r\n    title: B\r\n"),
        ("\ufeffassignments:\n - name: a\n", "\ufeffassignments:\n - name: a\n\n - name: b\n   title: B\n"),
        (
            "assignments:\n  - name: a\n    title: >-\n      A\n\n\n# The rest\ndevice: cpu\n",
            "assignments:\n  - name: a\n    title: >-\n      A\n\n  - name: b\n    title: B\n\n\n# The rest\ndevice: cpu\n",
        ),
        (
            "assignments:\n  - {name: a, title: A}\n  # more to come\ndevice: cpu\n",
            "assignments:\n  - {name: a, title: A}\n\n  - name: b\n    title: B\n  # more to come\ndevice: cpu\n",
        ),
    ],
    ids=["empty", "comment", "empty at the end", "no indent", "CRLF", "BOM", "folded", "flow entry"],
)
def test_an_entry_comes_after_the_last_one(old: str, new: str) -> None:
    assert extended(old, "- name: b\n  title: B\n", name="course.yml") == new


@pytest.mark.parametrize("title", ["Rows", "Rows: 1", "yes", "12", "# 1", "- a", 'a "b" \\c', "{{name}}", "Größe"])
def test_a_title_is_read_as_it_was_given(title: str) -> None:
    assert yaml.safe_load(f"title: {plain_or_quoted(title)}") == {"title": title}


# -- refusals: one line, and nothing is written ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Rows", f"'Rows': {NO_NAME}; choose another"),
        ("my-rows", f"'my-rows': {NO_NAME}; choose another"),
        ("../rows", f"'../rows': {NO_NAME}; choose another"),
        ("lambda", f"'lambda': {NO_NAME}; choose another"),
        (
            "torch",
            "torch: a module of this name is in use here; expected a name of the assignment's own; choose another",
        ),
        (
            "click",
            "click: a module of this name is in use here; expected a name of the assignment's own; choose another",
        ),
        ("echo", "echo: stands in course.yml already; expected a new name; choose another"),
    ],
)
def test_a_name_that_no_assignment_can_have_is_refused(course: Path, name: str, said: str) -> None:
    assert refusal(course, "new", name) == said


def test_a_folder_that_is_there_is_not_written_into(course: Path) -> None:
    (course / "solutions" / "rows").mkdir()

    line = refusal(course, "new", "rows")

    assert line == "solutions/rows: is there already; expected no such folder; choose another name"


def test_a_title_is_one_line(course: Path) -> None:
    line = refusal(course, "new", "rows", "--title", " ")

    assert line == "the title is ' '; expected one line of text of at most 200 characters; shorten it"


def test_assignments_that_stand_in_brackets_are_refused(course: Path) -> None:
    (course / "course.yml").write_text('title: A\nassignments: [{name: echo, title: "Echo"}]\n', encoding="utf-8")

    assert refusal(course, "new", "rows") == (
        "course.yml:2: the assignments do not stand in lines of their own; expected entries that begin with "
        "'- name: ...'; write them so"
    )


def test_outside_a_course_the_two_ways_in_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path, "new", "rows") == (
        f"{tmp_path}: in no course; expected a course.yml here or in a folder above; "
        "name one with --course, or start one here with --start-course TITLE"
    )


def test_a_course_in_a_course_is_refused(course: Path) -> None:
    assert refusal(course, "new", "rows", "--start-course", "Another") == (
        f"--start-course: this folder lies in the course of {course}/course.yml; expected a folder in no course; "
        "leave it out to add to that one"
    )


def test_a_students_copy_is_refused(course: Path) -> None:
    (course / "solutions" / "echo" / "echo.py").unlink()
    (course / "solutions" / "echo").rmdir()
    (course / "solutions").rmdir()

    line = refusal(course, "new", "rows")

    assert line == f"{course}: has no solutions/; expected the instructor's copy; change to that"


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "solutions").write_text("in the way\n", encoding="utf-8")

    line = refusal(tmp_path, "new", "rows", "--start-course", "Deep learning")

    assert line == (f"{tmp_path}/solutions: File exists; expected a place that can be written; see who may write there")


@pytest.mark.parametrize("options", [(), ("--start-course", "Deep learning")], ids=["in a course", "from nothing"])
def test_an_installation_without_the_example_says_where_it_is(
    course: Path, tmp_path: Path, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "EXAMPLE", tmp_path / "nowhere")

    assert refusal(tmp_path if options else course, "new", "rows", *options) == (
        "autograde new: this engine was installed from a wheel, which students get, and holds no example; "
        "expected a clone of its repository; run `pip install --editable .` in that"
    )
