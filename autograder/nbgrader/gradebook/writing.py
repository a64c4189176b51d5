"""Write the grades of a class into nbgrader's gradebook, through nbgrader's own converter."""

from __future__ import annotations

import json
import logging
import os
import shutil
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from autograder.course.lateness import penalty
from autograder.course.loading import Course
from autograder.errors import CourseError, SubmissionError
from autograder.grading.job import Job
from autograder.nbgrader.config import config_of, gradebook_url
from autograder.nbgrader.judging.official_report import decided, notebook_key, read_submitted
from autograder.nbgrader.judging.preprocessor import MARK
from autograder.report.model import Report
from autograder.submission.reading import Submission


@dataclass(frozen=True)
class Standing:
    """What the gradebook says of one student and assignment.

    Attributes:
        score: The points, those of human graders included, before lateness.
        late: The points of the late penalty.
    """

    score: float
    late: float

    @property
    def final(self) -> float:
        """The points that count."""
        return max(0.0, self.score - self.late)


@dataclass(frozen=True)
class Written:
    """What came of writing the grades.

    Attributes:
        written: The students whose grades were written.
        current: Those whose grades were there already.
        warnings: What an instructor should know, each with the student's name.
        standings: By student.
    """

    written: tuple[str, ...]
    current: tuple[str, ...]
    warnings: tuple[str, ...]
    standings: Mapping[str, Standing]


def read_class(course: Course, name: str) -> tuple[list[Submission], list[str]]:
    """Return what is collected for an assignment, and a warning for each student with nothing to grade.

    Raises:
        SubmissionError: If nothing is collected.
    """
    directory = _directory(course, name)
    course.assignment(name)
    submissions, said = [], []
    for student in _students(directory, name):
        folder = Path(directory.format_path(directory.submitted_directory, student, name))
        if not any(file for file in os.listdir(folder) if file != "timestamp.txt"):
            said.append(f"{student}: submitted an empty folder; no grade is written")
            continue
        try:
            when = directory.get_existing_timestamp(str(folder))
        except (Exception, SystemExit):  # noqa: BLE001  # nbgrader stops the whole program here
            when = None
            said.append(f"{student}: timestamp.txt holds no time; taken as submitted in time")
        submissions.append(read_submitted(course, name, student=student, folder=folder, when=when))
    if not submissions:
        where = f"{directory.submitted_directory}/*/{name}"
        raise SubmissionError(
            f"{where}: nothing is collected; expected a folder for each student; run `autograde collect {name}`, "
            "or name what to grade"
        )
    return submissions, said


def require_generated(course: Course, name: str) -> None:
    """Make sure that the gradebook knows an assignment, before anything is graded.

    Raises:
        CourseError: If it does not, or cannot be reached.
    """
    with open_gradebook(course) as gradebook:
        try:
            gradebook.find_notebook(name, name)
        except MissingEntry:
            raise CourseError(
                f"{name}: not in the gradebook; expected what releasing writes there; run `autograde release {name}`"
            ) from None


def write_grades(course: Course, job: Job, graded: Sequence[tuple[Submission, Report]]) -> Written:
    """Write the grades of a class, and the notebooks that feedback is made of.

    The reports are taken as they are: nothing is graded again. Grades that are there already, from the same report and
    with the same lateness, stay untouched. A check that ended in an internal grader error leaves its old score.

    Raises:
        CourseError: If the gradebook cannot be written.
    """
    name = job.assignment
    directory, config = _directory(course, name), config_of(course)
    reports = {report.student: report for _, report in graded}
    said = []
    with decided(job, reports):
        current = _current(course, directory, graded)
        todo = [submission for submission, _ in graded if submission.student not in current]
        for submission in todo:
            said += _lend_notebook(course, directory, submission)
        converter = _Chosen(coursedir=directory, config=config)
        converter.force = True
        converter.students = {submission.student for submission in todo}
        if todo:
            said += _convert(converter, name)
    failed = {submission.student for submission in todo if not _graded_notebook(directory, submission).is_file()}
    said += [f"{student}: no grade is written; nbgrader could not convert the notebook" for student in failed]
    written = tuple(submission.student for submission in todo if submission.student not in failed)
    return Written(written, tuple(current), tuple(said), standings(course, name))


def standings(course: Course, name: str) -> dict[str, Standing]:
    """Return what the gradebook says of everybody who submitted an assignment.

    Raises:
        CourseError: If it cannot be read.
    """
    with open_gradebook(course) as gradebook:
        return {
            entry.student.id: Standing(float(entry.score), float(entry.late_submission_penalty or 0.0))
            for entry in gradebook.assignment_submissions(name)
        }


class _Chosen(Autograde):  # type: ignore[misc]
    """nbgrader's converter, for some students of an assignment."""

    students: Collection[str] = ()

    def init_notebooks(self) -> None:
        """Find the notebooks of the chosen students alone."""
        super().init_notebooks()
        name = self.coursedir.assignment_id
        folders = {self._format_source(name, student) for student in self.students}
        for folder in self.assignments.keys() - folders:
            del self.assignments[folder]


