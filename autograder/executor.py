"""Grade many submissions: in this process, in several, or on a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from autograder.course import load_course
from autograder.grader import Grader
from autograder.job import Job
from autograder.report import Progress, Report
from autograder.store import Reuse, Store, job_key
from autograder.submission import Submission


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
        yield from _grade_here(job, submissions, progress=progress, reuse=reuse)
        return
    from autograder.pool import MOST_DEATHS, grade_in_processes

    lost = []
    known = dict(submissions)
    for place, report in grade_in_processes(job, submissions, jobs=jobs, reuse=reuse):
        if report is not None:
            yield place, report
        else:
            words = f"grading it ended the grading process {MOST_DEATHS} times; your instructor has to look at it"
            lost.append((place, replace(known[place], error=words)))
    yield from _grade_here(job, lost, progress=progress, reuse=reuse)


def _grade_here(
    job: Job,
    submissions: Sequence[tuple[int, Submission]],
    *,
    progress: Progress | None,
    reuse: Reuse | None,
) -> Iterator[tuple[int, Report]]:
    if not submissions:
        return
    grader = Grader(job, reuse)
    try:
        for place, submission in submissions:
            yield place, grader.grade(submission, progress)
    finally:
        grader.close()
