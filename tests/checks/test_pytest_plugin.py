"""Check files are plain pytest: their mistakes are told in one line, and plain pytest runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from harness import RIGHT, Lab

from autograder import points
from autograder.checks.points import points_of
from autograder.errors import CourseError
from autograder.grading.grade_submission import grade_submission
from autograder.grading.job import Job
from autograder.report.model import CheckResult
from autograder.submission.reading import read_submission

HEAD = """
import pytest
import torch
from autograder import Credit, Student, StudentError, assert_close, points

"""


def graded(lab: Lab, checks: str, source: str = RIGHT, **files: str) -> dict[str, CheckResult]:
    return {check.name: check for check in lab.grade(source, HEAD + checks, **files).checks}


# -- cases -----------------------------------------------------------------------------------------------------------


CASES = '''
@points(3)
@pytest.mark.parametrize(("n", "sign"), [(1, 1), (2, 1), (2, -1)], ids=str)
def check_echo(student, n, sign):
    """Echo in three cases."""
    x = sign * torch.ones(n)
    assert_close(student.echo(x), x)
'''


def test_every_case_must_pass(lab: Lab) -> None:
    check = graded(lab, CASES, "def echo(x):\n    return x.abs()\n")["echo"]

    assert (check.verdict, check.score) == ("failed", 0.0)
    assert check.message == "[2--1] echo() is 1 at [0]; expected -1 within 1.1e-05; 2 of 2 elements are off"


def test_the_first_case_is_told_with_how_many_fail(lab: Lab) -> None:
    check = graded(lab, CASES, "def echo(x):\n    return x[:1] * 2\n")["echo"]

    first, count = check.message.splitlines()
    assert first == "[1-1] echo() is 2 at [0]; expected 1 within 1.1e-05; 1 of 1 elements are off"
    assert count == "(3 of 3 cases)"


def test_cases_share_a_worker_and_checks_do_not(lab: Lab) -> None:
    checks = '''
@points(1)
@pytest.mark.parametrize("call", [1, 2, 3])
def check_first(student, call):
    """The calls are counted."""
    assert student.count() == call

@points(1)
def check_second(student):
    """They are counted anew."""
    assert student.count() == 1
    assert student.fresh().count() == 1
    assert student.count() == 2
'''
    results = graded(lab, checks, "calls = []\ndef count():\n    calls.append(1)\n    return len(calls)\n")

    assert [result.verdict for result in results.values()] == ["passed", "passed"]


def test_a_crash_in_one_case_spares_the_time_of_the_others(lab: Lab) -> None:
    checks = '''
ran = []

@points(1)
@pytest.mark.parametrize("case", [1, 2, 3])
def check_first(student, case):
    """It lives."""
    ran.append(case)
    student.leave()

@points(1)
def check_second():
    """It did not run again."""
    assert ran == [1]
'''
    results = graded(lab, checks, "import os\ndef leave():\n    os._exit(0)\n")

    assert results["first"].message == "[1] the worker died before it answered"
    assert results["second"].verdict == "passed"


def test_the_verdict_of_a_lost_worker_stays_whatever_the_check_makes_of_it(lab: Lab) -> None:
    checks = '''
@points(1)
def check_swallowed(student):
    """The check swallows what happens."""
    try:
        student.leave()
    except Exception:
        pass

@points(1)
def check_expected(student):
    """The check expects an error of the submission."""
    with pytest.raises(StudentError):
        student.leave()

@points(1)
def check_error(student):
    """And gets one."""
    with pytest.raises(StudentError, match="no"):
        student.fail()
'''
    source = "import os\ndef leave():\n    os._exit(0)\ndef fail():\n    raise ValueError('no')\n"

    results = graded(lab, checks, source)

    assert [result.verdict for result in results.values()] == ["crashed", "crashed", "passed"]


def test_an_error_that_was_expected_and_did_not_come_fails(lab: Lab) -> None:
    checks = '''
@points(1)
def check_error(student):
    """Echo refuses None."""
    with pytest.raises(StudentError):
        student.echo(torch.ones(1))
'''
    check = graded(lab, checks)["error"]

    assert (check.verdict, check.message) == ("failed", "no exception was raised; expected one")


def test_plain_asserts_are_told_by_their_first_line(lab: Lab) -> None:
    checks = '''
@points(1)
def check_words(student):
    """With words."""
    assert student.echo(torch.ones(1)).sum() == 2, "the sum is 1; expected 2"

@points(1)
def check_bare(student):
    """Without."""
    n = len(student.echo(torch.ones(3)))
    assert n == 2
'''
    results = graded(lab, checks)

    assert results["words"].message.splitlines()[0] == "the sum is 1; expected 2"
    assert results["bare"].message == "assert 3 == 2"


def test_skipping_and_failing_as_expected_earn_nothing(lab: Lab) -> None:
    checks = '''
@points(1)
@pytest.mark.skip
def check_skipped():
    """Left out."""

@points(1)
def check_skips():
    """Leaves."""
    pytest.skip("not here")

@points(1)
@pytest.mark.xfail
def check_xfail():
    """Expected to fail."""
    assert False
'''
    results = graded(lab, checks)

    assert {name: (result.verdict, result.score) for name, result in results.items()} == {
        "skipped": ("grader_error", 0.0),
        "skips": ("grader_error", 0.0),
        "xfail": ("failed", 0.0),
    }


def test_a_fixture_that_fails_is_a_mistake_of_the_course(lab: Lab) -> None:
    checks = '''
@pytest.fixture
def broken():
    raise OSError("no data")

@pytest.fixture
def broken_later():
    yield
    raise OSError("no data")

@points(1)
def check_setup(broken):
    """Never runs."""

@points(1)
def check_teardown(broken_later):
    """Runs and ends badly."""
'''
    results = graded(lab, checks)

    assert {(result.verdict, result.score, result.message) for result in results.values()} == {
        ("grader_error", 0.0, "OSError: no data")
    }


# -- what a check gets -----------------------------------------------------------------------------------------------


def test_random_numbers_are_fresh_for_every_case_and_check(lab: Lab) -> None:
    checks = '''
drawn = []

@points(1)
@pytest.mark.parametrize("case", [1, 2])
def check_first(rng, case):
    """Draw."""
    drawn.append(torch.rand(1, generator=rng).item())

@points(1)
def check_second(rng, device):
    """Draw once more."""
    drawn.append(torch.rand(1, generator=rng).item())
    assert len(set(drawn)) == 3
    assert device == torch.device("cpu")
'''
    results = graded(lab, checks)

    assert [result.verdict for result in results.values()] == ["passed", "passed"]


def test_several_checks_may_judge_one_run(lab: Lab) -> None:
    checks = '''
from autograder import Probe

@pytest.fixture(scope="session")
def run(new_student):
    student = new_student(time_s=20.0)
    return student, student.count()

@points(1)
def check_first(run):
    """The run counted to one."""
    assert run[1] == 1

@points(1)
def check_second(run, student):
    """It goes on in the same worker, which is not that of the check."""
    assert (run[0].count(), student.count()) == (2, 1)
'''
    results = graded(lab, checks, "calls = []\ndef count():\n    calls.append(1)\n    return len(calls)\n")

    assert [result.verdict for result in results.values()] == ["passed", "passed"]


def test_a_shared_run_that_fails_costs_every_check_that_judges_it(lab: Lab) -> None:
    checks = '''
@pytest.fixture(scope="session")
def run(new_student):
    return new_student().train()

@points(1)
def check_first(run):
    """It trains."""

@points(1)
def check_second(run):
    """It trains well."""

@points(1)
def check_other(student):
    """Something else."""
    assert student.other() == 1
'''
    source = "def train():\n    raise ValueError('no')\ndef other():\n    return 1\n"

    results = graded(lab, checks, source)

    assert [result.verdict for result in results.values()] == ["raised", "raised", "passed"]


def test_fixtures_may_lie_beside_the_checks_and_serve_hidden_ones(lab: Lab) -> None:
    lab.write("assignments/echo/fixtures.py", "import pytest\n\n@pytest.fixture\ndef seven():\n    return 7\n")
    check = '\n@points(1)\ndef check_%s(seven):\n    """Seven."""\n    assert seven == 7\n'

    results = graded(lab, check % "public", hidden=HEAD + check % "secret")

    assert [(result.verdict, result.hidden) for result in results.values()] == [("passed", False), ("passed", True)]


def test_a_check_under_solutions_is_hidden_whatever_its_file_is_called(lab: Lab) -> None:
    secret = '@points(1)\ndef check_secret(student):\n    """Secret."""\n    assert student.echo(torch.ones(1)) == 7\n'
    lab.write("solutions/echo/check_more.py", HEAD + secret)

    checks = graded(lab, CASES)

    assert {name: check.hidden for name, check in checks.items()} == {"echo": False, "secret": True}


def test_a_conftest_beside_a_submission_is_never_read(lab: Lab) -> None:
    for folder in ("submissions", "submissions/ada"):
        lab.write(f"{folder}/conftest.py", "raise SystemExit('read')\n")
        lab.write(f"{folder}/pytest.ini", "[pytest]\naddopts = --nothing-of-the-kind\n")

    report = lab.grade(RIGHT)

    assert report.score == 3.0


def test_settings_of_pytest_in_the_environment_change_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_PLUGINS", "")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k nothing_of_the_kind --maxfail=1")

    report = lab.grade("def twice(x):\n    return 2 * x\n")

    assert [check.verdict for check in report.checks] == ["raised", "passed"]


def test_one_check_may_be_selected(lab: Lab) -> None:
    course = lab.make()
    seen: list[CheckResult] = []
    submission = read_submission(lab.write("ada.py", RIGHT), name="echo")

    job = Job(course.path, "echo", lab.sandbox.level, select=("twice",))
    report = grade_submission(course, submission, lab.sandbox, job, progress=seen.append)

    assert [check.name for check in report.checks] == ["twice"]
    assert [(check.name, check.verdict) for check in seen] == [("twice", "passed")]


# -- checks that need others -----------------------------------------------------------------------------------------

NEEDS = '''
@points(1)
def check_first(student):
    """The first."""
    assert student.first() == 1

@points(2, needs="any")
def check_own_work(student):
    """One's own work."""
    student.first()

