"""What a page says about the assignment that it reports on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from autograder.course.loading import Course
from autograder.report.text import number


@dataclass(frozen=True)
class About:
    """The assignment of a page.

    Attributes:
        name: Its name.
        title: Its title.
        course: The course's title.
        feedback: How much of a hidden check students read: ``none``, ``verdict`` or ``hint``.
        pass_mark: The share of the points from which one has passed.
        zone: The course's time zone.
        due: When it is due; None if at no time.
    """

    name: str
    title: str
    course: str
    feedback: str = "none"
    pass_mark: float = 0.5
    zone: tzinfo | None = None
    due: datetime | None = None

    def moment(self, written: str) -> str:
        """Say in the course's time zone a moment that is written as in ISO 8601; what is no such moment stays."""
        try:
            moment = datetime.fromisoformat(written)
        except ValueError:
            return written
        if moment.tzinfo is not None:
            moment = moment.astimezone(self.zone)
        return moment.strftime("%Y-%m-%d %H:%M %Z").strip()


def about(course: Course, name: str) -> About:
    """Return what pages say about an assignment of a course.

    Raises:
        CourseError: If there is none of that name.
    """
    assignment = course.assignment(name)
    return About(
        name=name,
        title=assignment.title,
        course=course.title,
        feedback=assignment.hidden_feedback,
        pass_mark=course.pass_mark,
        zone=ZoneInfo(course.timezone),
        due=assignment.due,
    )


def figure(value: float) -> str:
    """Show a measured value in three digits, without an exponent where there are few more."""
    return f"{value:.0f}" if 1000 <= abs(value) < 1e6 else f"{value:.3g}"


def points_of(score: float, points: float) -> str:
    """Show a score beside what could be earned."""
    return f"{number(score)} of {number(points)}"
