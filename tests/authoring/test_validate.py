"""Each check has a wrong solution that it alone catches, or `validate` says why it has none."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import Lab

from autograder.authoring.validate import NeverAlone, expectations, never_alone
from autograder.course.loading import load_course

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = "a forbidden call also costs the check in which it is made"
NONE_ALONE = {
    "logsoftmax": {"own_work": FORBIDDEN},
    "einsum_bmm": {},
    "checkpoint": {"own_work": FORBIDDEN},
    "slowcode": {},
    "sam": {},
    "mnist": {
        "learns": "every wrong solution that loses it also loses reproducible",
        "accuracy": "speed counts only with full credit for it",
    },
}


@pytest.mark.parametrize("name", NONE_ALONE)
def test_the_checks_that_are_never_lost_alone_are_known_and_have_a_reason(name: str) -> None:
    assignment = load_course(ROOT / "course.yml").assignment(name)

    result = never_alone(assignment, expectations(assignment))

    assert {each.check: each.reason for each in result} == NONE_ALONE[name]


def test_a_check_that_shares_its_wrong_solutions_with_different_others_asks_for_one_of_its_own(lab: Lab) -> None:
    more = '''

@points(1)
def check_third(student: Student) -> None:
    """A third one."""
'''
    from harness import CHECKS

    course = lab.make(CHECKS + more)
    lab.write("solutions/echo/wrong/one.py", 'FAILS = ["echo", "twice"]\n')
    lab.write("solutions/echo/wrong/two.py", 'FAILS = ["echo", "third"]\n')
    lab.write("solutions/echo/wrong/alone.py", 'FAILS = ["third"]\n')
    assignment = course.assignment("echo")

    result = never_alone(assignment, expectations(assignment))

    assert result == [
        NeverAlone(
            "echo", (), "each wrong solution that loses it loses some other check; write one that loses it alone"
        ),
        NeverAlone("twice", ("echo",), "every wrong solution that loses it also loses echo"),
    ]
