"""Grade every kept attack and print what came of it: `python tests/attacks/table.py [--only NAME ...] [--jobs N]`.

The attacks on the engine are graded in the made-up course of tests/harness.py, those under solutions/*/attacks in this
repository's own. Ends with 1 if one of them earned a point that its answers did not earn. That they leave the machine
as it was is asserted by tests/test_attacks.py.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]

from attacks.kept import engine_attacks, fields  # noqa: E402
from harness import LIMITS, TOKEN, Lab  # noqa: E402

from autograder.course.loading import load_course  # noqa: E402
from autograder.report.model import Report  # noqa: E402
from autograder.sandbox.start import make_sandbox  # noqa: E402
from autograder.sandbox.levels import best_level, require  # noqa: E402
from autograder.authoring.validate import validate  # noqa: E402

TIGHT = replace(LIMITS, time_s=1.0, memory_bytes=256 << 20, disk_bytes=4 << 20)
TITLES = ("after", "attack", "verdicts", "points", "of them unearned", "as expected")


@dataclass(frozen=True)
class Row:
    """What came of one attack.

    Attributes:
        after: The engine, or the assignment whose points it is after.
        title: What it does.
        report: What it got.
        unearned: The points that its answers did not earn.
        problem: What is not as it should be; empty if all is.
    """

    after: str
    title: str
    report: Report
    unearned: float
    problem: str

    def __str__(self) -> str:
        """Return a row of a Markdown table."""
        verdicts = Counter(check.verdict.replace("_", " ") for check in self.report.checks)
        said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
        points = f"{self.report.score:g} of {self.report.max_score:g}"
        return line(self.after, self.title, said, points, f"{self.unearned:g}", self.problem or "yes")


def line(*cells: str) -> str:
    """Return a row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def engine_rows(level: str) -> Iterator[Row]:
    """Grade the attacks on the engine that this level has promised to stop."""
    os.environ["CI_TOKEN"] = TOKEN
    sandbox = make_sandbox(level)
    try:
        for attack in engine_attacks():
            if level not in attack.levels:
                continue
            with tempfile.TemporaryDirectory() as folder, Lab(Path(folder), sandbox).ending() as lab:
                report = lab.grade(attack.source, limits=TIGHT)
            honest = {name for name, verdict in attack.outcome.items() if verdict == "passed"}
            unearned = sum(check.score for check in report.checks if check.name not in honest)
            got = {check.name: check.verdict for check in report.checks}
            problem = "" if got == attack.outcome else f"got {got}"
            yield Row("the engine", attack.words["Title"], report, unearned, problem)
    finally:
        sandbox.close()


def course_rows(name: str, level: str, jobs: int) -> Iterator[Row]:
    """Grade the attacks on an assignment."""
    course = load_course(ROOT / "course.yml")
    attacks = validate(course, course.assignment(name), level=level, jobs=jobs, keep=lambda item: item.kind == "attack")
    for item, report, problem in attacks:
        unearned = sum(check.score for check in report.checks if check.name not in item.earns)
        yield Row(name, title_of(item.path), report, unearned, problem)


def title_of(path: Path) -> str:
    """Return the title that an attack gives itself."""
    text = path.read_text(encoding="utf-8").partition('"""')[2].partition('"""')[0]
    return fields(text).get("Title", path.stem).rstrip(".")


def main() -> None:
    """Grade and print."""
    names = [assignment.name for assignment in load_course(ROOT / "course.yml").assignments]
    parser = argparse.ArgumentParser(description="Grade every kept attack and print what came of it.")
    parser.add_argument("--only", action="append", choices=["engine", *names], help="what is attacked (default: all)")
    parser.add_argument("--jobs", type=int, default=1, help="how many submissions are graded at once")
    parser.add_argument("--sandbox", default=None, help="the level; by default the strongest there is here")
    chosen = parser.parse_args()
    level = chosen.sandbox or best_level()
    require(level)
    started, rows = time.monotonic(), []
    print(f"level {level}\n\n{line(*TITLES)}\n{line(*('---' for _ in TITLES))}")
    for name in chosen.only or ["engine", *names]:
        for row in engine_rows(level) if name == "engine" else course_rows(name, level, chosen.jobs):
            rows.append(row)
            print(row, flush=True)
    bad = [row for row in rows if row.problem or row.unearned]
    unearned = sum(row.unearned for row in rows)
    print(f"\n{len(rows)} attacks in {time.monotonic() - started:.0f} s: {unearned:g} points unearned, ", end="")
    print(f"{len(bad)} not as expected")
    raise SystemExit(bool(bad))


if __name__ == "__main__":
    main()
