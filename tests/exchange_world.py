"""A made-up course with its exchange and its students, each with a folder and an nbgrader cache of their own."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from harness import CHECKS, STUB

from autograder.cli.main import main

COURSE = """
title: A made-up course
course_id: made_up
sandbox: {level}
exchange: ../exchange
late: {{grace_days: 1, penalty_per_day: 0.1, cap: 0.5}}
assignments:
"""
ENTRY = """
  - name: {name}
    title: Give back what you get
    due: {due}
"""


@dataclass(frozen=True)
class World:
    """A folder with `course/` (the instructor's copy), `exchange/` and one folder for each student."""

    root: Path

    @property
    def course(self) -> Path:
        return self.root / "course"

    @property
    def exchange(self) -> Path:
        return self.root / "exchange"

    @property
    def inbound(self) -> Path:
        return self.exchange / "made_up" / "inbound"

    def home(self, student: str) -> Path:
        home = self.root / "students" / student
        home.mkdir(parents=True, exist_ok=True)
        return home

    def environment(self, student: str | None = None) -> dict[str, str]:
        """Return the variables that keep the machine's own Jupyter out."""
        own = self.root / "jupyter" / (student or "instructor")
        return {"JUPYTER_CONFIG_DIR": str(own / "config"), "JUPYTER_DATA_DIR": str(own / "data"), "COLUMNS": "200"}

    def run(self, folder: Path, *arguments: str, student: str | None = None) -> Result:
        """Run a command of ours in a folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            for name, value in self.environment(student).items():
                patch.setenv(name, value)
            return CliRunner().invoke(main, arguments, catch_exceptions=False)

    def instructor(self, *arguments: str) -> Result:
        """Run an instructor's command in the course."""
        return self.run(self.course, *arguments)

    def student(self, student: str, command: str, *arguments: str, within: str = ".") -> Result:
        """Run a student's command in their folder, or in one inside it."""
        folder = self.home(student) / within
        return self.run(folder, command, *arguments, "--student", student, student=student)

    def cached(self, student: str) -> Path:
        """Return where nbgrader keeps a student's own copies."""
        return Path(self.environment(student)["JUPYTER_DATA_DIR"], "nbgrader_cache", "made_up")


def make_course(root: Path, *, level: str, due: dict[str, str]) -> World:
    """Write a course of assignments that are all `echo` under other names."""
    world = World(root)
    solutions = world.course / "solutions"
    solutions.mkdir(parents=True)
    text = COURSE.format(level=level) + "".join(ENTRY.format(name=name, due=when) for name, when in due.items())
    (world.course / "course.yml").write_text(text.lstrip("\n"), encoding="utf-8")
    for name in due:
        folder = world.course / "assignments" / name
        folder.mkdir(parents=True)
        (folder / f"{name}.py").write_text(STUB.lstrip("\n"), encoding="utf-8")
        (folder / f"check_{name}.py").write_text(CHECKS.lstrip("\n"), encoding="utf-8")
        (folder / "README.md").write_text(f"# {name}\n\nGive back what you get.\n", encoding="utf-8")
    shutil.copy(Path(__file__).parent.parent / "nbgrader_config.py", world.course)
    world.exchange.mkdir()
    world.exchange.chmod(0o777)
    return world


def lines_of(result: Result, exit_code: int = 0) -> list[str]:
    """Return what a command printed, having made sure how it ended."""
    assert result.exit_code == exit_code, result.output
    return result.stdout.splitlines()


def refusal(result: Result) -> str:
    """Return the one line with which a command was refused."""
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    return line.removeprefix("autograde: ")
