"""Time the grading of a reference solution at sandbox level namespaces against level process.

    python -m bench.sandbox_cost [--gradings N] [--without CHECK ...] [--sandbox LEVEL] [ASSIGNMENT]

The candidate: a grader that is up and grades at level namespaces, each check in a worker with a root, a network, a
process table, memory-backed disks and a user of its own. The named baseline: the same grader at level process, whose
workers share all that with it and have the filter of system calls and the limits alone. Both fork their workers from a
forkserver of their own, and take turns. Goal: a ratio of 1.1 or less, on the wall clock of an idle machine; CPU seconds
(the grader, the forkserver and its workers) stand beside it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import psutil

from autograder.course.loading import load_course
from autograder.grading.grader import Grader
from autograder.grading.job import Job
from autograder.sandbox.levels import require
from autograder.submission.reading import Submission, read_submission
from bench import figures

ROOT = Path(__file__).resolve().parent.parent
GOAL = 1.1
BASELINE = "process"


def cpu_s() -> float:
    """Return the CPU seconds of this process, its forkservers and their workers that have ended."""
    total = time.process_time()
    for child in psutil.Process().children():
        times = child.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total


def grading_s(grader: Grader, submission: Submission) -> tuple[float, float]:
    """Return the wall-clock and the CPU seconds of one grading, which must end with full marks."""
    used, started = cpu_s(), time.perf_counter()
    report = grader.grade(submission)
    seconds = time.perf_counter() - started, cpu_s() - used
    if report.score < report.max_score:
        raise SystemExit(f"the reference solution lost points: {report.score:g} of {report.max_score:g}")
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time gradings at level namespaces against level process.")
    parser.add_argument("assignment", nargs="?", default="logsoftmax", help="the assignment (default: logsoftmax)")
    parser.add_argument("--gradings", type=int, default=15, help="how many times each side runs (default 15)")
    parser.add_argument("--without", action="append", default=[], metavar="CHECK", help="a check to leave out")
    parser.add_argument("--sandbox", default="namespaces", help="the level that is compared with level process")
    chosen = parser.parse_args()
    require(chosen.sandbox)
    print(f"sandbox_cost: {figures.machine()}")

    course = load_course(ROOT / "course.yml")
    assignment = course.assignment(chosen.assignment)
    submission = read_submission(assignment.solutions / f"{assignment.name}.py", name=assignment.name)
    select = tuple(name for name in assignment.check_names() if name not in chosen.without)
    levels = (chosen.sandbox, BASELINE)
    graders = {level: Grader(Job(course.path, assignment.name, level, select=select)) for level in levels}
    wall: dict[str, list[float]] = {level: [] for level in levels}
    cpu: dict[str, list[float]] = {level: [] for level in levels}
    try:
        for level in levels:
            grading_s(graders[level], submission)  # the first one starts the forkserver
        for turn in range(chosen.gradings):
            for level in levels if turn % 2 else levels[::-1]:
                wall_s, used_s = grading_s(graders[level], submission)
                wall[level].append(wall_s)
                cpu[level].append(used_s)
    finally:
        for grader in graders.values():
            grader.close()

    ours, baseline = (figures.Sample(tuple(wall[level])) for level in levels)
    ours_cpu, baseline_cpu = (figures.Sample(tuple(cpu[level])) for level in levels)
    ratio, ratio_cpu = ours.median / baseline.median, ours_cpu.median / baseline_cpu.median
    print(f"{assignment.name}: {len(select)} checks")
    print(f"level {chosen.sandbox}: {ours}; CPU {ours_cpu}")
    print(f"baseline, level {BASELINE}: {baseline}; CPU {baseline_cpu}")
    print(f"ratio of medians: {ratio:.2f} (goal: {GOAL} or less): {'met' if ratio <= GOAL else 'MISSED'}")
    print(f"ratio of CPU seconds: {ratio_cpu:.2f}")
    figures.print_row(
        ("assignment", f"graded at level {chosen.sandbox}", f"at level {BASELINE}", "ratio", "ratio of CPU time"),
        (assignment.name, ours, baseline, f"{ratio:.2f}", f"{ratio_cpu:.2f}"),
    )


if __name__ == "__main__":
    main()