@points(3, needs="first")
def check_speed(student):
    """Fast, and right."""
'''


def test_a_check_that_needs_any_other_earns_nothing_alone(lab: Lab) -> None:
    checks = NEEDS.replace('needs="first"', 'needs="own_work"')

    results = graded(lab, checks, "def first():\n    return 2\n")

    assert (results["own_work"].score, results["own_work"].verdict) == (0.0, "failed")
    assert results["own_work"].message == "counts only where another check has earned points"


def test_a_check_that_needs_another_counts_with_full_credit_for_it_only(lab: Lab) -> None:
    right = graded(lab, NEEDS, "def first():\n    return 1\n")
    wrong = graded(lab, NEEDS, "def first():\n    return 2\n")

    assert [result.score for result in right.values()] == [1.0, 2.0, 3.0]
    assert (wrong["speed"].score, wrong["speed"].verdict) == (0.0, "failed")
    assert wrong["speed"].message == "counts only with full credit for first"


def test_where_the_needed_check_is_not_at_hand_the_score_is_provisional(lab: Lab) -> None:
    checks = NEEDS.replace('needs="first"', 'needs="accuracy"')

    results = graded(lab, checks, "def first():\n    return 1\n")

    assert results["speed"].score == 3.0
    assert results["speed"].message == (
        "provisional: it counts only with full credit for accuracy, which is not graded here"
    )


# -- mistakes in check files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "message"),
    [
        ("def check_a():\n    'Title.'\n", "check_echo.py:5: check_a has no points; put @points(...) above it"),
        (
            "@points(1)\ndef check_a():\n    pass\n",
            "check_echo.py:5: check_a has no docstring; its first line is the title that students read",
        ),
        (
            "@points(0)\ndef check_a():\n    'Title.'\n",
            "points(0): found no positive number; write for example @points(3)",
        ),
        ("import nothing_of_the_kind\n", "No module named 'nothing_of_the_kind'"),
        ("x = 1\n", "no checks"),
    ],
    ids=["no points", "no title", "points(0)", "does not import", "no checks"],
)
def test_a_mistake_in_a_check_file_is_one_line(lab: Lab, checks: str, message: str) -> None:
    with pytest.raises(CourseError) as caught:
        graded(lab, checks)

    text = str(caught.value)
    assert text.startswith("echo: its checks do not load: ")
    assert message in text
    assert "\n" not in text


def test_two_checks_of_one_name_are_a_mistake(lab: Lab) -> None:
    check = '\n@points(1)\ndef check_same():\n    """Same."""\n'

    with pytest.raises(CourseError, match=r"check_echo_hidden\.py: there is another check_same; rename one$"):
        graded(lab, check, hidden=HEAD + check)


def test_a_helper_imported_from_elsewhere_is_no_check(lab: Lab) -> None:
    checks = "from fractions import Fraction as check_fraction\n" + NEEDS

    assert list(graded(lab, checks)) == ["first", "own_work", "speed"]


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), True, "3", None])
def test_points_are_positive_numbers(value: object) -> None:
    with pytest.raises(CourseError) as caught:
        points(value)  # type: ignore[arg-type]

    assert str(caught.value) == f"points({value!r}): found no positive number; write for example @points(3)"


def test_points_mark_a_function_and_leave_it_as_it_is() -> None:
    @points(2.5, needs="any", hint="Think.")
    def check() -> int:
        return 3

    found = points_of(check)

    assert check() == 3
    assert found is not None and (found.value, found.needs, found.hint) == (2.5, "any", "Think.")
    assert points_of(print) is None


# -- plain pytest ----------------------------------------------------------------------------------------------------


def plain_pytest(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as a student would."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(command, cwd=lab.root, env=environment, capture_output=True, text=True, check=False)


def test_plain_pytest_runs_the_checks_with_readable_words(lab: Lab) -> None:
    lab.make()
    lab.write("mine/echo.py", "def echo(x):\n    print('here')\n    return x[:2]\n\ndef twice(x):\n    return 2 * x\n")

    done = plain_pytest(lab, "assignments/echo", "--submission", "mine/echo.py")

    lines = done.stdout.splitlines()
    assert done.returncode == 1, done.stdout + done.stderr
    assert "assignments/echo/check_echo.py F." in done.stdout
    assert "echo() has shape (2,); expected (4,)" in lines
    assert not any("autograder/" in line or "Traceback" in line for line in lines)
    assert lines[-1].startswith("=") and "1 failed, 1 passed" in lines[-1]


def test_plain_pytest_tells_a_mistake_in_a_check_file(lab: Lab) -> None:
    lab.make(HEAD + "\n@points(1)\ndef check_a():\n    pass\n")

    done = plain_pytest(lab, "assignments/echo")

    assert done.returncode == 2
    words = "check_a has no docstring; its first line is the title that students read"
    assert any(line.startswith("E ") and line.endswith(words) for line in done.stdout.splitlines())


def test_plain_pytest_takes_the_data_folder_and_the_device_from_the_course(lab: Lab) -> None:
    lab.make(
        HEAD
        + """
@pytest.fixture(scope="session")
def data(session_grading):
    return session_grading.options["data"]

@points(1)
def check_data(data):
    \"\"\"The folder of the data.\"\"\"
    assert data.name == "digits", data

@points(1)
def check_device(grading):
    \"\"\"The device.\"\"\"
    assert grading.workers.accelerated, "the device is the CPU"
"""
    )
    (lab.root / "digits").mkdir()
    course = lab.root / "course.yml"
    course.write_text(course.read_text() + "data: digits\n")
    without_device = plain_pytest(lab, "assignments/echo")
    course.write_text(course.read_text() + "device: cuda\n")

    with_device = plain_pytest(lab, "assignments/echo")

    assert "the device is the CPU" in without_device.stdout and "1 failed, 1 passed" in without_device.stdout
    if torch.cuda.is_available():
        assert "2 passed" in with_device.stdout
    else:
        assert "device cuda: this machine has none; expected a machine with one" in with_device.stdout


def test_outside_a_course_the_plugin_collects_nothing(tmp_path: Path) -> None:
    (tmp_path / "check_other.py").write_text("def check_other():\n    raise SystemExit\n")
    (tmp_path / "test_other.py").write_text("def check_helper():\n    raise SystemExit\n\ndef test_it():\n    pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout.splitlines()[-1].partition(" in ")[0]) == (0, "1 passed")


def test_limits_of_the_course_reach_the_workers(lab: Lab) -> None:
    course = lab.make()
    assignment = course.assignment("echo")

    assert assignment.limits.time_s >= 10 and assignment.limits.memory_bytes >= 4 << 30
    assert replace(assignment, forbidden=("torch.relu",)).forbidden == ("torch.relu",)


def test_a_failed_check_speaks_in_its_own_words_alone(lab: Lab) -> None:
    checks = '''
        from autograder import points

        @points(1)
        def check_echo(student):
            """Something is large."""
            found = student.echo(1)
            assert found > 2, f"{found} is too little"

        @points(1)
        def check_silent(student):
            """Something is large."""
            assert student.echo(1) > 2
    '''

    report = lab.grade("def echo(x):\n    return x\n", checks)

    assert [check.message for check in report.checks] == ["1 is too little", "assert 1 > 2"]
