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
        self._take(job, reuse)
        self._settings = _sandbox_settings(self.course, job)
        level, preload, forbidden, device = self._settings
        self.sandbox: Sandbox = make_sandbox(level, preload, forbidden, device=device)
        self._core = Core()
        self.sandbox.launch()
        torch.set_num_threads(1)

    def adopt(self, job: Job, reuse: Reuse | None = None) -> bool:
        """Grade by another job from now on, and by the course as it is now; return whether the sandbox fits them."""
        if self._settings != _sandbox_settings(load_course(job.course), job):
            return False
        self._take(job, reuse)
        return True

    def _take(self, job: Job, reuse: Reuse | None) -> None:
        self.job, self.reuse = job, reuse
        self.course: Course = load_course(job.course)
        self._store = Store(reuse.url) if reuse else None
        self._key = job_key(self.course, job) if reuse else ""

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
    """Keeps one grader from submission to submission, for as long as its sandbox fits the course and the job."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._grader: Grader | None = None

    def prepare(self, job: Job, reuse: Reuse | None = None) -> Grader:
        """Return a grader for a job, whose sandbox starts in the background.

        Raises:
            AutograderError: If this machine cannot give the level, or the course does not load.
        """
        require(job.level)
        if self._grader is None or not self._grader.adopt(job, reuse):
            self.close()
            self._grader = Grader(job, reuse)
        return self._grader

    def grade(
        self, job: Job, submission: Submission, *, reuse: Reuse | None = None, progress: Progress | None = None
    ) -> Report:
        """Grade one submission.

        Raises:
            AutograderError: Whatever kept it from being graded, such as a check file that does not load.
        """
        return self.prepare(job, reuse).grade(submission, progress)

    def close(self) -> None:
        """End what was started."""
        grader, self._grader = self._grader, None
        if grader is not None:
            grader.close()


def _sandbox_settings(course: Course, job: Job) -> tuple[str, list[str], tuple[str, ...], str]:
    """Return what a sandbox is made from: level, modules to import, forbidden calls, device."""
    assignment = course.assignment(job.assignment)
    return job.level, preloaded(assignment), assignment.forbidden, job.device
