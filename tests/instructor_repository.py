"""A made-up instructor's repository: two assignments, a secret, hidden checks, and much that must not leave it."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result
from harness import CHECKS, RIGHT, STUB

from autograder.authoring.notebooks import write_notebooks
from autograder.cli.main import main
from autograder.course.loading import Course, load_course

# None of these may be found in anything that students get.
SECRETS = ("swordfish", "grades.db", "exchange_folder", "images_folder", "only_the_reference", "expected_4711")
COURSE = """\
# The word for today is swordfish.
title: A made-up course
sandbox: {level}
secret_file: private/swordfish
gradebook: sqlite:////srv/grades.db
exchange: /srv/exchange_folder
data: /srv/images_folder
late: {{grace_days: 2}}
assignments:
  - name: echo
    title: "Give back | what you get"
    due: 2030-01-31 23:59
    limits: {{time: 20 s}}  # swordfish
  - name: other
    title: The same once more
"""
HIDDEN = '''
"""Hidden checks: swordfish."""

import torch

from autograder import Student, assert_close, points


@points(2, hint="swordfish")
def check_zero(student: Student) -> None:
    """Echo gives back zero."""
    expected_4711 = torch.zeros(3)
    assert_close(student.echo(torch.zeros(3)), expected_4711)
'''
REFERENCE = f'"""only_the_reference"""\n{RIGHT}'


def make_instructors_course(root: Path, *, level: str = "namespaces") -> Course:
    """Write the repository and load its course."""
    files = {"course.yml": COURSE.format(level=level), "private/swordfish": "swordfish swordfish\n"}
    for name in ("echo", "other"):
        files |= {
            f"assignments/{name}/{name}.py": STUB,
            f"assignments/{name}/README.md": f"# {name}\n",
            f"assignments/{name}/check_{name}.py": CHECKS,
            f"solutions/{name}/{name}.py": REFERENCE,
            f"solutions/{name}/check_{name}_hidden.py": HIDDEN,
            f"solutions/{name}/wrong/swordfish.py": f'"""swordfish"""\nFAILS = ["zero"]\n{RIGHT}',
            f"solutions/{name}/attacks/swordfish.py": f'"""swordfish"""\n{RIGHT}',
        }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(dedent(text).lstrip("\n"), encoding="utf-8")
    (root / "assignments/echo/__pycache__").mkdir()
    (root / "assignments/echo/__pycache__/echo.pyc").write_bytes(b"swordfish")
    course = load_course(root / "course.yml")
    write_notebooks(course.assignments)
    return course


def autograde(folder: Path, *arguments: str | Path) -> Result:
    """Run a command of ours in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("AUTOGRADE_SECRET", raising=False)
        return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


def refusal(result: Result) -> str:
    """Return the one line with which a command was refused."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    return line.removeprefix("autograde: ")


def files_in(folder: Path) -> dict[str, bytes]:
    """Return the files in a folder by name."""
    found = {}
    for top, _, names in os.walk(folder):
        for name in names:
            path = Path(top) / name
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found
