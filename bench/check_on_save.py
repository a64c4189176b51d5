"""Time `autograde check --watch` from a save to its verdicts against a fresh `autograde check`.

    python -m bench.check_on_save [NAME...] [--saves N]

Candidate and named baseline run the same public checks over the same reference solution, which gets another comment for
each run, and take turns. Goal: the first verdict within a second of the save; how long all of them take is up to the
checks, and stands beside it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

from bench import figures

ROOT = Path(__file__).resolve().parent.parent
GOAL_S = 1.0
_COMMAND = (sys.executable, "-m", "autograder.cli.main", "--course", str(ROOT), "check")
_DONE = "waiting for the next save"


def verdicts(output: IO[str]) -> tuple[float, float]:
    """Read until the command waits for the next save; return when the first verdict came and when all had come.

    Raises:
        RuntimeError: If it ends first, or there was no verdict.
    """
    first = 0.0
    for line in output:
        if not first and ": passed" in line:
            first = time.perf_counter()
        if line.startswith(_DONE) and first:
            return first, time.perf_counter()
    raise RuntimeError("the command gave no verdict")


def fresh_s(name: str, path: Path) -> float:
    """Return the seconds that a fresh command takes."""
    started = time.perf_counter()
    done = subprocess.run([*_COMMAND, name, str(path), "--quiet"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}: the reference fails its public checks")
    return time.perf_counter() - started


def measure(name: str, saves: int, folder: Path) -> tuple[figures.Sample, figures.Sample, figures.Sample]:
    """Return the seconds from save to the first verdict and to the last, and those of a fresh command."""
    source = (ROOT / "solutions" / name / f"{name}.py").read_text(encoding="utf-8")
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    firsts, lasts, fresh = [], [], []
    command = [*_COMMAND, name, str(path), "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as watching:
        assert watching.stdout is not None  # asked for above
        try:
            verdicts(watching.stdout)
            for number in range(saves):
                draft = folder / "draft"
                draft.write_text(f"{source}\n# {number}\n", encoding="utf-8")
                saved = time.perf_counter()
                os.replace(draft, path)
                first, last = verdicts(watching.stdout)
                firsts.append(first - saved)
                lasts.append(last - saved)
                fresh.append(fresh_s(name, path))
        finally:
            watching.kill()
    return figures.Sample(tuple(firsts)), figures.Sample(tuple(lasts)), figures.Sample(tuple(fresh))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time a check on save against a fresh one.")
    parser.add_argument("names", nargs="*", default=["logsoftmax", "sam", "checkpoint"], help="assignments")
    parser.add_argument("--saves", type=int, default=10, help="saves of each")
    chosen = parser.parse_args()
    print(f"check_on_save: {figures.machine()}; goal: {GOAL_S:g} s")
    titles = ("assignment", "save to first verdict", "save to last verdict", "fresh `autograde check`", "ratio", "goal")
    print(figures.row(*titles))
    print(figures.row(*("---" for _ in titles)))
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.names:
            first, last, fresh = measure(name, chosen.saves, Path(folder))
            met = "met" if first.median <= GOAL_S else "MISSED"
            print(figures.row(name, first, last, fresh, f"{last.median / fresh.median:.2f}", met), flush=True)


if __name__ == "__main__":
    main()
