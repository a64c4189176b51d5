"""Write a made-up course whose submissions do a known multiple of the baseline's work."""

from __future__ import annotations

from pathlib import Path

FULL, NONE = 2.0, 4.0
# 0.6, 0.85 and 1.15 times the one threshold, 0.85, 1.15 and 1.4 times the other, each with the credit that it earns.
RATIOS = {1.2: "full", 1.7: "full", 2.3: "part", 3.4: "part", 4.6: "none", 5.6: "none"}
_BASELINE_UNITS = 300

_COURSE = f"""\
title: A made-up course
pass_mark: 0.5
assignments:
  - name: units
    title: So many units of work
    thresholds:
      speed: {{cpu: {{full_at: {FULL}, zero_at: {NONE}}}}}
"""
_MODULE = '''\
"""Do {units} units of work."""


def work(x):
    for _ in range({units}):
        y = x.sin()
    return y
'''
_CHECKS = '''\
"""The check of a made-up assignment."""

import torch

from autograder import Speed, points


@points(4)
def check_speed(speed: Speed, rng: torch.Generator) -> None:
    """The work is done in little time."""
    speed("work", lambda: (torch.randn(16384, generator=rng),), torch.sin)
'''


def write_course(root: Path) -> dict[float, Path]:
    """Write the course into a folder; return for each true ratio the submission that has it."""
    folder = root / "assignments" / "units"
    folder.mkdir(parents=True)
    (root / "course.yml").write_text(_COURSE, encoding="utf-8")
    (folder / "units.py").write_text('"""The stub."""\n', encoding="utf-8")
    (folder / "check_units.py").write_text(_CHECKS, encoding="utf-8")
    (folder / "baseline.py").write_text(_MODULE.format(units=_BASELINE_UNITS), encoding="utf-8")
    submissions = {}
    for ratio in RATIOS:
        units = round(ratio * _BASELINE_UNITS)
        submissions[ratio] = root / f"times_{units}_percent.py"
        submissions[ratio].write_text(_MODULE.format(units=units), encoding="utf-8")
    return submissions
