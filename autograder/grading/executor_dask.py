"""Grade on a Dask cluster that is there already: a laptop's, or one on Slurm or Kubernetes.

The course travels once, as a bundle that every worker gets; submissions travel as they were read, reports come back.
No file system is shared. Each Dask worker grades in a process of its own, so that what a grading does to its process
never meets Dask, and at most as many submissions are under way as there are threads of workers: what a dying worker
takes with it is what it graded, which then goes to another one.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import json
import socket
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from distributed import Client, KilledWorker, WorkerPlugin, as_completed, get_worker
from distributed.comm.addressing import parse_address, parse_host_port

from autograder.course.bundle import pack_course, unpack_course
from autograder.course.loading import load_course
from autograder.course.secret import VARIABLE, read_secret
from autograder.errors import CourseError
from autograder.grading.child import GradingProcess
from autograder.grading.job import MOST_DEATHS, Job
from autograder.grading.report_store import engine_digest
from autograder.report.model import Report
from autograder.submission.reading import Submission

_CONNECT_S = 15
TIMING, GPU = "timing", "GPU"
"""Resources that workers may declare: that nothing else runs on their core, and a GPU."""


def grade_on_cluster(
    job: Job, submissions: Sequence[tuple[int, Submission]], *, scheduler: str
) -> Iterator[tuple[int, Report | None]]:
    """Grade submissions and yield each one's place and report as it is ready.

    Args:
        job: How.
        submissions: What, each with its place.
        scheduler: The address of the scheduler, such as ``tcp://10.0.0.1:8786``, or a scheduler file.

    Yields:
        A place and its report; None for one that ended three workers.

    Raises:
        CourseError: If the scheduler cannot be reached, has no workers that fit, or they run another engine.
        AutograderError: If a worker cannot grade.
    """
    course = load_course(job.course)
    secret = read_secret(course.secret_file).decode()
    with _connected(scheduler) as client:
        wanted, lanes = _lanes(client, job)
        name = f"autograde-{uuid.uuid4()}"
        client.register_plugin(CourseBundle(pack_course(course), secret), name)
        waiting = iter(submissions)
        futures: dict[Any, int] = {}

        def submit_one() -> Any:
            place, submission = next(waiting, (-1, None))
            if submission is None:
                return None
            future = client.submit(
                grade_remotely, name, job, submission, pure=False, resources=wanted or None, retries=0
            )
            futures[future] = place
            return future

        started = [future for _ in range(lanes) if (future := submit_one()) is not None]
        running = as_completed(started, loop=client.loop)
        for future in running:
            place = futures.pop(future)
            try:
                report = future.result()
            except KilledWorker:
                report = None
            following = submit_one()
            if following is not None:
                running.add(following)
            yield place, report
        client.unregister_worker_plugin(name)


def _lanes(client: Client, job: Job) -> tuple[dict[str, float], int]:
    """Return the resources that a grading asks for, and how many gradings the cluster takes at once."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    if not workers:
        raise CourseError("the cluster has no workers; expected one or more; start them with `dask worker`")
    engines = client.run(engine_digest)
    other = sorted(address for address, digest in engines.items() if digest != engine_digest())
    if other:
        raise CourseError(
            f"{other[0]}: runs another version of the autograder, of torch or of Python; expected this one; "
            "install it there"
        )
    wanted = {GPU: 1.0} if job.device == "cuda" else {}
    if any(TIMING in worker["resources"] for worker in workers.values()):
        wanted[TIMING] = 1.0
    fit = [worker for worker in workers.values() if all(worker["resources"].get(name, 0) >= 1 for name in wanted)]
    if not fit:
        raise CourseError(f"no worker of the cluster declares {' and '.join(wanted)}; start one with --resources")
    lanes = [min([worker["nthreads"], *(int(worker["resources"][name]) for name in wanted)]) for worker in fit]
    return wanted, sum(lanes)


@contextmanager
def _connected(scheduler: str) -> Iterator[Client]:
    """Connect to a scheduler that gives a task up when it has ended three workers."""
    try:
        address = scheduler
        if Path(scheduler).is_file():
            address = str(json.loads(Path(scheduler).read_text(encoding="utf-8"))["address"])
        # A client of Dask's that reaches nobody leaves a thread behind, so it is tried by hand first.
        host, port = parse_host_port(parse_address(address)[1], default_port=8786)
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise CourseError(
            f"--scheduler {scheduler}: cannot be reached ({reason[0]}); expected the address of a Dask scheduler; "
            "start one with `dask scheduler`"
        ) from None
    try:
        before = client.run_on_scheduler(_allow_failures, most=MOST_DEATHS - 1)
        yield client
        client.run_on_scheduler(_allow_failures, most=before)
    finally:
        client.close()


def _allow_failures(dask_scheduler: Any, most: int) -> int:
    """Set how many deaths of workers a task may see and be tried again; return what it was."""
    before: int = dask_scheduler.allowed_failures
    dask_scheduler.allowed_failures = most
    return before


# -- on a worker -------------------------------------------------------------------------------------------------------


class CourseBundle(WorkerPlugin):
    """The course and its secret on every worker, those that come later, too.

    Scattered data would not do: the scheduler drops its copies but one, and that one dies with its worker.

    Attributes:
        bundle: The course, packed.
        secret: Its secret.
    """

    def __init__(self, bundle: bytes, secret: str) -> None:
        self.bundle = bundle
        self.secret = secret


def grade_remotely(name: str, job: Job, submission: Submission) -> Report:
    """Grade one submission on a worker, by the course bundle of this name.

    Raises:
        AutograderError: If this machine cannot grade it.
    """
    course = cast(CourseBundle, get_worker().plugins[name])
    return _process(course.secret).grade(replace(job, course=_unpacked(course.bundle)), None, submission)


@functools.cache
def _process(secret: str) -> GradingProcess:
    return GradingProcess(environment={VARIABLE: secret})


_courses: dict[str, Path] = {}


def _unpacked(bundle: bytes) -> Path:
    """Return the path of a bundle's `course.yml`, unpacked once for this process."""
    digest = hashlib.sha256(bundle).hexdigest()
    if digest not in _courses:
        folder = tempfile.TemporaryDirectory(prefix="autograde-course-")
        atexit.register(folder.cleanup)
        _courses[digest] = unpack_course(bundle, Path(folder.name))
    return _courses[digest]
