"""The committed notebooks hold README, stub and checks, and `build` says when they no longer do."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path
from typing import Any

import harness as lab
import pytest

from autograder.authoring.notebooks import claims_of, stale_notebooks, write_notebooks
from autograder.course.check_list import Claim
from autograder.course.loading import Assignment, load_course
from autograder.errors import CourseError
from autograder.submission.notebook import notebook_source
from autograder.submission.notebook_template import build_notebook
from autograder.submission.reading import read_submission

COURSE = load_course(Path(__file__).parents[2] / "course.yml")
HIDDEN = '''
from autograder import points


@points(0.5, hint="a secret hint")
def check_empty(student):
    """Echo returns nothing for nothing.

    Beyond the first line nobody reads.
    """
'''


@pytest.fixture
def echo(tmp_path: Path) -> Assignment:
    """Return the assignment of a made-up course whose notebook is fresh."""
    files = {
        "course.yml": lab.COURSE.format(level="process"),
        "assignments/echo/echo.py": lab.STUB.lstrip("\n"),
        "assignments/echo/README.md": "# Echo\n\n```python\n# no heading\n```\n\n## Why\n\n[stub](echo.py)\n",
        "assignments/echo/check_echo.py": lab.CHECKS,
        "solutions/echo/check_echo_hidden.py": HIDDEN,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assignment = load_course(tmp_path / "course.yml").assignment("echo")
    write_notebooks([assignment])
    return assignment


def cells(assignment: Assignment) -> list[dict[str, Any]]:
    found = json.loads(assignment.notebook.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def marks(cell: dict[str, Any]) -> dict[str, Any]:
    marks: dict[str, Any] = cell["metadata"]["nbgrader"]
    return marks


def test_a_fresh_notebook_is_left_alone(echo: Assignment) -> None:
    assert stale_notebooks([echo]) == []
    assert write_notebooks([echo]) == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("assignments/echo/README.md", "## Why", "## What for"),
        ("assignments/echo/echo.py", "Return x.", "Return x itself."),
        ("assignments/echo/check_echo.py", "@points(2)", "@points(2.5)"),
        ("assignments/echo/check_echo.py", "Echo returns what it got", "Echo echoes"),
        ("assignments/echo/check_echo.py", "check_twice", "check_double"),
        ("solutions/echo/check_echo_hidden.py", "points(0.5", "points(1"),
    ],
    ids=["README", "stub", "points", "title", "name", "hidden check"],
)
def test_what_students_get_in_the_notebook_makes_it_stale(echo: Assignment, path: str, old: str, new: str) -> None:
    file = echo.solutions.parent.parent / path
    file.write_text(file.read_text().replace(old, new))

    assert stale_notebooks([echo]) == [echo.notebook]


def test_what_students_do_not_get_in_the_notebook_leaves_it_fresh(echo: Assignment) -> None:
    file = echo.solutions / "check_echo_hidden.py"
    file.write_text(file.read_text().replace("secret hint", "better hint"))

    assert stale_notebooks([echo]) == []


def test_the_readme_is_locked_text_with_a_cell_for_each_section(echo: Assignment) -> None:
    first, second = (cell for cell in cells(echo) if "readme" in marks(cell)["grade_id"])

    assert first["source"] == "# Echo\n\n```python\n# no heading\n```"
    assert second["source"] == "## Why\n\n[stub](echo.py)"
    assert first["cell_type"] == "markdown"
    assert marks(first) == {
        "grade": False,
        "grade_id": "echo-readme-1",
        "locked": True,
        "schema_version": 3,
        "solution": False,
        "task": False,
    }


def test_each_check_has_a_locked_grade_cell_with_its_points(echo: Assignment) -> None:
    found = [(marks(cell)["grade_id"], marks(cell)["points"], cell) for cell in cells(echo) if marks(cell)["grade"]]

    assert [(name, points) for name, points, _ in found] == [("echo", 2), ("twice", 1), ("empty", 0.5)]
    assert [cell["source"] for *_, cell in found] == [
        'check("echo")  # Echo returns what it got',
        'check("twice")  # Twice returns double of what it got',
        'check("empty")  # Echo returns nothing for nothing',
    ]
    assert all(marks(cell)["locked"] and not marks(cell)["solution"] for *_, cell in found)


def test_nothing_secret_of_a_hidden_check_is_in_the_notebook(echo: Assignment) -> None:
    text = echo.notebook.read_text(encoding="utf-8")

    assert "secret" not in text and "nobody" not in text


def test_one_locked_cell_sets_the_checks_up(echo: Assignment) -> None:
    (cell,) = (cell for cell in cells(echo) if marks(cell)["grade_id"] == "echo-setup")

    assert cell["source"].splitlines()[1:] == ["from autograder.jupyter import checks", "", 'check = checks("echo")']
    assert marks(cell)["locked"]


def test_without_solutions_the_notebook_keeps_its_hidden_checks(echo: Assignment) -> None:
    shutil.rmtree(echo.solutions.parent)

    assert stale_notebooks([echo]) == []
    assert claims_of(echo)[-1] == Claim("empty", "Echo returns nothing for nothing", 0.5, hidden=True)
    echo.readme.write_text("# Echo, again\n")
    write_notebooks([echo])
    assert marks(cells(echo)[-1])["grade_id"] == "empty"


def test_an_untouched_notebook_is_the_stub(echo: Assignment) -> None:
    stub = echo.stub.read_text(encoding="utf-8")
    echo.stub.write_text(stub.replace('raise NotImplementedError("echo")', "return x"))

    submission = read_submission(echo.folder, name="echo", stub=stub)

    assert submission.path.endswith("echo.py")
    assert submission.flags == ()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "@points(2)\n",
            "",
            "assignments/echo/check_echo.py:8: check_echo has no points; put @points(...) above it",
        ),
        (
            "@points(2)",
            "@points(TWO)",
            "assignments/echo/check_echo.py:9: check_echo has points that are no plain number above 0; write for example "
            "@points(3)",
        ),
        (
            '    """Echo returns what it got."""\n',
            "",
            "assignments/echo/check_echo.py:9: check_echo has no docstring; its first line is the title that students "
            "read",
        ),
        (
            "def check_twice",
            "def check_echo",
            "echo: there are two checks called echo; expected one; rename the other",
        ),
    ],
    ids=["no points", "points", "no title", "twice"],
)
def test_a_check_file_that_is_not_in_order_is_named(echo: Assignment, old: str, new: str, said: str) -> None:
    file = echo.folder / "check_echo.py"
    file.write_text(file.read_text().lstrip("\n").replace(old, new))

    with pytest.raises(CourseError) as caught:
        stale_notebooks([echo])
    assert str(caught.value) == said


def test_a_lone_docstring_joins_the_code_that_follows() -> None:
    stub = '"""Say it."""\n\n# %% [markdown]\n# # Title\n\n# %%\nimport math\n'

    built = json.loads(build_notebook(stub, name="double"))["cells"]

    assert ["".join(cell["source"]) for cell in built] == ["# Title", '"""Say it."""\n\nimport math']


@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.name)
def test_the_notebooks_module_is_the_stub(assignment: Assignment) -> None:
    stub = assignment.stub.read_text(encoding="utf-8")

    built = build_notebook(stub, name=assignment.name, readme="# Title\n", claims=claims_of(assignment))
    read = notebook_source(built)

    assert ast.dump(ast.parse(read.source)) == ast.dump(ast.parse(stub))
    assert read.removed == ()


@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.name)
def test_the_notebook_is_valid_for_jupyter_and_for_nbgrader(assignment: Assignment) -> None:
    nbformat = pytest.importorskip("nbformat")
    v3 = pytest.importorskip("nbgrader.nbgraderformat.v3")
    notebook = nbformat.read(assignment.notebook, as_version=4)

    nbformat.validate(notebook)
    v3.MetadataValidatorV3().validate_nb(notebook)

    ids = [cell.metadata.nbgrader.grade_id for cell in notebook.cells]
    assert len(set(ids)) == len(ids) == len({cell.id for cell in notebook.cells})
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", name) for name in ids)
    graded = [cell.metadata.nbgrader.points for cell in notebook.cells if cell.metadata.nbgrader.grade]
    assert sum(graded) == sum(claim.points for claim in claims_of(assignment))


@pytest.mark.parametrize("assignment", COURSE.assignments, ids=lambda assignment: assignment.name)
def test_points_and_titles_are_those_that_pytest_sees(assignment: Assignment) -> None:
    text = "\n".join(file.read_text() for file in [*assignment.check_files(), *assignment.hidden_check_files()])

    assert [claim.name for claim in claims_of(assignment)] == assignment.check_names()
    assert sum(claim.points for claim in claims_of(assignment)) in (20, 25)
    assert all(claim.title in text for claim in claims_of(assignment))
