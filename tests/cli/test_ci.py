"""In CI a grading has an exit code, whole files or none, and a log in which nothing but our own commands is obeyed."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ci_formats import OURS, RAISED, REPORT, RUNNER, command_in, suites_of
from click.testing import CliRunner, Result
from harness import CHECKS, RIGHT, Lab

from autograder.cli.main import main
from autograder.cli.outputs import STDOUT, Outputs
from autograder.cli.results import write_results
from autograder.report.formats.github import SUMMARY_BYTES
from autograder.report.model import Report
from autograder.sandbox.levels import best_level
from autograder.sandbox.start import Sandbox
from autograder.submission.reading import Submission

HIDDEN = '''
from autograder import Student, points


@points(2, hint="think of zero")
def check_zero(student: Student) -> None:
    """Echo works for zero."""
    assert student.echo(0) == 4711, "expected 4711"
'''
# Prints what begins a command in the log of GitHub Actions and of Azure Pipelines.
NOISY = """
def echo(x):
    print('::error file=x.py,line=1::pwned')
    print('##[add-mask]pwned')
    print('##vso[task.complete]pwned')
    raise ValueError('::set-output name=score::3 \\x1b[1m 4712')

def twice(x):
    return 2 * x
"""
OUR_FAULT = CHECKS.replace("    assert_close(student.twice", "    raise RuntimeError\n    assert_close(student.twice")
VARIABLES = ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "GITHUB_WORKSPACE", *RUNNER)


@pytest.fixture(scope="module")
def graded(at_level: Callable[[str], Sandbox], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A course in which `work/echo.py` of the noisy student is graded already, so that no test waits for it again."""
    with Lab(tmp_path_factory.mktemp("ci") / "course", at_level(best_level())).ending() as lab:
        lab.make(hidden=HIDDEN)
        lab.write("work/echo.py", NOISY)
        assert autograde(lab, "grade", "echo", "work").exit_code == 1
        yield lab


def autograde(lab: Lab, *arguments: str, **variables: str) -> Result:
    """Run a command inside the course, with no variables of a CI service but these."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(lab.root)
        for name in VARIABLES:
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        return CliRunner().invoke(main, arguments, catch_exceptions=False)


def on_github(lab: Lab, *arguments: str, **variables: str) -> Result:
    """Run a command as a step of GitHub Actions does."""
    return autograde(
        lab,
        *arguments,
        CI="true",
        GITHUB_ACTIONS="true",
        GITHUB_WORKSPACE=str(lab.root),
        GITHUB_STEP_SUMMARY=str(lab.root / "summary.md"),
        FORCE_COLOR="1",
        **variables,
    )


def commands_in(log: str) -> list[str]:
    """Return the lines of a log that GitHub's runner obeys."""
    return [line for line in log.splitlines() if command_in(line)]


# -- grading -----------------------------------------------------------------------------------------------------------


