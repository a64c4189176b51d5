"""Write the `course.yml` that leaves the instructor's copy: nothing secret, and no place on that machine."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import yaml

from autograder.course.loading import Course
from autograder.course.yaml import read_yaml

_KEPT = (
    *("title", "pass_mark", "device", "sandbox", "timezone", "hidden_feedback", "late", "limits"),
    "course_id",
)


def student_course(
    course: Course, names: Collection[str], *, head: str, places: Mapping[str, str] | None = None
) -> str:
    """Return the text of a `course.yml` without comments: what they say was written for instructors.

    Args:
        course: The course.
        names: The assignments that it is to list, each with all that the course says about it.
        head: Comment lines that say what file this is.
        places: Further keys, such as `exchange`, with paths that hold where the file will lie.

    Raises:
        CourseError: If the course's own `course.yml` cannot be read.
    """
    values = read_yaml(course.path).values
    kept = {key: values[key] for key in _KEPT if key in values} | dict(places or {})
    entries = [entry for entry in values["assignments"] if entry["name"] in names]
    document = kept | {"assignments": entries}
    return head + yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
