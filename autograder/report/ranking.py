"""Rank the submissions of a class by the ratios of its speed checks.

Nothing is graded here: the ratios are those of reports that were kept, or of a document that `grade --json` wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.course.schema import DEVICES
from autograder.errors import CourseError
from autograder.report.measure import Timing, timing_of, why_untimed
from autograder.report.model import SCHEMA, CheckResult, Report, report_of


@dataclass(frozen=True)
class Place:
    """Where a submission stands.

    Attributes:
        rank: From 1; the same for all whose intervals overlap with that of the first one of the rank.
        student: Whose it is.
        timing: Its ratio.
    """

    rank: int
    student: str
    timing: Timing


@dataclass(frozen=True)
class Ranking:
    """The submissions in one check, or in all of them, on one device.

    Attributes:
        check: The check's name; empty for the geometric mean over all.
        device: The device's name.
        speed_up: Whether people read it as a speed-up, 1 ÷ ratio.
        places: From the least ratio to the largest.
        unranked: Students without a ratio that counts, each with the reason.
    """

    check: str
    device: str
    speed_up: bool
    places: tuple[Place, ...]
    unranked: tuple[tuple[str, str], ...]


def rank(timings: Iterable[tuple[str, Timing]]) -> tuple[Place, ...]:
    """Rank students by their ratios, the least first.

    Students whose interval overlaps with that of the first one of a rank share it; the next rank counts all before it,
    so that two firsts are followed by a third.
    """
    places: list[Place] = []
    leader: Place | None = None
    for position, (student, timing) in enumerate(sorted(timings, key=lambda item: (item[1].ratio, item[0])), 1):
        tied = leader is not None and timing.low <= leader.timing.high
        place = Place(leader.rank if leader is not None and tied else position, student, timing)
        places.append(place)
        leader = leader if tied else place
    return tuple(places)


def mean(timings: Sequence[Timing]) -> Timing:
    """Return the geometric mean of ratios; its interval is that of all the lower and of all the upper ends."""
    return Timing(
        *(
            math.exp(math.fsum(map(math.log, values)) / len(timings))
            for values in (
                [timing.ratio for timing in timings],
                [timing.low for timing in timings],
                [timing.high for timing in timings],
            )
        )
    )


def rankings(reports: Sequence[Report], checks: Sequence[str]) -> list[Ranking]:
    """Rank a class by device: in each check, and, where there are several, by the geometric mean over all of them.

    Args:
        reports: The reports, each of one submission on one device.
        checks: The names of the checks that are timed.
    """
    found = []
    for device in sorted({report.device for report in reports}, key=_device_order):
        own = [report for report in reports if report.device == device]
        found += [_in_check(name, device, own) for name in checks]
        if len(checks) > 1:
            found.append(_over_all(device, own, found[-len(checks) :]))
    return found


def read_reports(path: Path, name: str) -> list[Report]:
    """Read the reports of an assignment from a document that `grade --json` wrote.

    Raises:
        CourseError: If the file is no such document, or holds no report of this assignment.
    """
    expected = f"expected what `autograde grade {name} --json {path.name}` writes; name such a file"
    try:
        document = json.loads(path.read_bytes())
        if document["schema"] != SCHEMA:
            raise ValueError(f"its schema is {document['schema']!r}")
        reports = [report_of(entry) for entry in document["submissions"]]
    except OSError as error:
        raise CourseError(f"{path}: cannot be read ({error.strerror}); {expected}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CourseError(f"{path}: is no document of reports ({type(error).__name__}: {error}); {expected}") from error
    found = [report for report in reports if report.assignment == name]
    if not found:
        others = ", ".join(sorted({report.assignment for report in reports})) or "nothing"
        raise CourseError(f"{path}: holds reports of {others}; {expected}")
    return found


def _in_check(name: str, device: str, reports: Sequence[Report]) -> Ranking:
    timings, unranked, bounds = [], [], []
    for report in reports:
        check = _result(report, name)
        timing = timing_of(check) if check is not None else None
        if check is not None and timing is not None:
            timings.append((report.student, timing))
            bounds.append(check.measured["zero_at"])
        else:
            unranked.append((report.student, why_untimed(check) if check is not None else "the check did not run"))
    return Ranking(name, device, bool(bounds) and max(bounds) < 1, rank(timings), tuple(sorted(unranked)))


def _over_all(device: str, reports: Sequence[Report], single: Sequence[Ranking]) -> Ranking:
    timings, unranked = [], []
    for report in reports:
        results = [(ranking.check, _result(report, ranking.check)) for ranking in single]
        found = [(name, timing_of(check) if check is not None else None) for name, check in results]
        missing = [name for name, timing in found if timing is None]
        if missing:
            unranked.append((report.student, f"without a ratio in {', '.join(missing)}"))
        else:
            timings.append((report.student, mean([timing for _, timing in found if timing is not None])))
    speed_up = all(ranking.speed_up for ranking in single)
    return Ranking("", device, speed_up, rank(timings), tuple(sorted(unranked)))


def _result(report: Report, name: str) -> CheckResult | None:
    return next((check for check in report.checks if check.name == name), None)


def _device_order(device: str) -> tuple[int, str]:
    return (DEVICES.index(device) if device in DEVICES else len(DEVICES), device)