def test_a_grading_in_ci_writes_every_format_and_exits_1_under_the_pass_mark(graded: Lab) -> None:
    graded.write("summary.md", "before\n")
    files = [f"--{name}={name}.out" for name in ("json", "junit", "gradescope", "classroom50")]

    result = on_github(graded, "grade", "echo", "work", "--ci", *files, **RUNNER)

    assert result.exit_code == 1
    assert json.loads((graded.root / "json.out").read_text())["submissions"][0]["score"] == 1.0
    suites_of((graded.root / "junit.out").read_text())
    assert json.loads((graded.root / "gradescope.out").read_text())["score"] == 1.0
    assert json.loads((graded.root / "classroom50.out").read_text())["score"] == 10
    summary = (graded.root / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("before\n## echo: ` work `\n\n**1 of 5 points**: the pass mark of 2.5 is not reached\n")
    assert not list(graded.root.glob(".*.out*"))


def test_the_log_in_ci_has_our_commands_and_no_others(graded: Lab) -> None:
    result = on_github(graded, "grade", "echo", "work", "--github")

    assert "\x1b" not in result.stdout
    assert result.stderr == ""
    annotations = commands_in(result.stdout)
    assert [line.partition("::ValueError")[0] for line in annotations[:1]] == [
        "::error file=work/echo.py,line=5,title=echo%3A 0 of 2 points"
    ]
    assert annotations[1:] == [
        "::error file=work/echo.py,title=zero%3A 0 of 2 points::"
        "your code raised an exception in a hidden check: think of zero"
    ]
    assert "pwned" in result.stdout


def test_the_log_in_ci_says_no_more_of_hidden_checks_than_students_may_read(graded: Lab) -> None:
    in_ci = on_github(graded, "grade", "echo", "work", "--ci")
    by_hand = autograde(graded, "grade", "echo", "work")

    shown = in_ci.stdout + in_ci.stderr + (graded.root / "summary.md").read_text(encoding="utf-8")
    assert "hidden check: think of zero" in shown
    zero = in_ci.stdout.partition("zero: ")[2]
    assert "4712" not in zero and "pwned" not in zero
    assert "4712" in by_hand.stdout.partition("zero: ")[2]


def test_json_on_standard_output_stays_alone_and_is_no_command(graded: Lab) -> None:
    result = on_github(graded, "grade", "echo", "work", "--ci", "--json", "-")

    assert commands_in(result.stdout) == []
    assert "##" not in result.stdout and "::" not in result.stdout
    (report,) = json.loads(result.stdout)["submissions"]
    assert "##[add-mask]pwned" in report["checks"][0]["output"]
    assert len(commands_in(result.stderr)) == 2


def test_outside_of_github_there_is_neither_a_summary_nor_an_annotation(graded: Lab) -> None:
    result = autograde(graded, "grade", "echo", "work", "--ci", CI="true", GITHUB_WORKSPACE=str(graded.root))

    assert result.exit_code == 1
    assert commands_in(result.stdout) == []
    assert "1 of 5 points" in result.stdout


def test_a_check_in_the_students_own_ci_exits_0_at_the_pass_mark(lab: Lab) -> None:
    lab.make()
    lab.write("assignments/echo/echo.py", RIGHT)

    result = on_github(lab, "check", "echo", "--ci", "--junit", "junit.xml")

    assert (result.exit_code, result.stderr) == (0, "")
    assert commands_in(result.stdout) == []
    assert suites_of((lab.root / "junit.xml").read_text()).get("failures") == "0"
    assert "**3 of 3 points**: the pass mark of 1.5 is reached" in (lab.root / "summary.md").read_text()


def test_a_fault_of_ours_exits_2_and_writes_no_grade(lab: Lab) -> None:
    lab.make(OUR_FAULT)
    lab.write("ada.py", RIGHT)
    lab.write("gradescope.json", "the old one")

    result = on_github(lab, "grade", "echo", "ada.py", "--ci", "--gradescope", "gradescope.json", "--junit", "j.xml")

    assert result.exit_code == autograde(lab, "check", "echo", "ada.py").exit_code == 2
    assert (lab.root / "gradescope.json").read_text() == "the old one"
    assert suites_of((lab.root / "j.xml").read_text()).get("errors") == "1"
    assert result.stderr.splitlines() == [
        "autograde: gradescope.json: not written, for a check ended in an internal grader error; "
        "expected a grade that is final; grade again",
        "autograde: ada: a check ended in an internal grader error; no grade is final",
    ]


# -- what is refused before anything is graded -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--junit", "no/where.xml"],
            "--junit no/where.xml: No such file or directory; expected a place that can be written; choose another",
        ),
        (
            ["--json", "assignments"],
            "--json assignments: is no regular file; expected one or a new name; choose another",
        ),
        (["--junit", "-"], "--junit -: is no regular file; expected one or a new name; choose another"),
        (
            ["--json", "a.out", "--junit", "./a.out"],
            "--junit a.out: --json names it, too; expected a file for each; choose another",
        ),
        (
            ["--classroom50", "r.json"],
            "--classroom50 r.json: the environment has no CLASSROOM, ASSIGNMENT, OWNER, SUBMISSION_TAG, COMMIT_URL, "
            "RELEASE_URL; expected what Classroom 50's runner sets; start it from an autograder.py",
        ),
        (
            ["--gradescope", "r.json", "work/echo.py"],
            "--gradescope r.json: 2 submissions; expected one, for the file holds the result of one; name its PATH",
        ),
    ],
)
def test_what_cannot_be_written_is_one_line_before_anything_is_graded(lab: Lab, options: list[str], words: str) -> None:
    lab.make()
    lab.write("work/echo.py", RIGHT)
    lab.write("ada.py", RIGHT)

    result = autograde(lab, "grade", "echo", "ada.py", *options)

    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"autograde: {words}\n")
    assert not list(lab.root.glob("**/*.db"))
    assert not list(lab.root.glob(".a.out*"))


