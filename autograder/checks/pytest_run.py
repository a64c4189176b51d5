"""Run the check files of an assignment by pytest, in this process."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.checks import pytest_plugin as plugin
from autograder.checks.session import Grading
from autograder.course.loading import Assignment
from autograder.errors import CourseError

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
        with contextlib.redirect_stderr(said), _without_variables():
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
def _without_variables() -> Iterator[None]:
    """Hide pytest's own environment variables, so that checks run the same in every instructor's shell."""
    hidden = {name: os.environ.pop(name) for name in _VARIABLES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


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
