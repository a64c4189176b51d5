"""Write pages into a folder: the class's page, and below it a folder with one page for each student.

The students' pages lie in a folder of their own, which can be given away as it is.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.course.loading import Course
from autograder.errors import CourseError
from autograder.files import write_atomically
from autograder.report.html.about import about
from autograder.report.html.class_page import class_page
from autograder.report.html.findings import Findings
from autograder.report.html.pages import class_html, sign, student_html
from autograder.report.html.student_page import student_page
from autograder.report.model import Report
from autograder.submission.reading import Submission

CLASS_PAGE = "class-not-for-students.html"
STUDENTS = "students"
_SIGN_CHARS = 2000  # The sign of a page stands among its first so many characters.
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?")
# Source: Microsoft, "Naming Files, Paths, and Namespaces": names of devices, with any extension.
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")
_SLUG_CHARS = 40


@dataclass(frozen=True)
class Graded:
    """What pages are written about.

    Attributes:
        reports: The reports, whole.
        submissions: What was graded, as far as it is at hand: its lines are shown where an error points to them.
        standings: Each student's late penalty, and the score that is left in the gradebook.
        findings: What else is known of the class; None for no page of the class.
    """

    reports: Sequence[Report]
    submissions: Sequence[Submission] = ()
    standings: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    findings: Findings | None = None


def prepare(folder: Path, assignment: str) -> None:
    """Make a folder ready for the pages of an assignment, before anything takes time.

    Raises:
        CourseError: If it cannot be written, or a page in it is not one of this assignment's.
    """
    for place in (folder, folder / STUDENTS):
        if place.exists() and not place.is_dir():
            raise CourseError(f"{place}: is a file; expected a folder for pages; name another one")
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)  # students may have accounts on this machine
            tempfile.TemporaryFile(dir=place).close()
        except OSError as error:
            raise CourseError(
                f"{place}: {error.strerror}; expected a folder that can be written; name another one"
            ) from error
    for page in (folder / CLASS_PAGE, *sorted((folder / STUDENTS).glob("*.html"))):
        _require_own(page, assignment)


def write_pages(folder: Path, graded: Graded, *, course: Course, name: str) -> list[Path]:
    """Write a page for each report and, where there are findings, the page of the class; return their paths.

    Raises:
        CourseError: If a page cannot be written, or would take the place of a file that is not one.
    """
    prepare(folder, name)
    words = about(course, name)
    sources = {submission.digest: submission.source for submission in graded.submissions}
    names = file_names(graded.reports)
    paths = []
    for report, file in zip(graded.reports, names, strict=True):
        standing = graded.standings.get(report.student)
        page = student_page(words, report, source=sources.get(report.digest, ""), standing=standing)
        paths.append(folder / STUDENTS / file)
        write_atomically(paths[-1], student_html(page))
    if graded.findings is not None:
        links = [f"{STUDENTS}/{file}" for file in names]
        paths.append(folder / CLASS_PAGE)
        write_atomically(
            paths[-1], class_html(class_page(words, graded.reports, links=links, findings=graded.findings))
        )
    return paths


def file_names(reports: Sequence[Report]) -> list[str]:
    """Return a file name for each report, no two the same, on file systems that know no capitals as well.

    A student's name that is plain is the name of the file. Any other is written as far as it can be, and ends in
    digits that only this name has, after a character that no plain name holds.
    """
    labels = _labels(reports)
    for digits in range(8, 65, 8):
        found = [f"{_file_name(label, digits)}.html" for label in labels]
        if len(set(found)) == len(labels):
            return found
    raise AssertionError("two names have the same SHA-256")


def _labels(reports: Sequence[Report]) -> list[str]:
    """Name each report: by its student, and by its device and a number where a student has several."""
    students = Counter(report.student for report in reports)
    labels: dict[str, None] = {}
    for report in reports:
        label = report.student if students[report.student] == 1 else f"{report.student}\0{report.device}"
        names = itertools.chain([label], (f"{label}\0{number}" for number in itertools.count(2)))
        labels[next(each for each in names if each not in labels)] = None
    return list(labels)


def _file_name(label: str, digits: int) -> str:
    if _PLAIN.fullmatch(label) and not _DEVICES.fullmatch(label):
        return label
    letters = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", letters).strip("-")[:_SLUG_CHARS].strip("-") or "student"
    return f"{slug}~{hashlib.sha256(label.encode(errors='surrogatepass')).hexdigest()[:digits]}"


def _require_own(page: Path, assignment: str) -> None:
    try:
        with open(page, encoding="utf-8", errors="replace") as file:
            start = file.read(_SIGN_CHARS)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CourseError(f"{page}: {error.strerror}; expected a page that can be replaced; take it away") from error
    if sign(assignment) not in start:
        raise CourseError(
            f"{page}: is there already and is no page about {assignment} that autograde wrote; "
            "expected a folder without it; name another one"
        )
