"""Grade one submission and make its report."""

from __future__ import annotations

import time

from autograder.checks.forbidden_names import disagreements
from autograder.checks.pytest_run import check_paths, run_checks
from autograder.checks.session import make_grading
from autograder.course.loading import Course
from autograder.grading.job import Job
from autograder.report.model import Progress, Report
from autograder.sandbox.start import Sandbox
from autograder.submission.reading import Submission


def grade_submission(
    course: Course,
    submission: Submission,
    sandbox: Sandbox,
    job: Job,
    *,
    progress: Progress | None = None,
) -> Report:
    """Grade one submission and return its report; a submission's fault never raises.

    Args:
        course: The course, loaded from ``job.course``.
        submission: The submission, read.
        sandbox: Where its workers run.
        job: The assignment and how it is graded.
        progress: Called with each finished check, and with words about one that takes long.

    Raises:
        CourseError: If a check file does not load.
        SandboxError: If this machine cannot isolate the submission.
    """
    assignment = course.assignment(job.assignment)
    hidden = job.hidden and bool(assignment.hidden_check_files())
    started = time.perf_counter()
    grading = make_grading(
        course, submission, sandbox, hidden=hidden, progress=progress, pairs=job.pairs, pictures=job.pictures
    )
    try:
        if not submission.error:
            grading.try_loading()
        files = check_paths(assignment, hidden=hidden)
        run_checks(grading, course.root, files, select=job.select, collect_only=bool(submission.error))
    finally:
        grading.close()
    if submission.error:
        for check in grading.checks:
            check.lose("not_run", submission.error, final=True)
    checks = grading.results()
    flags = [*submission.flags, *grading.flags, *disagreements(submission.source, assignment, checks)]
    if sandbox.level != course.sandbox:
        flags.append(f"graded at sandbox level {sandbox.level}; the course asks for {course.sandbox}")
    return Report(
        student=submission.student,
        assignment=assignment.name,
        digest=submission.digest,
        submitted_at=submission.submitted_at.isoformat() if submission.submitted_at else None,
        device=sandbox.device,
        sandbox=sandbox.level,
        seed=f"{grading.seed():016x}",
        seconds=time.perf_counter() - started,
        flags=tuple(flags),
        checks=tuple(checks),
        notes=submission.notes,
        error=submission.error,
    )
