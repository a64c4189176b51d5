"""Find the report that counts for a student's submission, from inside nbgrader or before it is started."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from autograder.checks.device import choose_device
from autograder.course.loading import Course
from autograder.errors import SubmissionError
from autograder.grading.child import GradingProcess
from autograder.grading.job import Job, official_level
from autograder.grading.quota import admit
from autograder.grading.report_store import Reuse, Store, job_key, report_key, store_url
from autograder.report.model import Report
from autograder.submission.reading import Submission, read_submission
from autograder.submission.source import shown


@dataclass(frozen=True)
class Decided:
    """What `autograde grade` found out before it starts nbgrader's converter.

    Attributes:
        job: How it graded.
        reports: By student.
    """

    job: Job
    reports: Mapping[str, Report]


_DECIDED: ContextVar[Decided | None] = ContextVar("decided", default=None)


@contextmanager
def decided(job: Job, reports: Mapping[str, Report]) -> Iterator[None]:
    """Let these reports be the answer within a block, even where the store keeps none."""
    token = _DECIDED.set(Decided(job, reports))
    try:
        yield
    finally:
        _DECIDED.reset(token)


def official_job(course: Course, name: str) -> Job:
    """Return how an assignment is graded officially: on the course's device, at the level that it asks for."""
    known = _DECIDED.get()
    if known is not None and known.job.assignment == name:
        return known.job
    return Job(course.path, name, official_level(course), choose_device(course))


def official_report(course: Course, submission: Submission) -> Report:
    """Return the report of a submission: one that is known or kept, else that of a grading in a process of its own.

    Raises:
        AutograderError: If it cannot be graded here or today, or a check file does not load.
    """
    known = _DECIDED.get()
    if known is not None and known.job.assignment == submission.assignment:
        report = known.reports.get(submission.student)
        if report is not None and report.digest == submission.digest:
            return report
    job = official_job(course, submission.assignment)
    url = store_url(course)
    store = Store(url)
    admit(course, store, submission)
    found = store.find(job_key(course, job), submission)
    return found if found is not None else _process().grade(job, Reuse(url), submission)


def notebook_key(course: Course, submission: Submission) -> str:
    """Return what tells whether a graded notebook is up to date: of which report, and of how much of it, it is made."""
    report = report_key(job_key(course, official_job(course, submission.assignment)), submission)
    return f"{report} {course.assignment(submission.assignment).hidden_feedback}"


def read_submitted(course: Course, name: str, *, student: str, folder: Path, when: datetime | None) -> Submission:
    """Read a collected submission; one that cannot be read comes back with its error.

    Args:
        course: The course.
        name: The assignment's name.
        student: Whose it is.
        folder: What nbgrader collected from them for this assignment.
        when: When they submitted it, in UTC, as nbgrader says it.
    """
    stub = course.assignment(name).stub
    try:
        text = stub.read_text(encoding="utf-8") if stub.is_file() else None
        found = read_submission(folder, name=name, student=student, stub=text)
    except SubmissionError as error:
        words = str(error).replace(f"{shown(str(folder))}{os.sep}", "")  # not where the grader keeps it
        digest = hashlib.sha256(f"\0{words}".encode(errors="backslashreplace")).hexdigest()  # no source holds NUL
        found = Submission(shown(student), name, "", f"sha256:{digest}", str(folder), error=words)
    return replace(found, submitted_at=when.replace(tzinfo=UTC) if when else None)


@cache
def _process() -> GradingProcess:
    return GradingProcess()
