"""Measure how fast a class is graded, on one machine and on a small cluster, and what 1000 or 10 000 submissions cost.

    python -m bench.class_rate [--students N] [--thousand N] [--stand-ins N] [--only PART]

Rate: different copies of logsoftmax's reference solution, without and with its speed check, graded one and two at a
time and by two Dask workers on this machine; and bench.nbgrader's class with four checks, against stock `nbgrader
autograde` in the same run. A rate counts what came after the first report, so that no start is in it; stock
nbgrader's start is taken off as the time that it needs for a class of one. Memory: the proportional share of all
processes, while many small submissions are graded two at a time. Store: reports made up, kept one by one, each in a
transaction, and shown by the progress bar.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from autograder.course.loading import load_course
from autograder.grading.executor import grade_all
from autograder.grading.job import Job
from autograder.grading.report_store import Store
from autograder.report.model import CheckResult, Report
from autograder.sandbox.levels import best_level
from autograder.submission.reading import Submission, read_submission
from bench import figures
from bench import nbgrader as stock

ROOT = Path(__file__).resolve().parent.parent
GOALS = {"two": 1.8, "dask": 0.9, "stock": 20.0, "memory_bytes": 2 << 30, "reports": 200.0}
_SMALL = {
    "course.yml": "title: Small\nassignments:\n  - name: small\n    title: Small\n",
    "assignments/small/small.py": '"""The stub."""\n',
    "assignments/small/check_small.py": '''"""A small check."""

import torch

from autograder import Student, assert_close, points


@points(1)
def check_double(student: Student, rng: torch.Generator) -> None:
    """It doubles."""
    x = torch.randn(100, generator=rng)
    assert_close(student.double(x), 2 * x)
''',
}


def copies(source: str, name: str, count: int) -> list[Submission]:
    """Return so many submissions that differ in a comment alone."""
    with tempfile.TemporaryDirectory(prefix="autograde-bench-") as folder:
        found = []
        for number in range(count):
            path = Path(folder, f"student{number:05}.py")
            path.write_text(f"{source}\n# {number}\n", encoding="utf-8")
            found.append(read_submission(path, name=name, student=path.stem))
        return found


def a_minute(job: Job, submissions: list[Submission], *, jobs: int = 1, scheduler: str | None = None) -> float:
    """Return how many submissions are graded in a minute, once grading has begun."""
    moments = [time.perf_counter() for _ in grade_all(job, submissions, jobs=jobs, scheduler=scheduler)]
    side_by_side = max(jobs, 2 if scheduler else 1)
    return 60 * (len(moments) - side_by_side) / (moments[-1] - moments[side_by_side - 1])


@contextmanager
def cluster(count: int) -> Iterator[str]:
    """Run a scheduler and workers of one thread on this machine; yields the scheduler file."""
    with tempfile.TemporaryDirectory(prefix="autograde-bench-") as folder:
        file = Path(folder, "scheduler.json")
        common = ["--host=127.0.0.1", "--no-dashboard", f"--scheduler-file={file}"]
        commands = [["distributed.cli.dask_scheduler", "--port=0", *common]]
        commands += [["distributed.cli.dask_worker", "--nthreads=1", "--no-nanny", *common]] * count
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        running = []
        try:
            for command in commands:
                running.append(subprocess.Popen([sys.executable, "-m", *command], cwd=folder, **quiet))  # type: ignore[call-overload]
                while not file.exists():
                    time.sleep(0.1)
            from distributed import Client

            with Client(scheduler_file=str(file), set_as_default=False) as client:
                client.wait_for_workers(count, timeout=60)
            yield str(file)
        finally:
            for process in running:
                process.kill()
                process.wait()


def measure_rates(students: int) -> None:
    """Print how many submissions a minute are graded in each way."""
    course = load_course(ROOT / "course.yml")
    assignment = course.assignment("logsoftmax")
    everybody = copies((assignment.solutions / "logsoftmax.py").read_text(encoding="utf-8"), "logsoftmax", students)
    plain = tuple(name for name in assignment.check_names() if name != "speed")
    titles = ["logsoftmax", "1 job, a minute", "2 jobs", "2 Dask workers", "2 jobs ÷ 1", "Dask ÷ 2 jobs", "goals"]
    for label, select in (("without speed", plain), ("with speed", None)):
        job = Job(course.path, "logsoftmax", best_level(), select=select)
        one, two = (a_minute(job, everybody, jobs=jobs) for jobs in (1, 2))
        with cluster(2) as scheduler:
            dask = a_minute(job, everybody, scheduler=scheduler)
        met = two / one >= GOALS["two"] and dask / two >= GOALS["dask"]
        cells = [*(figures.number(rate) for rate in (one, two, dask)), f"{two / one:.2f}", f"{dask / two:.2f}"]
        figures.print_row(titles, [label, *cells, "met" if met else "MISSED"])


def measure_against_stock(students: int) -> None:
    """Print the rate on equal checks against that of stock nbgrader."""
    with tempfile.TemporaryDirectory(prefix="autograde-bench-") as place:
        theirs, ours = Path(place, "stock"), Path(place, "ours")
        command = ("-m", "nbgrader", "autograde", stock.NAME, "--force")
        stock.write_stock(theirs, stock.CLEAR)
        stock.write_ours(ours, stock.CLEAR)
        seconds = []
        for count in (1, 1 + students):
            stock.hand_in(theirs, range(count))
            seconds.append(stock.run(theirs, *command))
        stock.hand_in(ours, range(students + 2))
        job = Job(ours / "course.yml", stock.NAME, best_level())
        everybody = [
            read_submission(folder / stock.NAME, name=stock.NAME, student=folder.name)
            for folder in sorted((ours / "submitted").iterdir())
        ]
        nbgrader = 60 * students / (seconds[1] - seconds[0])
        rates = [a_minute(job, everybody, jobs=jobs) for jobs in (1, 2)]
    titles = ["four equal checks", "stock, a minute", "1 job", "2 jobs", "1 job ÷ stock", "2 jobs ÷ stock", "goal"]
    ratios = [rate / nbgrader for rate in rates]
    cells = [figures.number(value) for value in (nbgrader, *rates, *ratios)]
    met = max(ratios) >= GOALS["stock"]
    figures.print_row(titles, [f"{students} students", *cells, "met" if met else "MISSED"])


def measure_memory(count: int) -> None:
    """Print what all processes hold together while a large class is graded."""
    with tempfile.TemporaryDirectory(prefix="autograde-bench-") as place:
        for name, text in _SMALL.items():
            path = Path(place, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        everybody = copies("def double(x):\n    return 2 * x\n", "small", count)
        readings: list[tuple[int, int]] = []
        done, over = [0], threading.Event()

        def watch() -> None:
            while not over.wait(0.25):
                readings.append((done[0], held_bytes()))

        watcher = threading.Thread(target=watch)
        watcher.start()
        for _ in grade_all(Job(Path(place, "course.yml"), "small", best_level()), everybody, jobs=2):
            done[0] += 1
        over.set()
        watcher.join()
    tenths = [max(held for graded, held in readings if graded <= count * part) for part in (0.2, 0.6, 1.0)]
    titles = ["submissions", "peak after a fifth", "after three fifths", "at the end", "goal: flat, under 2 GiB"]
    met = tenths[-1] < GOALS["memory_bytes"] and tenths[-1] < 1.1 * tenths[0]
    figures.print_row(titles, [count, *(f"{held / (1 << 20):.0f} MiB" for held in tenths), "met" if met else "MISSED"])


def held_bytes() -> int:
    """Return the proportional set size of this process and all below it."""
    total = 0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        try:
            total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return total


def measure_store(count: int) -> None:
    """Print how many made-up reports a second go through store and progress bar."""
    from rich.console import Console
    from rich.progress import Progress

    check = CheckResult("double", "It doubles", 1.0, 1.0, "passed", "", False, 0.1)
    report = Report("", "small", "", None, "cpu", "namespaces", "00", 0.1, (), (check,) * 8)
    submission = Submission("ada", "small", "x = 1\n", "", "small.py")
    with tempfile.TemporaryDirectory(prefix="autograde-bench-") as place:
        store = Store(f"sqlite:///{place}/reports.db")
        started = time.perf_counter()
        with Progress(console=Console(file=io.StringIO(), force_terminal=True)) as progress:
            task = progress.add_task("small", total=count)
            for number in range(count):
                digest = f"sha256:{number}"
                store.keep("job", replace(submission, digest=digest), replace(report, digest=digest))
                progress.update(task, advance=1)
        rate = count / (time.perf_counter() - started)
    figures.print_row(
        ["made-up reports", "a second", "goal: over 200"],
        [count, figures.number(rate), "met" if rate > GOALS["reports"] else "MISSED"],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how fast a class is graded.")
    parser.add_argument("--students", type=int, default=24, help="submissions for each rate (default 24)")
    parser.add_argument("--thousand", type=int, default=1000, help="submissions while memory is watched (default 1000)")
    parser.add_argument("--stand-ins", type=int, default=10_000, help="made-up reports for the store (default 10000)")
    parser.add_argument("--only", choices=["rate", "stock", "memory", "store"], help="measure only one of these")
    chosen = parser.parse_args()
    print(f"class_rate: {figures.machine()}; level {best_level()}")
    parts = {
        "rate": lambda: measure_rates(chosen.students),
        "stock": lambda: measure_against_stock(chosen.students // 2),
        "memory": lambda: measure_memory(chosen.thousand),
        "store": lambda: measure_store(chosen.stand_ins),
    }
    for name, part in parts.items():
        if chosen.only in (None, name):
            part()


if __name__ == "__main__":
    main()
