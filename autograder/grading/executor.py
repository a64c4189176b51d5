"""Grade many submissions: in this process, in several, or on a cluster."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from autograder.course.loading import load_course
from autograder.grading.grader import Grader
from autograder.grading.job import Job, given_up
from autograder.grading.report_store import Reuse, Store, job_key
from autograder.report.model import Progress, Report
from autograder.submission.reading import Submission


def grade_all(
    job: Job,
    submissions: Sequence[Submission],
    *,
    jobs: int = 1,
    progress: Progress | None = None,
    reuse: Reuse | None = None,
    scheduler: str | None = None,
) -> Generator[tuple[int, Report]]:
    """Grade submissions and yield each one's place and report as it is ready; identical ones are graded once.

    Args:
        job: How.
        submissions: What.
        jobs: How many processes grade at once; with 1 this process does.
        progress: With one job, called with each finished check, and with words about one that takes long.
        reuse: Where reports are kept and found again; None where every submission is graded anew.
        scheduler: The scheduler of a Dask cluster to grade on, in place of this machine.
    """
    if reuse is None:
        yield from _grade_each(
            job, list(enumerate(submissions)), jobs=jobs, progress=progress, reuse=None, scheduler=scheduler
        )
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
    yield from _grade_each(job, ahead, jobs=jobs, progress=progress, reuse=reuse, scheduler=scheduler)
    behind = []
    for place, submission in todo:
        if first[submission.digest] != place:
            found = store.find(key, submission)
            if found is None:  # the first one's report was not complete, or the store is out of order
                behind.append((place, submission))
            else:
                yield place, found
    yield from _grade_each(job, behind, jobs=jobs, progress=progress, reuse=reuse, scheduler=scheduler)


def _grade_each(
    job: Job,
    submissions: Sequence[tuple[int, Submission]],
    *,
    jobs: int,
    progress: Progress | None,
    reuse: Reuse | None,
    scheduler: str | None,
) -> Generator[tuple[int, Report]]:
    if not submissions:
        return
    if scheduler is not None:
        from autograder.grading.executor_dask import grade_on_cluster

        found = grade_on_cluster(job, submissions, scheduler=scheduler)
    elif jobs > 1 and len(submissions) > 1:
        from autograder.grading.executor_processes import grade_in_processes

        found = grade_in_processes(job, submissions, jobs=jobs, reuse=reuse)
    else:
        yield from _grade_here(job, submissions, progress=progress, reuse=reuse)
        return
    store, key = (Store(reuse.url), job_key(load_course(job.course), job)) if reuse else (None, "")
    known, lost = dict(submissions), []
    for place, report in found:
        if report is None:
            lost.append((place, given_up(known[place])))
            continue
        if store is not None and scheduler is not None:  # what grades on this machine keeps its reports itself
            store.keep(key, known[place], report)
        yield place, report
    yield from _grade_here(job, lost, progress=progress, reuse=reuse)


def _grade_here(
    job: Job,
    submissions: Sequence[tuple[int, Submission]],
    *,
    progress: Progress | None,
    reuse: Reuse | None,
) -> Generator[tuple[int, Report]]:
    if not submissions:
        return
    grader = Grader(job, reuse)
    try:
        for place, submission in submissions:
            yield place, grader.grade(submission, progress)
    finally:
        grader.close()
