"""Grade one class with stock nbgrader and with the autograder, in one run, and compare time and scores.

The class: twelve students, one assignment, four checks that weigh the same: values, stability, gradcheck and a plain
speed test. Stock nbgrader runs them as cells of the notebook in a kernel for each student; the autograder runs the same
assertions as checks, each in a sandboxed worker, once by `autograde grade` and once by `nbgrader autograde` with its
preprocessor. A second class hands in twelve times the same, to see how many different scores that gets.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SAWarning

from autograder.sandbox.levels import best_level
from bench.figures import machine, number, print_row

NAME = "soft"
# Right solutions do 1.5 times the baseline's work: full credit for the class, a part for those who submit the same.
CLEAR, CLOSE = 2.5, 1.2
_MODULE = '''\
"""The log-softmax of student {number}."""

import torch


def log_softmax(x):
    shifted = x - x.amax(-1, keepdim=True)
    for _ in range(2):
        total = shifted.exp().sum(-1, keepdim=True)
    return shifted - total.log() + {number} * 0
'''
_BASELINE = _MODULE.replace("range(2)", "range(1)")
_STUB = '"""A log-softmax."""\n\nimport torch\n\n\ndef log_softmax(x):\n    raise NotImplementedError\n'
_COURSE = f"""\
title: A made-up course
course_id: bench
sandbox: {{level}}
assignments:
  - name: {NAME}
    title: Log-softmax
    thresholds:
      speed: {{{{cpu: {{{{full_at: {{full}}, zero_at: {{none}}}}}}}}}}
"""
_CHECKS = '''\
"""Checks of a made-up assignment."""

import torch

from autograder import Speed, Student, assert_close, points


@points(2)
def check_values(student: Student, rng: torch.Generator) -> None:
    """log_softmax agrees with PyTorch."""
    x = torch.randn(64, 100, generator=rng)
    assert_close(student.log_softmax(x), torch.log_softmax(x, -1))


@points(2)
def check_stability(student: Student, rng: torch.Generator) -> None:
    """Large logits give no infinities."""
    x = 1e4 * torch.randn(64, 100, generator=rng)
    assert_close(student.log_softmax(x), torch.log_softmax(x, -1))


@points(2)
def check_gradcheck(student: Student, rng: torch.Generator) -> None:
    """The gradient is that of finite differences."""
    x = torch.randn(3, 5, generator=rng, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(student.log_softmax, (x,))


@points(2)
def check_speed(speed: Speed, rng: torch.Generator) -> None:
    """log_softmax is not much slower than the baseline."""
    speed("log_softmax", lambda: (torch.randn(512, 1024, generator=rng),), lambda x: torch.log_softmax(x, -1))
'''
_CELLS = {
    "values": """\
x = torch.randn(64, 100)
torch.testing.assert_close(log_softmax(x), torch.log_softmax(x, -1))""",
    "stability": """\
x = 1e4 * torch.randn(64, 100)
torch.testing.assert_close(log_softmax(x), torch.log_softmax(x, -1))""",
    "gradcheck": """\
x = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
assert torch.autograd.gradcheck(log_softmax, (x,))""",
    "speed": """\
import math, time

def baseline(x):
    shifted = x - x.amax(-1, keepdim=True)
    return shifted - shifted.exp().sum(-1, keepdim=True).log()

def seconds(f):
    x = torch.randn(512, 1024)
    start = time.perf_counter()
    f(x)
    return time.perf_counter() - start

