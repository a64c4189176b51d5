"""Time the whole grading of every reference solution, phase by phase, with three secrets.

    python -m bench.references [NAME ...] [--secrets N] [--sandbox LEVEL]

Each secret gives other inputs to every check, and every grading must end with full marks: a reference that passes by
luck stops the run. Phases are the checks with a measure of time (`ratio` or `error` in their figures, so speed and
training), those that read memory, all other checks, and all else: loading, collecting the checks, the report. The
named baseline of a row is its own whole: shares are of the seconds that the grading took. The sandbox's own start is
paid once for a class and stands in its own column.
"""

from __future__ import annotations

import argparse
import os
import time

from autograder.course.loading import load_course
from autograder.course.secret import VARIABLE
from autograder.grading.grader import Grader
from autograder.grading.job import Job
from autograder.report.model import CheckResult, Report
from autograder.sandbox.levels import best_level, require
from autograder.submission.reading import read_submission
from bench import figures
from bench.grade_reference import ROOT

SECRETS = 3
PHASES = ("timed", "memory", "values and gradients", "all else")


def phase_of(check: CheckResult) -> str:
    """Name the phase that a check belongs to."""
    if {"ratio", "error"} & set(check.measured):
        return "timed"
    return "memory" if check.name == "memory" else "values and gradients"


def phases_s(report: Report) -> dict[str, float]:
    """Return the seconds of each phase of a grading."""
    seconds = dict.fromkeys(PHASES, 0.0)
    for check in report.checks:
        seconds[phase_of(check)] += check.seconds
    seconds["all else"] = report.seconds - sum(check.seconds for check in report.checks)
    return seconds


def measure(name: str, level: str, secrets: int) -> list[object]:
    """Grade one reference with so many secrets and return its row.

    Raises:
        SystemExit: If a grading loses a point.
    """
    course = load_course(ROOT / "course.yml")
    assignment = course.assignment(name)
    submission = read_submission(assignment.solutions / f"{name}.py", name=name)
    started = time.perf_counter()
    grader = Grader(Job(course.path, name, level))
    grader.sandbox.start(assignment.limits, seed=0).close()
    start_s = time.perf_counter() - started
    reports = []
    for number in range(secrets):
        os.environ[VARIABLE] = f"the benchmark's secret, number {number}"
        report = grader.grade(submission)
        if report.score < report.max_score:
            lost = "; ".join(f"{check.name}: {check.message}" for check in report.checks if not check.full)
            raise SystemExit(f"{name}: secret {number}: {report.score:g} of {report.max_score:g}: {lost}")
        reports.append(report)
    grader.close()
    whole = figures.Sample(tuple(report.seconds for report in reports))
    shares = []
    for phase in PHASES:
        sample = figures.Sample(tuple(phases_s(report)[phase] for report in reports))
        shares.append(f"{figures.number(sample.median)} s, {sample.median / whole.median:.0%}")
    best = f"{secrets} of {secrets} × {reports[0].max_score:g}"
    return [name, best, whole, *shares, f"{figures.number(start_s)} s"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time the grading of every reference solution, phase by phase.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="assignments; by default all")
    parser.add_argument("--secrets", type=int, default=SECRETS, help=f"gradings of each (default {SECRETS})")
    parser.add_argument("--sandbox", default=None, help="the level; by default the strongest there is here")
    chosen = parser.parse_args()
    level = chosen.sandbox or best_level()
    require(level)
    print(f"references: {figures.machine()}; level {level}")
    titles = ["assignment", "full marks", "seconds", *PHASES, "start of the sandbox"]
    print(figures.row(*titles))
    print(figures.row(*("---" for _ in titles)))
    for name in chosen.names or [item.name for item in load_course(ROOT / "course.yml").assignments]:
        print(figures.row(*measure(name, level, chosen.secrets)), flush=True)


if __name__ == "__main__":
    main()
