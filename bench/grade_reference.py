"""Time a warm grading of a reference solution against the same checks run by plain pytest without a sandbox.

    python -m bench.grade_reference [--gradings N] [--without CHECK ...] [ASSIGNMENT]

The candidate: one grading of the reference solution by a grader that is up and has graded before, as in a class: a
sandboxed worker for every check, all checks but speed. The named baseline: ``python -m pytest`` in a fresh process
over the same check files and the same module with ``bench.unsandboxed`` for fixtures, which is how such checks run
where every submission gets a process of its own and no sandbox. The baseline is kept lean: no other plugin is
loaded, torch has all cores, and memory is read in the process itself. The two take turns. Goal: a ratio of 1/3 or
less, on the wall clock of an idle machine; CPU seconds (all processes of each side) stand beside it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import psutil

from autograder.checks import pytest_plugin as plugin
from autograder.checks.pytest_run import check_paths
from autograder.course.loading import Assignment, load_course
from autograder.grading.grader import Grader
from autograder.grading.job import Job
from autograder.report.model import Report
from autograder.sandbox.levels import best_level, require
from autograder.submission.reading import read_submission
from bench import figures

ROOT = Path(__file__).resolve().parent.parent
GOAL = 1 / 3


def own_cpu_s() -> float:
    """Return the CPU seconds of this process, its forkserver and the forkserver's workers that have ended."""
    total = time.process_time()
    for child in psutil.Process().children():
        times = child.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def unsandboxed_s(assignment: Assignment, reference: Path, without: list[str]) -> tuple[float, float]:
    """Run the baseline once; return its wall-clock and its CPU seconds.

    Args:
        assignment: Whose checks run.
        reference: The module that they check.
        without: The checks to leave out.
    """
    options = ["-q", "-c", str(Path(plugin.__file__).with_name("checks.ini")), f"--rootdir={ROOT}"]
    options += ["--disable-plugin-autoload", "-p", "no:cacheprovider", "--import-mode=importlib", "-W", "ignore"]
    options += ["-p", "bench.unsandboxed", f"--module={reference}", *(f"--without={name}" for name in without)]
    files = [str(path) for path in check_paths(assignment, hidden=True)]
    command = [sys.executable, "-m", "pytest", *options, *files]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise SystemExit(f"the baseline does not pass:\n{done.stdout}{done.stderr}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def show_checks(reports: list[Report]) -> None:
    """Print for each check the least seconds of all gradings, to see where the time goes."""
    for check in reports[0].checks:
        least = min(report.check(check.name).seconds for report in reports)
        print(f"  {check.name:20} {least:6.3f} s")
    rest = min(report.seconds - sum(check.seconds for check in report.checks) for report in reports)
    print(f"  {'all else':20} {rest:6.3f} s")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time a warm grading against plain pytest without a sandbox.")
    parser.add_argument("assignment", nargs="?", default="logsoftmax")
    parser.add_argument("--gradings", type=int, default=7, help="how many times each side runs (default 7)")
    parser.add_argument("--without", action="append", metavar="CHECK", help="a check to leave out (default: speed)")
    parser.add_argument("--sandbox", default=None, help="the level; by default the strongest there is here")
    chosen = parser.parse_args()
    level = chosen.sandbox or best_level()
    require(level)
    without = chosen.without or ["speed"]
    print(f"grade_reference: {figures.machine()}")

    course = load_course(ROOT / "course.yml")
    assignment = course.assignment(chosen.assignment)
    reference = assignment.solutions / f"{assignment.name}.py"
    submission = read_submission(reference, name=assignment.name)
    select = tuple(name for name in assignment.check_names() if name not in without)
    grader = Grader(Job(course.path, assignment.name, level, select=select))
    grader.grade(submission)
    unsandboxed_s(assignment, reference, without)

    ours, ours_cpu, baseline, baseline_cpu, reports = [], [], [], [], []
    for _ in range(chosen.gradings):
        used = own_cpu_s()
        started = time.perf_counter()
        report = grader.grade(submission)
        ours.append(time.perf_counter() - started)
        ours_cpu.append(own_cpu_s() - used)
        reports.append(report)
        if report.score < report.max_score:
            raise SystemExit(f"the reference solution lost points: {report.score:g} of {report.max_score:g}")
        wall_s, cpu_s = unsandboxed_s(assignment, reference, without)
        baseline.append(wall_s)
        baseline_cpu.append(cpu_s)
    grader.close()

    graded, graded_cpu = figures.Sample(tuple(ours)), figures.Sample(tuple(ours_cpu))
    plain, plain_cpu = figures.Sample(tuple(baseline)), figures.Sample(tuple(baseline_cpu))
    ratio, ratio_cpu = graded.median / plain.median, graded_cpu.median / plain_cpu.median
    print(f"{assignment.name} without {', '.join(without)}: {len(select)} checks, level {level}")
    print(f"graded, warm, sandboxed:                 {graded}; CPU {graded_cpu}")
    print(f"baseline, pytest in a fresh process:     {plain}; CPU {plain_cpu}")
    print(f"ratio of medians: {ratio:.2f} (goal: {GOAL:.2f} or less): {'met' if ratio <= GOAL else 'MISSED'}")
    print(f"ratio of CPU seconds: {ratio_cpu:.2f}")
    print("least seconds by check:")
    show_checks(reports)
    figures.print_row(
        ("assignment", "graded, sandboxed", "pytest, unsandboxed", "ratio", "ratio of CPU time"),
        (assignment.name, graded, plain, f"{ratio:.2f}", f"{ratio_cpu:.2f}"),
    )


if __name__ == "__main__":
    main()
