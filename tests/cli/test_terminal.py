"""The command line as a person meets it: help with examples, completion, colour, quiet, and checking on save."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from commands import WRONG, autograde
from harness import RIGHT, Lab

from autograder.cli.help import EXAMPLES, SECTIONS
from autograder.cli.main import main
from autograder.files import is_work, saves

_COLOUR = re.compile(r"\x1b\[(?:\d+;)*3\d(?:;\d+)*m")
_WAIT_S = 60


@pytest.fixture
def course(lab: Lab) -> Lab:
    lab.make()
    return lab


# -- help --------------------------------------------------------------------------------------------------------------


def test_every_command_stands_in_one_section_of_the_help_and_has_examples() -> None:
    listed = [name for names in SECTIONS.values() for name in names]

    assert sorted(listed) == sorted(main.commands)
    assert sorted(EXAMPLES) == sorted(main.commands)


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_every_example_is_one_that_the_command_takes(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program, *words = shlex.split(line)
    for name in words:
        if name.endswith((".json", ".xml")) and "report" in words:
            Path(name).touch()

    with main.make_context(program, list(words)) as group:
        name, command, rest = main.resolve_command(group, list(words))
        assert command is not None and name is not None
        command.make_context(name, rest, parent=group).close()


def test_help_shows_examples_as_they_are_typed(course: Lab) -> None:
    lines = autograde(course, "check", "--help").stdout.splitlines()

    assert lines[lines.index("  Examples:") + 1 :] == [f"    {line}" for line in EXAMPLES["check"]]


# -- completion --------------------------------------------------------------------------------------------------------


def completed(words: list[str], incomplete: str) -> list[str]:
    shell = ShellComplete(main, {}, "autograde", "_AUTOGRADE_COMPLETE")
    return [item.value for item in shell.get_completions(words, incomplete)]


def test_a_shell_completes_commands_assignments_and_checks(course: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(course.root / "assignments")

    assert completed([], "che") == ["check"]
    assert completed(["check"], "e") == ["echo"]
    assert completed(["grade"], "x") == []
    assert completed(["check", "echo", "--only"], "") == ["echo", "twice"]


def test_completion_outside_of_a_course_or_in_a_broken_one_is_silent(
    course: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.write("course.yml", "title: A\nassignmnts: []\n")

    for folder in (tmp_path, course.root):
        monkeypatch.chdir(folder)
        assert completed(["check"], "") == []
        assert completed(["check", "echo", "--only"], "") == []


@pytest.mark.parametrize(("shell", "sign"), [("bash", "complete -o"), ("zsh", "#compdef"), ("fish", "complete --no")])
def test_the_script_of_each_shell_is_printed(course: Lab, shell: str, sign: str) -> None:
    result = autograde(course, "completion", shell)

    assert result.exit_code == 0
    assert sign in result.stdout and "_AUTOGRADE_COMPLETE" in result.stdout
    assert result.stderr.startswith("keep it as a file: ")


# -- colour and quiet --------------------------------------------------------------------------------------------------


def test_no_color_takes_the_colour_away(course: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = autograde(course, "doctor").stdout
    monkeypatch.setenv("NO_COLOR", "1")

    plain = autograde(course, "doctor").stdout

    assert _COLOUR.search(coloured)
    assert not _COLOUR.search(plain)


def test_a_quiet_check_says_the_score_and_nothing_else(course: Lab) -> None:
    course.write("mine.py", WRONG)

    result = autograde(course, "check", "echo", "mine.py", "--quiet")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "mine: 1/3\n", "")


def test_a_quiet_class_is_a_line_for_each_student(course: Lab) -> None:
    course.write("class/ada/echo.py", RIGHT)
    course.write("class/bob/echo.py", WRONG)

    result = autograde(course, "grade", "echo", "class", "-q", "--sandbox", "auto")

    assert (result.exit_code, result.stdout, result.stderr) == (1, "ada: 3/3\nbob: 1/3\n", "")


def test_full_marks_name_the_next_step(course: Lab) -> None:
    course.write("mine.py", RIGHT)

    result = autograde(course, "check", "echo", "mine.py")

    assert (result.exit_code, result.stderr) == (0, "next: `autograde submit echo` hands it in\n")


# -- checking on save --------------------------------------------------------------------------------------------------


@pytest.fixture
def watching(course: Lab) -> Iterator[subprocess.Popen[str]]:
    course.write("mine.py", WRONG)
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder.cli.main", "check", "echo", "mine.py", "--watch", "--quiet"],
        cwd=course.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with process:
        yield process
        process.kill()


def lines_until(process: subprocess.Popen[str], last: str) -> list[str]:
    """Return what a command prints up to a line that begins so, without the times."""
    assert process.stdout is not None
    lines: list[str] = []
    deadline = time.monotonic() + _WAIT_S
    while not lines or not lines[-1].startswith(last):
        assert time.monotonic() < deadline, lines
        line = process.stdout.readline()
        assert line, lines  # the command has not ended
        lines.append(line.rstrip())
    return [line for line in lines if not re.fullmatch(r"\d\d:\d\d:\d\d", line)]


def test_each_save_is_checked_however_it_is_saved(course: Lab, watching: subprocess.Popen[str]) -> None:
    again = "waiting for the next save; Ctrl-C ends"
    seen = [lines_until(watching, again)]
    course.write("mine.py", RIGHT)
    seen.append(lines_until(watching, again))
    os.replace(course.write("draft", "def echo(x):\n    return x\n"), course.root / "mine.py")
    seen.append(lines_until(watching, again))
    (course.root / "mine.py").unlink()
    seen.append(lines_until(watching, again))
    course.write("mine.py", RIGHT)
    seen.append(lines_until(watching, again))
    watching.send_signal(signal.SIGINT)

    assert watching.wait(_WAIT_S) == 0
    assert [lines[0] for lines in (seen[0], seen[1], seen[2], seen[4])] == [
        "mine: 1/3",
        "mine: 3/3",
        "mine: 2/3",
        "mine: 3/3",
    ]
    assert seen[3][0].startswith("autograde: mine.py: ")


def test_what_is_saved_while_somebody_is_busy_is_noticed(tmp_path: Path) -> None:
    changes = saves([tmp_path / "mine.py"])
    next(changes)

    (tmp_path / "mine.py").write_text("x = 1\n")

    next(changes)  # would wait for ever
    changes.close()


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/course/echo/echo.py", True),
        ("/course/echo/part/more.py", True),
        ("/home/mine.py", True),
        ("/home/other.py", False),
        ("/course/echo/.echo.py.swp", False),
        ("/course/echo/echo.py~", False),
        ("/course/echo/__pycache__/echo.pyc", False),
        ("/course/echo/.ipynb_checkpoints/echo.ipynb", False),
    ],
)
def test_what_editors_and_python_keep_is_no_save(path: str, counts: bool) -> None:
    assert is_work(Path(path), [Path("/course/echo"), Path("/home/mine.py")]) is counts
