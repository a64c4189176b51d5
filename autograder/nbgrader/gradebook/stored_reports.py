"""Find the stored reports of the submissions that are collected; nothing is graded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.course.loading import Course
from autograder.grading.job import Job, official_level
from autograder.grading.report_store import Store, job_key, store_url
from autograder.nbgrader.gradebook.writing import read_class
from autograder.report.model import Report
from autograder.submission.reading import Submission


@dataclass(frozen=True)
class StoredReports:
    """What the report store holds of a class.

    Attributes:
        reports: The stored reports, of every device that was asked for.
        ungraded: Students whose submission has none, by device.
        warnings: What an instructor should know of the class.
        submissions: What is collected.
    """

    reports: tuple[Report, ...]
    ungraded: tuple[str, ...]
    warnings: tuple[str, ...]
    submissions: tuple[Submission, ...] = ()


def stored_reports(course: Course, name: str, devices: Sequence[str]) -> StoredReports:
    """Return the reports that official grading kept of what is collected; nothing is graded.

    Args:
        course: The course.
        name: The assignment's name.
        devices: The devices to look for; a submission is not graded yet if it has a report on none of them.

    Raises:
        SubmissionError: If nothing is collected.
        CourseError: If there is no such assignment, or the store's address is none.
    """
    submissions, warnings = read_class(course, name)
    # Not this machine's device: who reads a leaderboard need not have the one that was graded on.
    jobs = [Job(course.path, name, official_level(course), device) for device in devices]
    store, keys = Store(store_url(course)), [job_key(course, job) for job in jobs]
    reports, ungraded = [], []
    for submission in submissions:
        found = [report for key in keys if (report := store.find(key, submission)) is not None]
        reports += found
        if not found:
            ungraded.append(submission.student)
    return StoredReports(tuple(reports), tuple(ungraded), tuple(warnings), tuple(submissions))
