"""The options that say where results go, and what is looked at before anything is graded."""

from __future__ import annotations

import functools
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from autograder.cli.options import results_console
from autograder.course.loading import Assignment
from autograder.errors import CourseError

if TYPE_CHECKING:
    from autograder.report.model import Report

STDOUT = Path("-")
_CI_COLUMNS = 120
_FILE = click.Path(path_type=Path)
_OPTIONS = {
    "json": click.option("--json", metavar="FILE", type=_FILE, help="Write the report as JSON; - is stdout."),
    "junit": click.option("--junit", metavar="FILE", type=_FILE, help="Write JUnit XML, for a CI service."),
    "gradescope": click.option("--gradescope", metavar="FILE", type=_FILE, help="Write Gradescope's results.json."),
    "classroom50": click.option("--classroom50", metavar="FILE", type=_FILE, help="Write Classroom 50's result.json."),
    "ci": click.option(
        "--ci",
        "--github",
        "ci",
        is_flag=True,
        help="Say what students may read, plainly; on GitHub Actions with a summary and annotations.",
    ),
}


@dataclass(frozen=True)
class Outputs:
    """Where results go.

    Attributes:
        json: The file for our own JSON, or `-`.
        junit: The file for JUnit XML.
        gradescope: The file for Gradescope.
        classroom50: The file for Classroom 50.
        ci: Whether a CI service, and with it students, read what is printed.
    """

    json: Path | None = None
    junit: Path | None = None
    gradescope: Path | None = None
    classroom50: Path | None = None
    ci: bool = False

    @property
    def on_stdout(self) -> bool:
        """Whether standard output holds the JSON and nothing else."""
        return self.json == STDOUT

    def files(self) -> dict[str, Path]:
        """Return what is named, by option."""
        named = {"--json": self.json, "--junit": self.junit, **self.of_one()}
        return {option: path for option, path in named.items() if path is not None}

    def of_one(self) -> dict[str, Path]:
        """Return the files that hold the result of one submission and no more."""
        named = {"--gradescope": self.gradescope, "--classroom50": self.classroom50}
        return {option: path for option, path in named.items() if path is not None}

    def require(self) -> None:
        """Insist that every file can be written, before anything is graded.

        Raises:
            CourseError: If one cannot.
        """
        options: dict[Path, str] = {}
        for option, path in self.files().items():
            if option == "--json" and self.on_stdout:
                continue
            same = options.setdefault(Path(os.path.abspath(path)), option)
            if same != option:
                raise CourseError(f"{option} {path}: {same} names it, too; expected a file for each; choose another")
            _require_place(option, path)
        if self.classroom50 is not None:
            from autograder.report.formats.classroom50 import VARIABLES

            if missing := [name for name in VARIABLES if not os.environ.get(name)]:
                found = f"--classroom50 {self.classroom50}: the environment has no {', '.join(missing)}"
                raise CourseError(f"{found}; expected what Classroom 50's runner sets; start it from an autograder.py")

    def require_one(self, count: int) -> None:
        """Insist on one submission where a file holds the result of one.

        Raises:
            CourseError: If there are more, or none.
        """
        for option, path in self.of_one().items():
            if count != 1:
                found = f"{option} {path}: {count or 'no'} submissions"
                raise CourseError(f"{found}; expected one, for the file holds the result of one; name its PATH")

    def console(self) -> Console:
        """Return the console for results."""
        if self.ci:
            return Console(highlight=False, no_color=True, force_terminal=False, width=_CI_COLUMNS)
        return results_console()

    def seen(self, reports: Sequence[Report], assignment: Assignment) -> list[Report]:
        """Return the reports as they are shown: in CI, as far as students may read them."""
        from autograder.report.student_view import for_students

        if not self.ci:
            return list(reports)
        return [for_students(report, assignment.hidden_feedback) for report in reports]


def results_options(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the named options, as one argument `outputs`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def wrapped(*args: Any, **named: Any) -> None:
            command(*args, outputs=Outputs(**{name: named.pop(name) for name in names}), **named)

        for name in reversed(names):
            wrapped = _OPTIONS[name](wrapped)
        return wrapped

    return decorate


def _require_place(option: str, path: Path) -> None:
    try:
        if path == STDOUT or (path.exists() and not path.is_file()):
            raise CourseError(f"{option} {path}: is no regular file; expected one or a new name; choose another")
        with tempfile.NamedTemporaryFile(prefix=f".{path.name}.", dir=path.parent):
            pass
    except OSError as error:
        found = f"{option} {path}: {error.strerror}"
        raise CourseError(f"{found}; expected a place that can be written; choose another") from error