pairs = [(seconds(log_softmax), seconds(baseline)) for _ in range(11)]
ratio = min(own for own, _ in pairs) / min(other for _, other in pairs)
share = min(1.0, max(0.0, math.log(NONE / ratio) / math.log(NONE / FULL)))
math.ceil(20 * share) / 10""",
}


def write_stock(root: Path, full: float) -> None:
    """Write a course for nbgrader as it is installed; full credit for speed is at this ratio, none at twice as much."""
    folder = root / "source" / NAME
    folder.mkdir(parents=True)
    notebook = {"cells": [_cell("answer", _STUB, points=None)], "metadata": _METADATA, "nbformat": 4}
    texts = {name: text.replace("FULL", str(full)).replace("NONE", str(2 * full)) for name, text in _CELLS.items()}
    notebook["cells"] += [_cell(name, text, points=2) for name, text in texts.items()]  # type: ignore[operator]
    (folder / f"{NAME}.ipynb").write_text(json.dumps({**notebook, "nbformat_minor": 5}), encoding="utf-8")
    (root / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "bench"\n'
        'c.ClearSolutions.code_stub = {"python": "raise NotImplementedError"}\n',
        encoding="utf-8",
    )
    run(root, "-m", "nbgrader", "generate_assignment", NAME)


_METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def _cell(name: str, source: str, points: int | None) -> dict[str, Any]:
    own: dict[str, Any] = {"grade_id": name, "schema_version": 3, "task": False}
    own |= {"grade": points is not None, "locked": points is not None, "solution": points is None}
    own |= {} if points is None else {"points": points}
    outside = {"execution_count": None, "outputs": [], "id": name}
    return {"cell_type": "code", "metadata": {"nbgrader": own}, "source": source, **outside}


def write_ours(root: Path, full: float) -> None:
    """Write the same course for the autograder."""
    folder = root / "assignments" / NAME
    folder.mkdir(parents=True)
    (root / "solutions").mkdir()
    texts = {"course.yml": _COURSE.format(level=best_level(), full_at=full, zero_at=2 * full)}
    files = {f"{NAME}.py": _STUB, f"check_{NAME}.py": _CHECKS, "baseline.py": _BASELINE.format(number=0)}
    texts |= {f"assignments/{NAME}/{file}": text for file, text in files.items()}
    texts[f"assignments/{NAME}/README.md"] = "# Log-softmax\n"
    for path, text in texts.items():
        (root / path).write_text(text, encoding="utf-8")
    shutil.copy(Path(__file__).parent.parent / "nbgrader_config.py", root)
    run(root, "-m", "autograder.cli.main", "build")
    run(root, "-m", "nbgrader", "generate_assignment", NAME)


def hand_in(root: Path, numbers: Sequence[int]) -> None:
    """Let a class submit notebooks; equal numbers submit the same."""
    for folder in ("submitted", "autograded"):
        shutil.rmtree(root / folder, ignore_errors=True)
    for place, own in enumerate(numbers):
        notebook = json.loads((root / "release" / NAME / f"{NAME}.ipynb").read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("solution"):
                cell["source"] = _MODULE.format(number=own)
        folder = root / "submitted" / f"student{place:02}" / NAME
        folder.mkdir(parents=True)
        (folder / f"{NAME}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")


def forget(root: Path) -> None:
    """Forget what was graded."""
    for file in (root / ".autograde").glob("reports.db*"):
        file.unlink()
    shutil.rmtree(root / "autograded", ignore_errors=True)


def run(root: Path, *arguments: str) -> float:
    """Run Python with arguments in a course, and return the wall-clock seconds that it took.

    Raises:
        RuntimeError: If it failed; `autograde grade` may end with 1, when somebody did not pass.
    """
    place = root / ".jupyter"
    scripts = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)))  # alembic's
    environment = {
        **os.environ,
        "PATH": scripts,
        "JUPYTER_CONFIG_DIR": str(place / "config"),
        "JUPYTER_DATA_DIR": str(place / "data"),
    }
    started = time.perf_counter()
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or (done.returncode == 1 and "grade" not in arguments):
        raise RuntimeError(f"{' '.join(arguments)}: {done.stderr[-2000:]}")
    return time.perf_counter() - started


def scores(root: Path) -> list[float]:
    """Return everybody's score in a course's gradebook, in the order of the students."""
    from nbgrader.api import Gradebook

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        with Gradebook(f"sqlite:///{root / 'gradebook.db'}", "bench") as book:
            found = {entry.student.id: float(entry.score) for entry in book.assignment_submissions(NAME)}
    return [found[student] for student in sorted(found)]


def main() -> None:
    """Grade both classes in all ways, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--students", type=int, default=12, help="How many students are in each class.")
    parser.add_argument("--jobs", type=int, default=1, help="How many `autograde grade` grades at once.")
    students = (options := parser.parse_args()).students
    print(f"{machine()}, level {best_level()}")
    stock_way: tuple[str, ...] = ("-m", "nbgrader", "autograde", NAME, "--force")
    our_way = ("-m", "autograder.cli.main", "grade", NAME, "--jobs", str(options.jobs))
    seconds: dict[str, float] = {}
    different: dict[str, int] = {}
    for numbers, full in ((range(students), CLEAR), ([0] * students, CLOSE)):
        same = len(set(numbers)) == 1
        with tempfile.TemporaryDirectory() as place:
            stock, ours = Path(place, "stock"), Path(place, "ours")
            write_stock(stock, full)
            write_ours(ours, full)
            for root in (stock, ours):
                hand_in(root, numbers)
            ways: list[tuple[str, Path, tuple[str, ...], Callable[[Path], None]]] = [
                ("stock", stock, stock_way, lambda root: None),
                ("autograde grade", ours, our_way, forget),
                ("nbgrader autograde", ours, stock_way, forget),
            ]
            for name, root, way, prepare in ways:
                prepare(root)
                taken = run(root, *way)
                found = scores(root)
                print(f"{name}{', all the same' * same}: {taken:.1f} s, scores {' '.join(map(number, found))}")
                if same:
                    different[name] = len(set(found))
                else:
                    seconds[name] = taken
    titles = ["students", *(f"{name}" for name, *_ in ways), "ratio", "ratio with the preprocessor"]
    cells = [students, *(f"{seconds[name]:.1f} s" for name, *_ in ways)]
    cells += [f"1/{number(seconds['stock'] / seconds[name])}" for name, *_ in ways[1:]]
    titles += [f"different scores, {name}" for name, *_ in ways]
    print_row(titles, [*cells, *(different[name] for name, *_ in ways)])


if __name__ == "__main__":
    main()
