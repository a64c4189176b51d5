"""Time a sandboxed worker's first answer against a fresh Python that imports torch.

    python -m bench.start_worker [--starts N] [--baselines N] [--sandbox LEVEL]

The candidate: ask the forkserver for a worker, let it lock itself in, load a small module and answer one call with a
tensor. The named baseline: ``python -c "import torch"``, which is what a grader without a forkserver pays before a
submission can even be loaded. The two take turns. Goal: a ratio of 1/50 or less.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

import torch

from autograder.course.schema import Limits
from autograder.sandbox.levels import best_level, require
from autograder.sandbox.start import Sandbox, make_sandbox
from autograder.wire import values
from bench import figures

MODULE = "def double(x):\n    return 2 * x\n"
GOAL = 1 / 50


def first_answer_s(sandbox: Sandbox, number: int) -> float:
    """Return the seconds from the request for a worker to its first answer to a call."""
    x = torch.arange(6.0)
    started = time.perf_counter()
    worker = sandbox.start(Limits(), seed=number)
    worker.request("load", role="submission", name="small", source=MODULE)
    body = values.Body()
    call = {
        "target": "submission:double",
        "args": values.encode((x,), body, keep_strides=True),
        "kwargs": values.encode({}, body),
        "grad_mode": False,
        "watch": False,
    }
    header, buffers = worker.request("call", body.buffers, **call)
    seconds = time.perf_counter() - started
    result = values.Decoder(buffers).decode(header["result"])
    worker.close()
    if not torch.equal(result, 2 * x):
        raise RuntimeError("the worker's answer is wrong")
    return seconds


def fresh_python_s() -> float:
    """Return the seconds that a fresh Python takes to import torch."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time a sandboxed worker's first answer against a fresh Python.")
    parser.add_argument("--starts", type=int, default=200, help="workers to start")
    parser.add_argument("--baselines", type=int, default=20, help="fresh interpreters to start")
    parser.add_argument("--sandbox", default=None, help="the level; by default the strongest there is here")
    chosen = parser.parse_args()
    level = chosen.sandbox or best_level()
    require(level)
    print(f"start_worker: {figures.machine()}")

    sandbox = make_sandbox(level)
    ready = time.perf_counter()
    first_answer_s(sandbox, 0)
    ready_s = time.perf_counter() - ready
    fresh_python_s()  # the first one of all reads torch from the disk
    each = -(-chosen.starts // chosen.baselines)
    workers, baselines = [], []
    for turn in range(chosen.baselines):
        baselines.append(fresh_python_s())
        workers += [first_answer_s(sandbox, turn * each + number) for number in range(each)]
    sandbox.close()

    worker = figures.Sample(tuple(1e3 * seconds for seconds in workers), "ms")
    baseline = figures.Sample(tuple(baselines), "s")
    ratio = worker.median / (1e3 * baseline.median)
    print(f"level {level}; the forkserver itself took {ready_s:.2f} s to be ready, once for each grader")
    print(f"worker, request to first answer: {worker}")
    print(f'baseline, python -c "import torch": {baseline}')
    print(
        f"ratio of medians: 1/{1 / ratio:.0f} (goal: 1/{1 / GOAL:.0f} or less): {'met' if ratio <= GOAL else 'MISSED'}"
    )
    figures.print_row(
        ("level", "first answer of a worker", 'python -c "import torch"', "ratio"),
        (level, worker, baseline, f"1/{1 / ratio:.0f}"),
    )


if __name__ == "__main__":
    main()
