"""The gradebook leaves as a table with the final scores, and no name in it is a formula."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.nbgrader.export import export_table

pytestmark = pytest.mark.filterwarnings("ignore:Object of type <SubmittedAssignment> not in session")  # nbgrader's own


@pytest.fixture
def gradebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gradebook]:
    monkeypatch.setenv("PATH", os.pathsep.join((sysconfig.get_path("scripts"), os.environ["PATH"])))  # alembic
    with Gradebook(f"sqlite:///{tmp_path / 'gradebook.db'}") as book:
        book.add_assignment("tiny")
        book.add_student("ada", last_name="=1+1", first_name="Ada", email="ada@example.org")
        book.add_student("bob")
        book.add_submission("tiny", "ada")
        yield book


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ("csv", "student_id,last_name,first_name,email,tiny\nada,'=1+1,Ada,ada@example.org,0.0\nbob,,,,\n"),
        ("moodle", "username,idnumber,email,Assignment: tiny (Real)\nada,ada,ada@example.org,0.0\nbob,bob,,\n"),
        (
            "canvas",
            "Student,ID,SIS User ID,SIS Login ID,Section,tiny\nPoints Possible,,,,,0.0\n"
            '"\'=1+1, Ada",,ada,ada,,0.0\nbob,,bob,bob,,\n',
        ),
    ],
)
def test_each_layout_has_its_columns_and_an_empty_cell_where_nothing_came(
    gradebook: Gradebook, layout: str, text: str
) -> None:
    assert export_table(gradebook, layout) == text
