"""Grade a made-up class and show who gets what, and why.

    python -m bench.demo [--jobs N] [--sandbox LEVEL] [ASSIGNMENT ...]

Every folder beside this file is an assignment's class, one file a student; ``expected.yml`` says which checks each
of them has to lose. The table goes to standard output, progress to standard error. The exit status is 0 if every
student lost exactly what was expected, and 1 if not.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import yaml
from rich.console import Console
from rich.text import Text

from autograder.course.loading import Assignment, load_course
from autograder.grading.executor import grade_all
from autograder.grading.job import Job
from autograder.report.model import Report
from autograder.report.terminal import show_class
from autograder.report.text import number
from autograder.sandbox.levels import best_level, require
from autograder.submission.reading import read_submissions

_HERE = Path(__file__).resolve().parent
_COURSE = _HERE.parent.parent / "course.yml"
_ALL = "all"

Expected = dict[str, dict[str, str | list[str]]]


def expected_losses() -> Expected:
    """Return for each assignment and student the checks to lose, or ``all``."""
    table: Expected = yaml.safe_load((_HERE / "expected.yml").read_text(encoding="utf-8"))
    return table


def grade_class(assignment: Assignment, *, level: str, jobs: int) -> list[Report]:
    """Grade an assignment's class, telling standard error of every student who is done.

    Args:
        assignment: The assignment.
        level: The sandbox level.
        jobs: How many students are graded at once.
    """
    stub = assignment.stub.read_text(encoding="utf-8")
    submissions = read_submissions([_HERE / assignment.name], name=assignment.name, stub=stub)
    reports: dict[int, Report] = {}
    for place, report in grade_all(Job(_COURSE, assignment.name, level), submissions, jobs=jobs):
        reports[place] = report
        done = f"{len(reports)}/{len(submissions)}"
        score = f"{number(report.score)}/{number(report.max_score)}"
        print(f"{assignment.name} {done}: {report.student} {score} in {report.seconds:.1f} s", file=sys.stderr)
    return [reports[place] for place in sorted(reports)]


def surprises(reports: Sequence[Report], expected: dict[str, str | list[str]]) -> list[str]:
    """Say in which ways a class did not get what was expected.

    Args:
        reports: The class's reports.
        expected: For each student the checks to lose, or ``all``.
    """
    found = []
    for report in reports:
        lost = {check.name for check in report.checks if not check.full}
        names = {check.name for check in report.checks}
        wanted = expected.get(report.student, [])
        must_lose = names if wanted == _ALL else set(wanted)
        words = [f"kept {name}" for name in sorted(must_lose - lost)]
        words += [f"lost {name}" for name in sorted(lost - must_lose)]
        words += [f"earned {number(report.score)} points" for _ in range(wanted == _ALL and report.score > 0)]
        words += [f"{check.name} ended in our own fault" for check in report.checks if check.verdict == "grader_error"]
        if words:
            found.append(f"{report.assignment}: {report.student}: {', '.join(words)}")
    graded = {report.student for report in reports}
    return found + [
        f"{student}: expected, but no such file was graded" for student in expected if student not in graded
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade the classes of the named assignments, of all by default; return the exit status."""
    parser = argparse.ArgumentParser(description="Grade a made-up class and show who gets what, and why.")
    parser.add_argument("assignments", nargs="*", metavar="ASSIGNMENT", help="by default all that have a class")
    parser.add_argument("--jobs", type=int, default=2, help="how many students are graded at once (default 2)")
    parser.add_argument("--sandbox", default=None, metavar="LEVEL", help="by default the strongest there is here")
    chosen = parser.parse_args(arguments)
    expected = expected_losses()
    course = load_course(_COURSE)
    level = chosen.sandbox or best_level()
    require(level)
    out = Console(highlight=False)

    bad: list[str] = []
    started, students = time.perf_counter(), 0
    for name in chosen.assignments or list(expected):
        assignment = course.assignment(name)
        count = len(expected[name])
        title = f"{assignment.title}: {count} students, each in a sandbox of level {level}"
        out.print(Text(f"\n{title}\n", style="bold"))
        reports = grade_class(assignment, level=level, jobs=chosen.jobs)
        students += len(reports)
        show_class(out, reports)
        bad += surprises(reports, expected[name])
    seconds = time.perf_counter() - started
    out.print(f"\n{students} submissions graded in {seconds:.1f} s, {chosen.jobs} at a time")
    for words in bad:
        out.print(Text(f"not as expected: {words}", style="red"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
