"""Grade many submissions, in this process or in several."""

from __future__ import annotations

import functools
import multiprocessing
import multiprocessing.util
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing.sharedctypes import Synchronized

import torch

from autograder.course import Course, load_course
from autograder.grading import preloaded
from autograder.job import Job
from autograder.report import Progress, Report
from autograder.run import grade_submission
from autograder.sandbox import Sandbox, make_sandbox
from autograder.store import Reuse, Store, job_key
from autograder.submission import Submission


class Grader:
    """Grades submissions one after the other, with one sandbox."""

    def __init__(self, job: Job, reuse: Reuse | None = None) -> None:
        """Load the course and make the sandbox, which starts with the first submission that needs it.

        Args:
            job: How submissions are graded.
            reuse: Where reports are kept; None where each submission is graded anew and nothing is kept.
        """
        self.job, self.reuse = job, reuse
        self.course: Course = load_course(job.course)
        self.assignment = self.course.assignment(job.assignment)
        self.sandbox: Sandbox = make_sandbox(
            job.level, preloaded(self.assignment), self.assignment.forbidden, device=job.device
        )
        self._cores = _stay_on_one_core()
        self.sandbox.launch()
        self._store = Store(reuse.url) if reuse else None
        self._key = job_key(self.course, job) if reuse else ""
        torch.set_num_threads(1)

    def grade(self, submission: Submission, progress: Progress | None = None) -> Report:
        """Grade one submission, or find what it got before."""
        if self._store and self.reuse and self.reuse.resume:
            found = self._store.find(self._key, submission)
            if found is not None:
                return found
        report = grade_submission(self.course, submission, self.sandbox, self.job, progress=progress)
        if self._store:
            self._store.keep(self._key, submission, report)
        return report

    def close(self) -> None:
        """End the sandbox."""
        self.sandbox.close()
        if self._cores:
            os.sched_setaffinity(0, self._cores)


_place = -1
"""Which of the processes that grade beside each other this one is; alone it takes the last core, the least busy one."""


def _take_place(counter: Synchronized[int]) -> None:
    global _place
    with counter.get_lock():
        _place = counter.value
        counter.value += 1


def _stay_on_one_core() -> set[int]:
    """Stay on one core, with the workers to come, and return the cores there were before; none where that is unknown.

    Grader and worker take turns. On two cores each turn has to wake the other one up, which takes ten times as long.
    """
    if not hasattr(os, "sched_setaffinity"):
        return set()
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(cores)[_place % len(cores)]})
    return cores


_grader: Grader | None = None


def _grade_in_child(job: Job, reuse: Reuse | None, submission: Submission) -> Report:
    global _grader
    if _grader is None or (_grader.job, _grader.reuse) != (job, reuse):
        if _grader is not None:
            _grader.close()
        _grader = Grader(job, reuse)
        multiprocessing.util.Finalize(None, _grader.close, exitpriority=10)
    return _grader.grade(submission)


def grade_all(
    job: Job,
    submissions: Sequence[Submission],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    reuse: Reuse | None = None,
) -> Iterator[tuple[int, Report]]:
    """Grade submissions and yield each one's place and report as it is ready; identical ones are graded once.

    Args:
        job: How.
        submissions: What.
        jobs: How many processes grade at once; with 1 this process does.
        progress: With one job, called with each finished check, and with words about one that takes long.
        reuse: Where reports are kept and found again; None where every submission is graded anew.
    """
    if reuse is None:
        yield from _grade_each(job, list(enumerate(submissions)), jobs=jobs, progress=progress)
        return
    store, key = Store(reuse.url), job_key(load_course(job.course), job)
    todo = []
    for place, submission in enumerate(submissions):
        found = store.find(key, submission) if reuse.resume else None
        if found is None:
            todo.append((place, submission))
        else:
            yield place, found
    first = {submission.digest: place for place, submission in reversed(todo)}
    ahead = [(place, submission) for place, submission in todo if first[submission.digest] == place]
    yield from _grade_each(job, ahead, jobs=jobs, progress=progress, reuse=reuse)
    behind = []
    for place, submission in todo:
        if first[submission.digest] != place:
            found = store.find(key, submission)
            if found is None:  # the first one's report was not complete, or the store is out of order
                behind.append((place, submission))
            else:
                yield place, found
    yield from _grade_each(job, behind, jobs=jobs, progress=progress, reuse=reuse)


def _grade_each(
    job: Job,
    submissions: Sequence[tuple[int, Submission]],
    *,
    jobs: int,
    progress: Progress | None = None,
    reuse: Reuse | None = None,
) -> Iterator[tuple[int, Report]]:
    if not submissions:
        return
    if jobs <= 1 or len(submissions) == 1:
        grader = Grader(job, reuse)
        try:
            for place, submission in submissions:
                yield place, grader.grade(submission, progress)
        finally:
            grader.close()
        return
    context = multiprocessing.get_context("spawn")
    take_place = functools.partial(_take_place, context.Value("i"))
    with ProcessPoolExecutor(min(jobs, len(submissions)), mp_context=context, initializer=take_place) as pool:
        places: dict[Future[Report], int] = {
            pool.submit(_grade_in_child, job, reuse, submission): place for place, submission in submissions
        }
        try:
            for future in as_completed(places):
                yield places[future], future.result()
        finally:
            pool.shutdown(cancel_futures=True)
