"""Grade submissions one after the other, with one sandbox."""

from __future__ import annotations

import torch

from autograder.checks.session import preloaded
from autograder.course.loading import Course, load_course
from autograder.errors import SandboxError
from autograder.grading.core_lease import Core
from autograder.grading.grade_submission import grade_submission
from autograder.grading.job import Job
from autograder.grading.report_store import Reuse, Store, job_key
from autograder.report.model import Progress, Report
from autograder.sandbox.levels import require
from autograder.sandbox.start import Sandbox, WorkerHandle, make_sandbox
from autograder.submission.reading import Submission

_MOST_ATTEMPTS = 3


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
        self._core = Core()
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
        report = self._grade_undisturbed(submission, progress)
        if self._store:
            self._store.keep(self._key, submission, report)
        return report

    def _grade_undisturbed(self, submission: Submission, progress: Progress | None) -> Report:
        """Grade again, a few times at most, if somebody else ended a worker or the forkserver meanwhile."""
        for _ in range(_MOST_ATTEMPTS - 1):
            before = WorkerHandle.disturbances
            try:
                report = grade_submission(self.course, submission, self.sandbox, self.job, progress=progress)
            except SandboxError:
                if WorkerHandle.disturbances == before:
                    raise
            else:
                if WorkerHandle.disturbances == before:
                    return report
            self.sandbox.close()
        return grade_submission(self.course, submission, self.sandbox, self.job, progress=progress)

    def close(self) -> None:
        """End the sandbox, and give the core back."""
        self.sandbox.close()
        self._core.close()


class LastingGrader:
    """Keeps one grader from submission to submission, for as long as the course and the job stay as they are."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._grader: Grader | None = None
        self._state: tuple[object, ...] = ()

    def grade(
        self, job: Job, submission: Submission, *, reuse: Reuse | None = None, progress: Progress | None = None
    ) -> Report:
        """Grade one submission.

        Raises:
            AutograderError: Whatever kept it from being graded, such as a check file that does not load.
        """
        require(job.level)
        now = (job, reuse, job_key(load_course(job.course), job))
        if self._grader is None or self._state != now:
            self.close()
            self._grader, self._state = Grader(job, reuse), now
        return self._grader.grade(submission, progress)

    def close(self) -> None:
        """End what was started."""
        grader, self._grader, self._state = self._grader, None, ()
        if grader is not None:
            grader.close()
