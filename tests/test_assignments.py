"""Every kept submission gets exactly its marks: the grader is graded."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.authoring.validate import expectations, uncovered, validate
from autograder.course.loading import load_course
from autograder.course.secret import VARIABLE
from autograder.sandbox.levels import missing

ROOT = Path(__file__).resolve().parents[1]
COURSE = load_course(ROOT / "course.yml")
NAMES = [assignment.name for assignment in COURSE.assignments]
JOBS = 2
# The same inputs in every run of the tests. `make validate-all` draws with the course's own secret.
SECRET = "the kept submissions, as the tests see them"


@pytest.mark.parametrize("name", NAMES)
def test_every_kept_submission_gets_exactly_its_marks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing("namespaces"):
        pytest.skip(f"official grading needs level namespaces: {missing('namespaces')}")
    monkeypatch.setenv(VARIABLE, SECRET)
    assignment = COURSE.assignment(name)

    graded = list(validate(COURSE, assignment, level="namespaces", jobs=JOBS, quick=True))

    problems = [f"{item.kind} {item.name}: {problem}" for item, _, problem in graded if problem]
    assert problems == []
    assert {item.kind for item, _, _ in graded} >= {"stub", "reference", "attack"}


@pytest.mark.parametrize("name", NAMES)
def test_every_check_is_lost_by_some_wrong_solution(name: str) -> None:
    assignment = COURSE.assignment(name)

    found = expectations(assignment)

    assert uncovered(assignment, found) == []
