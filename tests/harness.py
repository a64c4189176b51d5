"""A made-up course with one assignment, `echo`, and the means to grade inline submissions in it.

Forking a worker takes milliseconds, starting a forkserver takes seconds: tests share one forkserver a level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from textwrap import dedent
from typing import Any

from autograder.checks.launcher import Launcher, Sources
from autograder.checks.student import Student
from autograder.course.loading import Course, Threshold, load_course
from autograder.grading.grade_submission import grade_submission
from autograder.grading.job import Job
from autograder.report.model import Report
from autograder.sandbox.start import Limits, Sandbox, WorkerHandle
from autograder.submission.reading import read_submission

STUB = '''
"""Give back what you get."""

import torch


def echo(x: torch.Tensor) -> torch.Tensor:
    """Return x."""
    raise NotImplementedError("echo")


def twice(x: torch.Tensor) -> torch.Tensor:
    """Return 2 x."""
    raise NotImplementedError("twice")
'''

RIGHT = """
def echo(x):
    return x.clone()

def twice(x):
    return 2 * x
"""

CHECKS = '''
"""Checks for echo."""

import torch

from autograder import Student, assert_close, points


@points(2)
def check_echo(student: Student, rng: torch.Generator) -> None:
    """Echo returns what it got."""
    x = torch.randn(4, generator=rng)
    assert_close(student.echo(x), x)


@points(1)
def check_twice(student: Student, rng: torch.Generator) -> None:
    """Twice returns double of what it got."""
    x = torch.randn(4, generator=rng)
    assert_close(student.twice(x), 2 * x)
'''

COURSE = """
title: A made-up course
sandbox: {level}
assignments:
  - name: echo
    title: Give back what you get
    due: 2030-01-31 23:59
"""

# Stands for what the environment of a grader may hold, in CI for example.
TOKEN = "swordfish-4711"

# Far more than any submission of these tests needs, even on a machine that does other things too.
LIMITS = Limits(time_s=30.0, load_time_s=30.0, memory_bytes=2 << 30)


@dataclass
class Lab:
    """A course in a folder of the test's own.

    Attributes:
        root: The course's folder.
        sandbox: Where its submissions run.
        open: The workers' starters to end with the test.
    """

    root: Path
    sandbox: Sandbox
    open: list[Launcher] = field(default_factory=list)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the course."""
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return place

    def make(self, checks: str = CHECKS, *, hidden: str = "", probes: str = "", baseline: str = "") -> Course:
        """Write the course and load it."""
        self.write("course.yml", COURSE.format(level=self.sandbox.level))
        self.write("assignments/echo/echo.py", STUB)
        self.write("assignments/echo/README.md", "# Echo\n")
        self.write("assignments/echo/check_echo.py", checks)
        for path, text in (
            ("solutions/echo/check_echo_hidden.py", hidden),
            ("assignments/echo/probes.py", probes),
            ("assignments/echo/baseline.py", baseline),
        ):
            if text:
                self.write(path, text)
        return load_course(self.root / "course.yml")

    def grade(
        self,
        source: str,
        checks: str = CHECKS,
        *,
        limits: Limits = LIMITS,
        forbidden: Sequence[str] = (),
        thresholds: Mapping[str, Threshold] | None = None,
        **files: str,
    ) -> Report:
        """Grade a submission.

        Args:
            source: The submission's module.
            checks: The public check file.
            limits: What it may use, less than any course may say.
            forbidden: The calls that the assignment forbids.
            thresholds: Bounds by check, for the CPU.
            files: ``hidden``, ``probes`` or ``baseline``.
        """
        course = self.make(checks, **files)
        assignment = replace(
            course.assignment("echo"),
            limits=limits,
            forbidden=tuple(forbidden),
            thresholds={name: {"cpu": bounds} for name, bounds in (thresholds or {}).items()},
        )
        path = self.write("submissions/ada/echo.py", source)
        submission = read_submission(path, name="echo")
        course = replace(course, assignments=(assignment,))
        return grade_submission(course, submission, self.sandbox, Job(course.path, "echo", self.sandbox.level))

    def workers(self, source: str, *, limits: Limits = LIMITS, **sources: Any) -> Launcher:
        """Return the starter of a submission's workers; its workers end with the test."""
        workers = Launcher(self.sandbox, Sources("echo", dedent(source), **sources), limits)
        self.open.append(workers)
        return workers

    def student(self, source: str, *, limits: Limits = LIMITS, **sources: Any) -> Student:
        """Return a submission in a worker that ends with the test."""
        return self.workers(source, limits=limits, **sources).student()

    def worker(self, *, limits: Limits = LIMITS, seed: int = 0) -> WorkerHandle:
        """Return a worker with nothing loaded; the caller closes it."""
        return self.sandbox.start(limits, seed=seed)

    @contextmanager
    def ending(self) -> Iterator[Lab]:
        """End all workers afterwards."""
        try:
            yield self
        finally:
            for workers in self.open:
                workers.end_all()
