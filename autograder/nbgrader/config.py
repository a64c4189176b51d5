"""Configure nbgrader from `course.yml`; `nbgrader_config.py` at the course's root does nothing but call this."""

from __future__ import annotations

import os
import shutil
import sysconfig
from pathlib import Path

from traitlets.config import Config

from autograder.course.loading import Course, load_course

GRADEBOOK_VARIABLE = "AUTOGRADE_GRADEBOOK"
"""Names the gradebook's URL in place of `course.yml`'s; unlike that, it may hold a password."""
PACKAGE = "autograder.nbgrader"
IGNORED = (
    *(".ipynb_checkpoints", "*.pyc", "__pycache__", "feedback", ".pytest_cache", ".hypothesis", ".autograde"),
    *(".DS_Store", "Thumbs.db", "desktop.ini"),
)


def gradebook_url(course: Course) -> str:
    """Return the URL of the gradebook's database.

    That of the environment's ``AUTOGRADE_GRADEBOOK``, else of `course.yml`, else nbgrader's own default.
    """
    return os.environ.get(GRADEBOOK_VARIABLE) or course.gradebook or f"sqlite:///{course.root / 'gradebook.db'}"


def configure(config: Config, course_file: str | Path) -> None:
    """Write into nbgrader's configuration what `course.yml` decides.

    Args:
        config: What ``get_config()`` returned in `nbgrader_config.py`.
        course_file: The course's `course.yml`.

    Raises:
        CourseError: If `course.yml` is not in order.
    """
    config.merge(config_of(load_course(Path(course_file))))


def config_of(course: Course) -> Config:
    """Return nbgrader's configuration for a course.

    `assignments/` is nbgrader's source folder, so that what it releases is what lies there. A stub is what a student
    starts from, so nothing is cleared from solution cells. Everything else lies where nbgrader puts it by default.
    """
    config = Config()
    directory = config.CourseDirectory
    directory.root = str(course.root)
    directory.course_id = course.course_id
    directory.source_directory = "assignments"
    directory.db_url = gradebook_url(course)
    directory.ignore = list(IGNORED)
    if course.exchange is not None:
        config.Exchange.root = str(course.exchange)
    own, kept = f"{PACKAGE}.judging.preprocessor", "nbgrader.preprocessors"
    config.GenerateAssignment.preprocessors = [
        *(f"{kept}.LockCells", f"{kept}.ClearOutput", f"{kept}.CheckCellMetadata", f"{kept}.ComputeChecksums"),
        *(f"{kept}.SaveCells", f"{kept}.CheckCellMetadata"),
    ]
    config.GenerateAssignment.post_convert_hook = f"{PACKAGE}.generate.after_generating"
    config.Autograde.exporter_class = f"{own}.LenientExporter"
    config.Autograde.sanitize_preprocessors = [
        *(f"{kept}.ClearOutput", f"{own}.Restore", f"{kept}.DeduplicateIds", f"{kept}.OverwriteKernelspec"),
        *(f"{kept}.OverwriteCells", f"{kept}.CheckCellMetadata"),
    ]
    config.Autograde.autograde_preprocessors = [
        *(f"{own}.Judge", f"{kept}.LimitOutput", f"{own}.SaveScores", f"{kept}.AssignLatePenalties"),
        f"{kept}.CheckCellMetadata",
    ]
    config.Autograde.exclude_overwriting = {item.name: [f"{item.name}.py"] for item in course.assignments}
    config.AssignLatePenalties.plugin_class = f"{PACKAGE}.late_plugin.CoursePolicy"
    config.ExchangeFactory.collect = f"{PACKAGE}.exchange.classes.Collect"
    config.ExchangeFactory.release_assignment = f"{PACKAGE}.exchange.classes.ReleaseAssignment"
    _make_scripts_findable()
    return config


def _make_scripts_findable() -> None:
    """Append the folder of Python's scripts to PATH where nbgrader would not find the one it starts by name.

    That is `alembic`, for every new gradebook. Without it the tables are written and their version is not.
    """
    if shutil.which("alembic") is None:
        os.environ["PATH"] = os.pathsep.join((os.environ.get("PATH", os.defpath), sysconfig.get_path("scripts")))
