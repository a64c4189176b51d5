"""Measure how far the speed ratio of one submission spreads over many gradings, idle and on a busy machine.

    python -m bench.speed_spread [--gradings N] [--busy N] [--only idle|busy] [--sandbox LEVEL]

Graded are the speed check of logsoftmax with its reference solution, and a made-up assignment whose submissions do
1.2, 1.7, 2.3, 3.4, 4.6 and 5.6 times the baseline's work, each 15 % or 40 % away from a threshold (full credit at 2,
none at 4). Each grading is a whole one: fresh workers, warm-up, pairs, verdict. The named baseline is what a plain
timing test does: a wall clock around the same calls in this process, in the least number of alternating pairs, minimum
÷ minimum. Both take turns, so that both see the same machine. Goals, idle and with three busy processes beside it:
the ratio stays within ±10 % of its median, and no verdict flips.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from autograder.checks.measure.speed import PAIRS, WARM_UP_PAIRS
from autograder.grading.grader import Grader
from autograder.grading.job import Job
from autograder.report.credit import share
from autograder.sandbox.levels import best_level, require
from autograder.submission.reading import Submission, read_submission
from bench import figures
from bench.synthetic import RATIOS, write_course

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.10
_BUSY = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(1_000_000))\n"


@dataclass(frozen=True)
class Timing:
    """One timing of a submission.

    Attributes:
        ratio: Its time ÷ the baseline's.
        credit: What that earns: ``full``, ``part`` or ``none``.
        seconds: What the verdict took.
        interval: Where the ratio lies, as its report says.
    """

    ratio: float
    credit: str
    seconds: float
    interval: tuple[float, float] = (0.0, math.inf)


@dataclass(frozen=True)
class Case:
    """One submission and what it takes to time it in either way.

    Attributes:
        name: What it is.
        grader: Grades its speed check.
        submission: The submission.
        inputs: Makes arguments for one call, in this process.
        student: The submission's side of the check, in this process.
        baseline: The baseline's side.
        right: The credit that its true ratio earns; empty where that is not known.
        true: The true ratio; 0 where that is not known.
    """

    name: str
    grader: Grader
    submission: Submission
    inputs: Callable[[], tuple[torch.Tensor, ...]]
    student: Callable[..., Any]
    baseline: Callable[..., Any]
    right: str = ""
    true: float = 0.0

    def graded(self) -> Timing:
        """Grade it by the CPU clock of its workers."""
        check = self.grader.grade(self.submission).check("speed")
        if "ratio" not in check.measured:
            raise SystemExit(f"{self.name}: speed was not measured: {check.verdict}: {check.message}")
        interval = (check.measured["ratio_low"], check.measured["ratio_high"])
        return Timing(check.measured["ratio"], credit_of(check.score / check.points), check.seconds, interval)

    def by_wall_clock(self) -> Timing:
        """Time it by the wall clock in this process."""
        times: dict[int, list[float]] = {0: [], 1: []}
        begun = time.perf_counter()
        for pair in range(WARM_UP_PAIRS + PAIRS):
            for side, function in enumerate((self.student, self.baseline)):
                arguments = self.inputs()
                started = time.perf_counter()
                function(*arguments)
                seconds = time.perf_counter() - started
                if pair >= WARM_UP_PAIRS:
                    times[side].append(seconds)
        ratio = min(times[0]) / min(times[1])
        bounds = self.grader.assignment.thresholds["speed"]["cpu"]
        credit = credit_of(share(ratio, full_at=bounds.full_at, zero_at=bounds.zero_at))
        return Timing(ratio, credit, time.perf_counter() - begun)

    def flips(self, timings: Sequence[Timing]) -> str:
        """Count the verdicts that are not the right one, in words."""
        wrong = sum(timing.credit != self.right for timing in timings)
        return f"{wrong} of {len(timings)}" if self.right else "-"

    def held(self, timings: Sequence[Timing]) -> str:
        """Count the intervals that hold the true ratio, in words."""
        good = sum(timing.interval[0] <= self.true <= timing.interval[1] for timing in timings)
        return f"{good} of {len(timings)}" if self.right else "-"


def credit_of(earned: float) -> str:
    """Name a share of the points."""
    return "full" if earned >= 1 else "none" if earned <= 0 else "part"


def load(path: Path) -> ModuleType:
    """Import a file of ours under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"bench_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def logsoftmax_case(grader: Grader) -> Case:
    """Return the case of logsoftmax's reference solution, with inputs of its check's shape."""
    folder, path = grader.assignment.folder, grader.assignment.solutions / "logsoftmax.py"
    probes, baseline, reference = load(folder / "probes.py"), load(folder / "baseline.py"), load(path)
    return Case(
        name="logsoftmax",
        grader=grader,
        submission=read_submission(path, name="logsoftmax"),
        inputs=lambda: (torch.randn(512, 4096), torch.randn(512, 4096)),
        student=lambda *arguments: probes.forward_backward(reference, *arguments),
        baseline=lambda *arguments: probes.forward_backward(baseline, *arguments),
    )


