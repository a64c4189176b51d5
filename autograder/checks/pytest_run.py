"""Run the checks of an assignment over a submission, and make the report."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.checks import pytest_plugin as plugin
from autograder.checks.forbidden_names import disagreements
from autograder.checks.pictures import Pictures
from autograder.checks.session import Grading, make_grading
from autograder.course.loading import Assignment, Course
from autograder.course.secret import read_secret
from autograder.errors import CourseError
from autograder.grading.job import Job
from autograder.report.model import Progress, Report
from autograder.sandbox.start import Sandbox
from autograder.submission.reading import Submission

_OPTIONS = (
    "--disable-plugin-autoload",
    "-p",
    "autograder.checks.pytest_plugin",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:terminal",
    "-p",
    "no:faulthandler",
    # These two collect garbage several times at the end of every run: 0.4 s each, for warnings that are ignored here.
    "-p",
    "no:unraisableexception",
    "-p",
    "no:threadexception",
    "-p",
    "no:logging",
    "-p",
    "no:junitxml",
    "-p",
    "no:doctest",
    "-p",
    "no:unittest",
    "--import-mode=importlib",
    "--capture=no",
    "-W",
    "ignore",
)


_VARIABLES = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")
_RAISED = re.compile(r"^E\s+(\w+\.)*(UsageError|CourseError):\s*")


class Hook:
    """Hand a grading to the plugin, and keep what pytest says about files that do not collect."""

    def __init__(self, grading: Grading) -> None:
        self._grading = grading
        self.errors: list[str] = []
        self.stopped = False

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Give the plugin the grading of this run."""
        config.stash[plugin.GRADING] = self._grading

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep the reason why a check file does not load."""
        if report.failed:
            self.errors.append(str(report.longrepr).strip().splitlines()[-1])

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that somebody stopped the run, which pytest keeps to itself."""
        self.stopped = excinfo.type is KeyboardInterrupt

    def pytest_internalerror(self, excrepr: object) -> None:
        """Keep the reason why pytest itself stopped."""
        self.errors.append(str(excrepr).strip().splitlines()[-1])


def check_paths(assignment: Assignment, *, hidden: bool) -> list[Path]:
    """Return the check files of an assignment in the order in which they run."""
    return [*assignment.check_files(), *(assignment.hidden_check_files() if hidden else [])]


def run_checks(
    grading: Grading,
    root: Path,
    files: list[Path],
    *,
    select: tuple[str, ...] | None = None,
    collect_only: bool = False,
) -> None:
    """Run check files by pytest in this process.

    Args:
        grading: The submission and where its results go.
        root: The course's folder.
        files: The check files.
        select: The names of the checks to run; None for all.
        collect_only: Find the checks without running them.

    Raises:
        CourseError: If a check file does not load or holds no check.
    """
    hook = Hook(grading)
    arguments = [*_OPTIONS, "-c", str(Path(plugin.__file__).with_name("checks.ini")), f"--rootdir={root}"]
    plugins: list[object] = [hook] if select is None else [hook, _Select(select)]
    if collect_only:
        arguments.append("--collect-only")
    with _clean_imports({path.parent for path in files}):
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            for name in _VARIABLES:
                os.environ.pop(name, None)  # the checks run the same whatever the instructor's shell says
            code = pytest.main([*arguments, *(str(path) for path in files)], plugins=plugins)
    if hook.stopped:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        if code == pytest.ExitCode.NO_TESTS_COLLECTED and not hook.errors:
            raise CourseError(
                f"{grading.assignment.name}: its checks do not load: no checks in its check files; write one"
            )
        lines = hook.errors or said.getvalue().strip().splitlines()[-1:] or [f"pytest ended with {code!r}"]
        reason = _RAISED.sub("", lines[0])
        raise CourseError(f"{grading.assignment.name}: its checks do not load: {reason}")


class _Select:
    def __init__(self, names: tuple[str, ...]) -> None:
        self._functions = {f"check_{name}" for name in names}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if getattr(item, "originalname", item.name) in self._functions]


@contextlib.contextmanager
def _clean_imports(folders: set[Path]) -> Iterator[None]:
    """Import what lies in these folders anew in every run and leave no caches there; libraries stay imported."""
    before, bytecode = set(sys.modules), sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = bytecode
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            if file and Path(file).parent in folders:
                del sys.modules[name]


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
    secret = read_secret(course.secret_file)
    grading = make_grading(assignment, submission, sandbox, secret=secret, hidden=hidden, progress=progress)
    grading.options["data"] = course.data
    if progress is not None:
        grading.options["tell"] = progress
    grading.pairs = job.pairs
    grading.pictures = Pictures(job.pictures)
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
