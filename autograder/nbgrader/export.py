"""Write the gradebook as a table that other systems import; lateness is taken off, as nbgrader stores it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from nbgrader.api import Gradebook, MissingEntry

FORMATS = ("csv", "canvas", "moodle")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")


def export_table(gradebook: Gradebook, layout: str, *, missing: str = "") -> str:
    """Return the final scores of all students, one row each and one column for each assignment.

    Args:
        gradebook: nbgrader's gradebook; manual grades and extra credit count as it counts them.
        layout: One of `FORMATS`.
        missing: What stands where a student handed nothing in.
    """
    assignments = sorted(gradebook.assignments, key=lambda one: str(one.name))
    names = [str(one.name) for one in assignments]
    rows: list[Sequence[str]] = []
    if layout == "canvas":
        rows.append([*_CANVAS, *map(_plain, names)])
        rows.append(["Points Possible", "", "", "", "", *(repr(float(one.max_score)) for one in assignments)])
    elif layout == "moodle":
        rows.append(["username", "idnumber", "email", *(f"Assignment: {name} (Real)" for name in names)])
    else:
        rows.append(["student_id", "last_name", "first_name", "email", *map(_plain, names)])
    for student in sorted(gradebook.students, key=lambda one: str(one.id)):
        own, last, first, email = (
            _plain(part or "") for part in (student.id, student.last_name, student.first_name, student.email)
        )
        scores = [_final(gradebook, name, student.id, missing) for name in names]
        shown = _plain(", ".join(part for part in (student.last_name, student.first_name) if part) or student.id)
        who = {"canvas": (shown, "", own, own, ""), "moodle": (own, own, email)}.get(layout, (own, last, first, email))
        rows.append([*who, *scores])
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _final(gradebook: Gradebook, name: str, student: str, missing: str) -> str:
    try:
        submission = gradebook.find_submission(name, student)
    except MissingEntry:
        return missing
    return repr(max(0.0, float(submission.score) - float(submission.late_submission_penalty or 0.0)))


def _plain(text: str) -> str:
    """Keep a spreadsheet from running a name as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