def synthetic_cases(grader: Grader, submissions: dict[float, Path]) -> list[Case]:
    """Return the cases of known ratio."""
    baseline = load(grader.assignment.folder / "baseline.py")
    return [
        Case(
            name=f"true ratio {ratio}",
            grader=grader,
            submission=read_submission(path, name="units"),
            inputs=lambda: (torch.randn(16384),),
            student=load(path).work,
            baseline=baseline.work,
            right=RATIOS[ratio],
            true=ratio,
        )
        for ratio, path in submissions.items()
    ]


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Keep so many processes computing beside this one; they end with the block, and with this process."""
    running = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure(cases: Sequence[Case], gradings: int, beside: str) -> list[tuple[object, ...]]:
    """Grade every case so many times, print what came of it, and return the rows.

    Args:
        cases: The cases; they take turns.
        gradings: How many times each is graded.
        beside: What runs beside it, for people.
    """
    ours: dict[str, list[Timing]] = {case.name: [] for case in cases}
    plain: dict[str, list[Timing]] = {case.name: [] for case in cases}
    for number in range(gradings):
        for case in cases:
            ours[case.name].append(case.graded())
            plain[case.name].append(case.by_wall_clock())
        print(f"{beside}: {number + 1} of {gradings}", file=sys.stderr)
    rows = []
    for case in cases:
        cells: list[object] = [case.name, beside]
        for timings in (ours[case.name], plain[case.name]):
            sample = figures.Sample(tuple(timing.ratio for timing in timings), "")
            cells += [sample, f"±{sample.spread:.1%}", case.flips(timings)]
            cells.append(figures.number(statistics.median(timing.seconds for timing in timings)))
            cells += [case.held(timings)] if timings is ours[case.name] else []
        wrong = case.right and any(timing.credit != case.right for timing in ours[case.name])
        near = figures.Sample(tuple(timing.ratio for timing in ours[case.name])).spread <= GOAL
        rows.append((*cells, "met" if near and not wrong else "MISSED"))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how far the speed ratio of one submission spreads.")
    parser.add_argument("--gradings", type=int, default=50, help="gradings of each submission (default 50)")
    parser.add_argument("--busy", type=int, default=3, help="busy processes in the second half (default 3)")
    parser.add_argument("--only", choices=["idle", "busy"], help="measure only one half")
    parser.add_argument("--sandbox", default=None, help="the level; by default the strongest there is here")
    chosen = parser.parse_args()
    level = chosen.sandbox or best_level()
    require(level)
    print(f"speed_spread: {figures.machine()}")

    rows: list[tuple[object, ...]] = []
    with ExitStack() as stack:
        made_up = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="autograde-bench-")))
        submissions = write_course(made_up)
        graders = []
        for course, name in ((ROOT, "logsoftmax"), (made_up, "units")):
            graders.append(Grader(Job(course / "course.yml", name, level, select=("speed",))))
            stack.callback(graders[-1].close)
        cases = [logsoftmax_case(graders[0]), *synthetic_cases(graders[1], submissions)]
        if chosen.only != "busy":
            rows += measure(cases, chosen.gradings, "idle")
        if chosen.only != "idle":
            with busy_processes(chosen.busy):
                rows += measure(cases, chosen.gradings, f"{chosen.busy} busy processes")

    print(f"level {level}, {chosen.gradings} gradings each; goal: within ±{GOAL:.0%} of the median, no wrong verdict")
    titles = [
        "submission",
        "beside it",
        "ratio by CPU clock",
        "spread",
        "wrong verdicts",
        "seconds",
        "true ratio inside",
    ]
    titles += ["by wall clock (baseline)", "spread", "wrong verdicts", "seconds", "goal"]
    print(figures.row(*titles))
    print(figures.row(*("---" for _ in titles)))
    for row in rows:
        print(figures.row(*row))


if __name__ == "__main__":
    main()