def test_what_was_collected_is_no_single_submission(lab: Lab) -> None:
    lab.make()

    result = autograde(lab, "grade", "echo", "--gradescope", "r.json")

    assert (result.exit_code, result.stderr) == (
        2,
        "autograde: --gradescope r.json: no submissions; expected one, for the file holds the result of one; "
        "name its PATH\n",
    )


# -- writing -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def write(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Write a report that nobody graded, in the folder of a course."""
    course = lab.make()
    monkeypatch.chdir(lab.root)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)

    def write(outputs: Outputs, report: Report = REPORT, *submissions: Submission) -> bool:
        return write_results(
            outputs, [report], course=course, assignment=course.assignments[0], submissions=submissions
        )

    return write


def test_what_cannot_be_written_loses_none_of_the_others(
    write: Callable[..., bool], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "gone/summary.md")

    written = write(Outputs(Path("json.out"), Path("gone/junit.xml"), Path("gradescope.out"), ci=True))

    assert not written
    assert Path("json.out").is_file() and Path("gradescope.out").is_file()
    assert capsys.readouterr().err.splitlines() == [
        "autograde: gone/junit.xml: No such file or directory; expected a place that can be written; choose another",
        "autograde: GITHUB_STEP_SUMMARY is gone/summary.md: No such file or directory; "
        "expected a file that can be written; look at the runner",
    ]


def test_a_summary_that_is_there_already_leaves_less_room(
    write: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    Path("summary.md").write_bytes(b"x" * (SUMMARY_BYTES - 500))
    long = replace(REPORT, checks=(replace(RAISED, message="y" * 1000),))

    assert write(Outputs(ci=True), long)

    text = Path("summary.md").read_text()
    assert SUMMARY_BYTES - 500 < len(text) <= SUMMARY_BYTES
    assert text.endswith("which `--junit FILE` holds.\n")


def test_a_grade_that_is_not_final_goes_to_nobody_who_takes_it(write: Callable[..., bool]) -> None:
    written = write(Outputs(junit=Path("junit.xml"), gradescope=Path("results.json")), OURS)

    assert not written
    assert Path("junit.xml").is_file()
    assert not Path("results.json").exists()


def test_annotations_name_the_file_that_was_graded_as_the_repository_knows_it(
    write: Callable[..., bool], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("work").mkdir()
    for name in ("work/echo.py", "work/echo.ipynb", str(tmp_path / "outside.py")):
        Path(name).touch()
    with tarfile.open("work/ada.tar.gz", "w:gz") as archive:
        archive.add("work/echo.py", "inner/echo.py")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd()))
    monkeypatch.chdir("work")
    report = replace(REPORT, checks=(RAISED,))

    starts = {}
    for path in ("echo.py", "echo.ipynb", "ada.tar.gz/inner/echo.py", "nowhere.py", str(tmp_path / "outside.py")):
        assert write(Outputs(ci=True), report, Submission("ada", "echo", "", "", path))
        starts[path] = capsys.readouterr().out.partition("title=")[0]

    assert starts == {
        "echo.py": "::error file=work/echo.py,line=7,",
        "echo.ipynb": "::error file=work/echo.ipynb,",
        "ada.tar.gz/inner/echo.py": "::error file=work/ada.tar.gz,",
        "nowhere.py": "::error ",
        str(tmp_path / "outside.py"): f"::error file={tmp_path}/outside.py,line=7,",
    }


def test_standard_output_gets_the_same_document_as_a_file(
    write: Callable[..., bool], capsys: pytest.CaptureFixture[str]
) -> None:
    report = replace(REPORT, checks=(replace(RAISED, message=":::: ####"),))

    write(Outputs(json=STDOUT), report)
    write(Outputs(json=Path("json.out")), report)

    assert json.loads(capsys.readouterr().out) == json.loads(Path("json.out").read_text())
