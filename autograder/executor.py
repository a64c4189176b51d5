"""Grade many submissions, in this process or in several."""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed

import torch

from autograder.course import Course, load_course
from autograder.grading import preloaded
from autograder.job import Job
from autograder.report import Progress, Report
from autograder.run import grade_submission
from autograder.sandbox import Sandbox, make_sandbox
from autograder.submission import Submission


class Grader:
    """Grades submissions one after the other, with one sandbox."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.course: Course = load_course(job.course)
        self.assignment = self.course.assignment(job.assignment)
        self.sandbox: Sandbox = make_sandbox(job.level, preloaded(self.assignment), self.assignment.forbidden)
        self.sandbox.launch()
        torch.set_num_threads(1)

    def grade(self, submission: Submission, progress: Progress | None = None) -> Report:
        """Grade one submission."""
        return grade_submission(self.course, submission, self.sandbox, self.job, progress=progress)

    def close(self) -> None:
        """End the sandbox."""
        self.sandbox.close()


_grader: Grader | None = None


def _grade_in_child(job: Job, submission: Submission) -> Report:
    global _grader
    if _grader is None or _grader.job != job:
        if _grader is not None:
            _grader.close()
        _grader = Grader(job)
        multiprocessing.util.Finalize(None, _grader.close, exitpriority=10)
    return _grader.grade(submission)


def grade_all(
    job: Job,
    submissions: Sequence[Submission],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Iterator[tuple[int, Report]]:
    """Grade submissions and yield each one's place and report as it is ready.

    Args:
        job: How.
        submissions: What.
        jobs: How many processes grade at once; with 1 this process does.
        progress: With one job, called with each finished check, and with words about one that takes long.
    """
    if not submissions:
        return
    if jobs <= 1 or len(submissions) == 1:
        grader = Grader(job)
        try:
            for place, submission in enumerate(submissions):
                yield place, grader.grade(submission, progress)
        finally:
            grader.close()
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(submissions)), mp_context=context) as pool:
        places: dict[Future[Report], int] = {
            pool.submit(_grade_in_child, job, submission): place for place, submission in enumerate(submissions)
        }
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)
