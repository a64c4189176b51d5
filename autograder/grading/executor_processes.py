"""Grade in several processes of this machine, each with a forkserver and a core of its own, whatever becomes of them.

A grading process may be killed at any moment, by a person, by the kernel for want of memory, or by what it grades. The
others are then started anew. What was being graded when one died is graded alone afterwards; what dies three times in
that is a verdict and no fourth attempt.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.util
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import Synchronized, SynchronizedArray
from typing import Any

from autograder.grading.grader import Grader
from autograder.grading.job import MOST_DEATHS, Job
from autograder.grading.report_store import Reuse
from autograder.report.model import Report
from autograder.submission.reading import Submission
from autograder.worker import linux

_NOTHING = -1


def grade_in_processes(
    job: Job, submissions: Sequence[tuple[int, Submission]], *, jobs: int, reuse: Reuse | None
) -> Iterator[tuple[int, Report | None]]:
    """Grade submissions and yield each one's place and report as it is ready.

    Args:
        job: How.
        submissions: What, each with its place.
        jobs: How many processes.
        reuse: Where reports are kept and found again.

    Yields:
        A place and its report; None for one that ended its grading process three times.
    """
    waiting = dict(submissions)
    deaths: dict[int, int] = {}
    while rest := {place: waiting[place] for place in waiting if place not in deaths}:
        yield from _round(job, rest, waiting, deaths, jobs=min(jobs, len(rest)), reuse=reuse)
    for place in list(waiting):
        while place in waiting and deaths[place] < MOST_DEATHS:
            yield from _round(job, {place: waiting[place]}, waiting, deaths, jobs=1, reuse=reuse)
        if place in waiting:
            yield place, None


def _round(
    job: Job,
    now: Mapping[int, Submission],
    waiting: dict[int, Submission],
    deaths: dict[int, int],
    *,
    jobs: int,
    reuse: Reuse | None,
) -> Iterator[tuple[int, Report]]:
    """Grade until all is done, which takes it off the waiting ones, or until a process dies, which is counted."""
    context = multiprocessing.get_context("spawn")
    slots: SynchronizedArray[int] = context.Array("i", [_NOTHING] * jobs)
    arguments = (context.Value("i"), slots, os.getpid())
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=arguments)
    try:
        futures: dict[Future[Report], int] = {
            pool.submit(_grade, job, reuse, submission, place): place for place, submission in now.items()
        }
        for future in as_completed(futures):
            report = future.result()
            del waiting[futures[future]]
            yield futures[future], report
    except BrokenProcessPool:
        for place in slots[:]:
            if place in waiting:
                deaths[place] = deaths.get(place, 0) + 1
    except BaseException:
        # The one who asked wants no more: nobody waits for what is half graded.
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


# -- in a grading process ----------------------------------------------------------------------------------------------

_slots: Any = None
_slot = 0
_grader: Grader | None = None


def _begin(counter: Synchronized[int], slots: SynchronizedArray[int], parent: int) -> None:
    """Take a slot, and end with the parent; a key pressed in its terminal is the parent's to answer."""
    global _slots, _slot
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        linux.die_with_parent()
        if os.getppid() != parent:
            os._exit(1)
    with counter.get_lock():
        _slot = counter.value
        counter.value += 1
    _slots = slots


def _grade(job: Job, reuse: Reuse | None, submission: Submission, place: int) -> Report:
    global _grader
    _slots[_slot] = place
    if _grader is None:
        _grader = Grader(job, reuse)
        multiprocessing.util.Finalize(None, _grader.close, exitpriority=10)
    report = _grader.grade(submission)
    _slots[_slot] = _NOTHING
    return report
