"""What the benchmarks share: the line about the machine, summaries of samples, rows to paste into the README."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version


@dataclass(frozen=True)
class Sample:
    """Measurements of one quantity.

    Attributes:
        values: The measurements, in the order in which they were taken.
        unit: Their unit, for people.
    """

    values: tuple[float, ...]
    unit: str = "s"

    @property
    def median(self) -> float:
        """The median."""
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """How far the farthest measurement lies from the median, as a share of the median."""
        return max(abs(value / self.median - 1) for value in self.values)

    def __str__(self) -> str:
        """Show median and range."""
        low, high, unit = min(self.values), max(self.values), f" {self.unit}" if self.unit else ""
        return f"{number(self.median)}{unit} ({number(low)} to {number(high)}, n = {len(self.values)})"


def number(value: float) -> str:
    """Show three significant digits, or the whole number where it has more."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """Return one line about what the figures were measured on."""
    load = f"load {os.getloadavg()[0]:.1f} at the start, " if hasattr(os, "getloadavg") else ""
    system = f"{platform.system()} {platform.machine()}"
    python = platform.python_version()
    return f"{system}, {cores()} cores, {load}Python {python}, torch {version('torch')}, {date.today().isoformat()}"


def row(*cells: object) -> str:
    """Return a row of a Markdown table, ready to paste into the README."""
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def print_row(titles: Sequence[str], cells: Sequence[object]) -> None:
    """Print a table of one row, ready to paste into the README."""
    print(row(*titles))
    print(row(*("---" for _ in titles)))
    print(row(*cells))
