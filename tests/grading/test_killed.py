"""What is killed from outside is done again, and costs nobody a point."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import RIGHT, Lab

from autograder.grading.executor import grade_all
from autograder.grading.grader import Grader
from autograder.grading.job import Job
from autograder.report.model import Report
from autograder.sandbox.levels import best_level
from autograder.submission.reading import Submission, read_submission

# A check that kills something of the grader's so often, and counts by a file.
CHECKS = '''
import os
import signal
from pathlib import Path

import torch

from autograder import Student, assert_close, points

COUNT = Path(__file__).with_name("count")


@points(2)
def check_echo(student: Student) -> None:
    """Echo returns what it got."""
    killed = len(COUNT.read_text()) if COUNT.exists() else 0
    if killed < {times}:
        COUNT.write_text("x" * (killed + 1))
        os.kill({pid}, signal.SIGKILL)
    x = torch.ones(4)
    assert_close(student.echo(x), x)


@points(1)
def check_twice(student: Student) -> None:
    """Twice returns double of what it got."""
    x = torch.ones(4)
    assert_close(student.twice(x), 2 * x)
'''
WORKER = "student.worker.process.pid"
FORKSERVER = "student._workers._sandbox._process.pid"
GRADER = "os.getpid()"


def submission(lab: Lab, name: str = "ada") -> Submission:
    return read_submission(lab.write(f"class/{name}.py", f"{RIGHT}\n# {name}\n"), name="echo", student=name)


def grade(lab: Lab, pid: str, times: int) -> Report:
    course = lab.make(CHECKS.format(pid=pid, times=times))
    grader = Grader(Job(course.path, "echo", best_level()))
    try:
        return grader.grade(submission(lab))
    finally:
        grader.close()


def killed(lab: Lab) -> int:
    return len((lab.root / "assignments" / "echo" / "count").read_text())


@pytest.mark.parametrize(("pid", "times"), [(WORKER, 2), (FORKSERVER, 1)])
def test_a_submission_is_graded_again_when_what_ran_it_was_killed(lab: Lab, pid: str, times: int) -> None:
    report = grade(lab, pid, times)

    assert [(check.verdict, check.score) for check in report.checks] == [("passed", 2.0), ("passed", 1.0)]
    assert killed(lab) == times


def test_what_is_killed_each_time_is_a_verdict_in_the_end(lab: Lab) -> None:
    report = grade(lab, WORKER, 99)

    assert [(check.verdict, check.message) for check in report.checks] == [
        ("crashed", "the worker died before it answered"),
        ("passed", ""),
    ]
    assert killed(lab) == 3


def test_what_a_submission_does_to_itself_is_judged_at_once(lab: Lab) -> None:
    course = lab.make(CHECKS.format(pid=WORKER, times=0))
    source = "import os, signal\n\ndef echo(x):\n    os.kill(os.getpid(), signal.SIGKILL)\n    os._exit(0)\n"
    grader = Grader(Job(course.path, "echo", best_level()))

    report = grader.grade(read_submission(lab.write("class/eve.py", source), name="echo"))
    grader.close()

    assert [check.verdict for check in report.checks] == ["crashed", "raised"]


# -- several grading processes -----------------------------------------------------------------------------------------


def grade_class(lab: Lab, times: int) -> dict[str, Report]:
    course = lab.make(CHECKS.format(pid=GRADER, times=times))
    submissions = [submission(lab, name) for name in ("ada", "bob", "cyd", "dan")]
    return {
        report.student: report for _, report in grade_all(Job(course.path, "echo", best_level()), submissions, jobs=2)
    }


def test_a_grading_process_that_was_killed_costs_nobody_a_grade(lab: Lab) -> None:
    reports = grade_class(lab, 1)

    assert {name: report.score for name, report in reports.items()} == {"ada": 3, "bob": 3, "cyd": 3, "dan": 3}
    assert killed(lab) == 1


def test_what_kills_its_grading_process_three_times_is_a_verdict_and_no_fourth_attempt(lab: Lab) -> None:
    course = lab.make(CHECKS.format(pid=GRADER, times=99))
    checks = Path(course.root, "assignments/echo/check_echo.py")
    checks.write_text(
        checks.read_text().replace("if killed <", "if '# eve' in student._workers.sources.submission and killed <")
    )
    submissions = [submission(lab, name) for name in ("ada", "eve", "bob")]

    reports = {
        report.student: report for _, report in grade_all(Job(course.path, "echo", best_level()), submissions, jobs=2)
    }

    assert {name: report.score for name, report in reports.items()} == {"ada": 3, "bob": 3, "eve": 0}
    assert {(check.verdict, check.message) for check in reports["eve"].checks} == {
        ("not_run", "grading it ended the grading process 3 times; your instructor must review it")
    }
    assert killed(lab) == 3
