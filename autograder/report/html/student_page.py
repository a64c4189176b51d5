"""What stands on a student's page: what they may read of their report, in the order in which people read it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.report.html.about import About, figure
from autograder.report.html.check import Check, check_of
from autograder.report.html.plots import Segment, segments
from autograder.report.model import Report
from autograder.report.student_view import for_students
from autograder.report.text import number

_ALIKE = 3  # So many checks that lost their points for the same reason give it once.


@dataclass(frozen=True)
class Loss:
    """A reason for lost points: of one check, or of several that lost them for the same one.

    Attributes:
        checks: The checks.
        place: The place of the first one among all checks, from 1.
    """

    checks: tuple[Check, ...]
    place: int

    @property
    def first(self) -> Check:
        """The check that stands for all of them."""
        return self.checks[0]


@dataclass(frozen=True)
class StudentPage:
    """A student's page.

    Attributes:
        about: The assignment.
        student: Whose it is.
        score: The points earned, hidden checks included.
        max_score: What could be earned.
        bar: All checks' points, side by side.
        summary: How many checks earned what, in a sentence.
        standing: The late penalty and what is left of the score in the gradebook; None where that is not known.
        unfinished: Whether a check could not be judged, so that the score is not final.
        error: Why nothing could be graded.
        checks: All checks that the student may read about, with the place of the loss that each belongs to, or 0.
        losses: Why points were lost.
        measured: Checks with all their points whose measure is worth a look, with their places.
        printed: Checks with all their points in which the submission printed something, with their places.
        notes: What happened to the submission on its way.
        receipt: What was graded, where and when: names and values.
    """

    about: About
    student: str
    score: str
    max_score: str
    bar: tuple[Segment, ...]
    summary: str
    standing: tuple[str, str] | None
    unfinished: bool
    error: str
    checks: tuple[tuple[Check, int], ...]
    losses: tuple[Loss, ...]
    measured: tuple[tuple[Check, int], ...]
    printed: tuple[tuple[Check, int], ...]
    notes: tuple[str, ...]
    receipt: tuple[tuple[str, str], ...]


def student_page(
    about: About, report: Report, *, source: str = "", standing: tuple[float, float] | None = None
) -> StudentPage:
    """Compute a student's page; nothing that is for the instructor alone is in it.

    Args:
        about: The assignment.
        report: The whole report.
        source: The text of the module that was graded; empty where it is not known.
        standing: The late penalty, and what is left of the score in the gradebook.
    """
    visible = for_students(report, about.feedback)
    checks = tuple(check_of(result, source) for result in visible.checks)
    losses = _losses(checks)
    where = {id(check): loss.place for loss in losses for check in loss.checks}
    kept = [(check, place) for place, check in enumerate(checks, 1) if not check.lost]
    return StudentPage(
        about=about,
        student=report.student,
        score=number(report.score),
        max_score=number(report.max_score),
        bar=segments([(check.score, check.points) for check in visible.checks]),
        summary=f"{len(kept)} of {len(checks)} checks earned all their points.",
        standing=(number(standing[0]), number(standing[1])) if standing is not None else None,
        unfinished=not report.complete,
        error=report.error,
        checks=tuple((check, where.get(id(check), 0)) for check in checks),
        losses=losses,
        measured=tuple((check, place) for check, place in kept if check.plot or check.limit),
        printed=tuple((check, place) for check, place in kept if check.printed is not None),
        notes=visible.notes,
        receipt=_receipt(about, visible),
    )


def _losses(checks: Sequence[Check]) -> tuple[Loss, ...]:
    """Gather lost checks in their order; those that many lost for one reason stand together."""
    lost = [(place, check) for place, check in enumerate(checks, 1) if check.lost]
    if len(lost) == len(checks) >= _ALIKE and all(check.verdict.word == "not run" for check in checks):
        return (Loss(tuple(checks), 1),)  # whatever hidden checks would say: nothing was run
    groups: dict[tuple[object, ...], list[tuple[int, Check]]] = {}
    for place, check in lost:
        key = (
            check.verdict,
            check.reason,
            check.rest,
            check.lines,
            check.numbers,
            check.printed,
            check.plot,
            check.limit,
        )
        groups.setdefault(key, []).append((place, check))
    found = []
    for group in groups.values():
        together = len(group) >= _ALIKE and bool(group[0][1].reason)
        for part in [group] if together else [[each] for each in group]:
            found.append(Loss(tuple(check for _, check in part), part[0][0]))
    return tuple(sorted(found, key=lambda loss: loss.place))


def _receipt(about: About, report: Report) -> tuple[tuple[str, str], ...]:
    handed_in = about.moment(report.submitted_at) if report.submitted_at else "not known"
    due = (("Due", about.moment(about.due.isoformat())),) if about.due is not None else ()
    return (
        ("Submission", report.digest),
        ("Submitted", handed_in),
        *due,
        ("Device", report.device),
        ("Sandbox", report.sandbox),
        ("Grading took", f"{figure(report.seconds)} s"),
    )
