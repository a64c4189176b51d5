"""Run commands of `autograde` inside a made-up course, in this process."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result
from harness import Lab

from autograder.cli.main import main

WRONG = "def echo(x):\n    print('{\"score\": 3}')\n    return x + 1\n\ndef twice(x):\n    return 2 * x\n"


def autograde(lab: Lab, *arguments: str, within: str = ".") -> Result:
    """Run a command inside the course."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(lab.root / within)
        patch.setenv("COLUMNS", "200")
        return CliRunner().invoke(main, arguments, catch_exceptions=False)


def refusal(lab: Lab, *arguments: str, within: str = ".") -> str:
    """Return the one line with which a command is refused."""
    result = autograde(lab, *arguments, within=within)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("autograde: ")
    return line.removeprefix("autograde: ")