class _Kept(logging.Handler):
    """Keeps what nbgrader says went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the last line of a message: that of a traceback which says what happened."""
        self.lines += record.getMessage().strip().splitlines()[-1:]


def _convert(converter: _Chosen, name: str) -> list[str]:
    """Run nbgrader's converter, and return what went wrong with single students."""
    kept = _Kept()
    log = converter.log
    propagates, log.propagate = log.propagate, False
    log.addHandler(kept)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own, about every new submission
            converter.start()
    except NbGraderException as error:
        if not kept.lines or "database" in str(error):
            raise CourseError(f"{name}: the grades are not written ({error}); run `autograde doctor`") from error
        return [f"nbgrader: {line}" for line in dict.fromkeys(kept.lines[:-1])]
    except SQLAlchemyError as error:
        raise _unreachable(error) from None
    finally:
        log.removeHandler(kept)
        log.propagate = propagates
    return []


def _directory(course: Course, name: str) -> Any:
    directory = CourseDirectory(config=config_of(course))
    directory.assignment_id = name
    return directory


def collected(course: Course, name: str) -> list[str]:
    """Return the students of whom something was collected for an assignment."""
    return _students(_directory(course, name), name)


def _students(directory: Any, name: str) -> list[str]:
    root = Path(directory.root, directory.submitted_directory)
    try:
        found = sorted(os.listdir(root))
    except OSError:
        return []
    return [entry for entry in found if not entry.startswith(".") and (root / entry / name).is_dir()]


@contextmanager
def open_gradebook(course: Course) -> Iterator[Any]:
    """Open nbgrader's gradebook of a course.

    Raises:
        CourseError: If it cannot be reached.
    """
    try:
        with Gradebook(gradebook_url(course), course.course_id) as gradebook:
            yield gradebook
    except SQLAlchemyError as error:
        raise _unreachable(error) from None


def _unreachable(error: Exception) -> CourseError:
    reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]  # the others may show the URL
    return CourseError(f"the gradebook: {reason}; expected a database that can be written; run `autograde doctor`")


def _graded_notebook(directory: Any, submission: Submission) -> Path:
    name = submission.assignment
    return Path(directory.format_path(directory.autograded_directory, submission.student, name), f"{name}.ipynb")


def _lend_notebook(course: Course, directory: Any, submission: Submission) -> list[str]:
    """Put the released notebook beside a submission that has none, for nbgrader sees nothing else; say so.

    It stays away where it would be taken for the submission.
    """
    name, student = submission.assignment, submission.student
    folder = Path(directory.format_path(directory.submitted_directory, student, name))
    lent = folder / f"{name}.ipynb"
    if os.path.lexists(lent):
        return []
    released = Path(directory.format_path(directory.release_directory, ".", name), lent.name)
    try:
        shutil.copyfile(released if released.is_file() else course.assignment(name).notebook, lent)
        again = read_submitted(course, name, student=student, folder=folder, when=submission.submitted_at)
        if again.digest != submission.digest:
            lent.unlink()
            return [f"{student}: submitted neither {name}.py nor {name}.ipynb"]
    except OSError as error:
        return [f"{student}: {folder} cannot be written ({error.strerror}); make it writable"]
    return [f"{student}: submitted no notebook; the released one is beside it in {folder}"]


def _current(course: Course, directory: Any, graded: Sequence[tuple[Submission, Report]]) -> list[str]:
    """Return the students whose grades and graded notebooks say already what their reports say."""
    name = course.assignment(graded[0][0].assignment).name if graded else ""
    found = []
    with open_gradebook(course) as gradebook:
        for submission, report in graded:
            notebook = _graded_notebook(directory, submission)
            if not report.complete or _mark(notebook) != notebook_key(course, submission):
                continue
            try:
                entry = gradebook.find_submission(name, submission.student)
                own = gradebook.find_submission_notebook(name, name, submission.student)
            except MissingEntry:
                continue
            when = submission.submitted_at.replace(tzinfo=None) if submission.submitted_at else None
            scores = {grade.name: grade.auto_score for grade in own.grades}
            taken = penalty(course.assignment(name).late, float(own.score), entry.total_seconds_late)
            if (
                entry.timestamp == when
                and abs(taken - (own.late_submission_penalty or 0.0)) < 1e-9
                and all(scores.get(check.name, check.score) == check.score for check in report.checks)
            ):
                found.append(submission.student)
    return found


def shown_report(course: Course, submission: Submission) -> str:
    """Return the key of the report that a student's graded notebook was made of; empty where it names none."""
    return _mark(_graded_notebook(_directory(course, submission.assignment), submission)).partition(" ")[0]


def _mark(notebook: Path) -> str:
    """Return what a graded notebook says of the report that it was made of."""
    try:
        return str(json.loads(notebook.read_text(encoding="utf-8"))["metadata"][MARK]["report"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
