"""Measure how repeatable a reading of memory is.

    python -m bench.memory_spread [--readings N] [--sandbox LEVEL]

One function makes tensors of many sizes, frees most of them and keeps some; how much it keeps and how much it needs at
its peak is known. Each reading takes a fresh worker, as in a check. The named baseline is what a plain test does: the
same function in a fresh process of its own, whose resident memory is read before and after, with the allocator as it
is. Both take turns. Goal: all readings within 2 % of their median.
"""

from __future__ import annotations

import argparse
import subprocess
import sys

import torch

from autograder.checks.launcher import Launcher, Sources
from autograder.checks.measure.memory import Memory
from autograder.sandbox.levels import best_level, require
from autograder.sandbox.start import Limits, make_sandbox
from bench import figures

GOAL = 0.02
MIB = 1 << 20
SOURCE = """
import torch

kept = []

def work(x):
    for size in (1, 3, 7, 12, 20):
        made = [x.repeat(size, 1) * number for number in range(5)]
        kept.append(made[0])
    return x.sum()
"""
# In multiples of x, which has 2 MiB: what stays; and what there is when the last product is made, beside what stays of
# the first three rounds, all of the fourth, and the repeated x that the product is made of.
KEPT, PEAK = 1 + 3 + 7 + 12 + 20, 1 + 3 + 7 + 5 * 12 + 5 * 20 + 20
ROWS, COLUMNS = 1, 1 << 19
_PLAIN = f"""
import resource
import torch
{SOURCE}
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
x = torch.ones({ROWS}, {COLUMNS})
before = resident()
work(x)
print(resident() - before)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Measure how repeatable a reading of memory is.")
    parser.add_argument("--readings", type=int, default=20, help="readings of each kind (default 20)")
    parser.add_argument("--sandbox", default=None, help="the level; by default the strongest there is here")
    chosen = parser.parse_args()
    level = chosen.sandbox or best_level()
    require(level)
    print(f"memory_spread: {figures.machine()}; level {level}")
    sandbox = make_sandbox(level)
    workers = Launcher(sandbox, Sources("work", SOURCE), Limits())
    x = torch.ones(ROWS, COLUMNS)
    found: dict[str, list[float]] = {"what stays": [], "peak": [], "what stays, plain process (baseline)": []}
    for _ in range(chosen.readings):
        memory = Memory(workers)
        found["what stays"].append(memory.kept("work", x) / MIB)
        found["peak"].append(memory.peak("work", x) / MIB)
        done = subprocess.run([sys.executable, "-c", _PLAIN], capture_output=True, text=True, check=True)
        found["what stays, plain process (baseline)"].append(int(done.stdout) / MIB)
    sandbox.close()
    size = ROWS * COLUMNS * 4 / MIB
    true = {"what stays": KEPT * size, "peak": PEAK * size, "what stays, plain process (baseline)": KEPT * size}
    print(figures.row("reading", "true", "measured", "spread", "goal"))
    print(figures.row(*["---"] * 5))
    for name, values in found.items():
        sample = figures.Sample(tuple(values), "MiB")
        met = "-" if "baseline" in name else "met" if sample.spread <= GOAL else "MISSED"
        print(figures.row(name, f"{true[name]:.0f} MiB", sample, f"±{sample.spread:.2%}", met))


if __name__ == "__main__":
    main()
