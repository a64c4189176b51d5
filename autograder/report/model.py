"""The report: all check results of one submission, and the document that holds reports."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from autograder.verdicts import VERDICTS, Verdict

SCHEMA = "autograde/report/v1"


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    Attributes:
        name: The check's name.
        title: What it claims, in words.
        points: What it is worth.
        score: What was earned.
        verdict: How it ended; only ``passed`` earns.
        message: Why points were lost; for a hidden check, for the instructor alone.
        hidden: Whether students may not see it.
        seconds: Wall-clock seconds.
        measured: Figures of a measure.
        hint: The check's own sentence for a student who fails it.
        output: What the submission printed.
        lines: Lines of the submission that an error points to.
    """

    name: str
    title: str
    points: float
    score: float
    verdict: Verdict
    message: str = ""
    hidden: bool = False
    seconds: float = 0.0
    measured: dict[str, float] = field(default_factory=dict)
    hint: str = ""
    output: str = ""
    lines: tuple[int, ...] = ()

    @property
    def full(self) -> bool:
        """Whether it earned all its points."""
        return self.score >= self.points


Progress = Callable[[CheckResult | str], None]
"""Told of each finished check, and in words of what a check that takes long is doing."""


def told(news: CheckResult | str) -> str:
    """Return in words what a ``Progress`` is told."""
    return news if isinstance(news, str) else f"{news.name}: {news.verdict}"


@dataclass(frozen=True)
class Report:
    """All check results of one submission.

    Attributes:
        student: Whose it is.
        assignment: The assignment's name.
        digest: The submission's digest.
        submitted_at: When it was submitted, ISO 8601; None if unknown.
        device: The device that it ran on.
        sandbox: The level that it ran at.
        seed: Seeds the checks; for instructors, to reproduce a verdict.
        seconds: Wall-clock seconds that grading took.
        flags: What an instructor should look at.
        notes: What happened to the submission on its way, for the student.
        checks: The results, in the order of the checks.
        error: Why nothing could be graded; empty if it was.
    """

    student: str
    assignment: str
    digest: str
    submitted_at: str | None
    device: str
    sandbox: str
    seed: str
    seconds: float
    flags: tuple[str, ...]
    checks: tuple[CheckResult, ...]
    notes: tuple[str, ...] = ()
    error: str = ""

    @property
    def score(self) -> float:
        """The points earned."""
        return round(sum(check.score for check in self.checks), 6)

    @property
    def max_score(self) -> float:
        """The points that could be earned."""
        return round(sum(check.points for check in self.checks), 6)

    @property
    def complete(self) -> bool:
        """Whether every check has a verdict that is the submission's own; if not, the report writes no grade."""
        return not any(check.verdict == "grader_error" for check in self.checks)

    def check(self, name: str) -> CheckResult:
        """Return the result of a check.

        Raises:
            KeyError: If there is none of that name.
        """
        for result in self.checks:
            if result.name == name:
                return result
        raise KeyError(name)

    def document(self) -> dict[str, Any]:
        """Return the report as plain values, in the order of the schema."""
        checks = []
        for check in self.checks:
            fields = asdict(check)
            fields["lines"] = list(check.lines)
            fields["measured"] = {
                name: value if math.isfinite(value) else None for name, value in check.measured.items()
            }
            checks.append(fields)
        return {
            "student": self.student,
            "assignment": self.assignment,
            "digest": self.digest,
            "submitted_at": self.submitted_at,
            "score": self.score,
            "max_score": self.max_score,
            "device": self.device,
            "sandbox": self.sandbox,
            "seed": self.seed,
            "seconds": round(self.seconds, 3),
            "flags": list(self.flags),
            "notes": list(self.notes),
            "error": self.error,
            "checks": checks,
        }


def report_of(document: Mapping[str, Any]) -> Report:
    """Return the report that wrote a document; a figure that was not finite comes back as one that is no number.

    Raises:
        KeyError: If something is missing in it.
        TypeError: If something in it is of the wrong type, or unknown.
        ValueError: If a verdict is none.
    """
    checks = []
    for entry in document["checks"]:
        measured = {name: math.nan if value is None else float(value) for name, value in entry["measured"].items()}
        check = CheckResult(**{**entry, "lines": tuple(entry["lines"]), "measured": measured})
        if check.verdict not in VERDICTS or not 0 <= check.score <= check.points:
            raise ValueError(f"the check {check.name} has the verdict {check.verdict!r} and the score {check.score!r}")
        checks.append(check)
    sums = ("score", "max_score")
    fields = {name: value for name, value in document.items() if name not in sums}
    lists = {name: tuple(fields[name]) for name in ("flags", "notes")}
    return Report(**{**fields, **lists, "checks": tuple(checks)})


def to_json(reports: Iterable[Report]) -> str:
    """Write reports as one JSON document."""
    document = {"schema": SCHEMA, "submissions": [report.document() for report in reports]}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # Half a surrogate pair has no UTF-8; this writes it as the escape that JSON has for it.
    return text.encode(errors="backslashreplace").decode()
