"""Judge inside `nbgrader autograde` and the formgrader, in place of nbgrader's own execution.

No student code runs in nbgrader's process or in a kernel. `config.py` names what stands here:

    LenientExporter   reads any notebook, so that one student's file never stops the others
    Restore           puts the released cells back (restore.py)
    Judge             writes verdicts and scores into the cells of the checks
    SaveScores        writes the scores into the gradebook
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat.notebooknode import NotebookNode
from nbgrader import utils
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from autograder.course.loading import Course
from autograder.errors import CourseError, SandboxError
from autograder.grading.job import LEVEL_VARIABLE
from autograder.nbgrader.judging.feedback_cells import outputs
from autograder.nbgrader.judging.official_report import notebook_key, official_job, official_report, read_submitted
from autograder.nbgrader.judging.restore_cells import Restore, read_leniently
from autograder.nbgrader.judging.step import course_of, directory_of, released_notebook, submitted_folder
from autograder.report.model import Report
from autograder.report.student_view import visible as visible_report
from autograder.sandbox.levels import require

__all__ = ["Judge", "LenientExporter", "Restore", "SaveScores"]

MARK = "autograder"
"""Where a notebook's metadata say which report it shows, and nbgrader's resources what its cells earned."""


class LenientExporter(NotebookExporter):
    """Read what a student submitted, and take the released notebook where that is none."""

    def __init__(self, **named: Any) -> None:
        """Refuse to start on a machine that cannot isolate submissions, once and not for each student."""
        super().__init__(**named)  # type: ignore[no-untyped-call]
        course = course_of(self)
        try:
            require(official_job(course, directory_of(self).assignment_id).level)
        except SandboxError as error:
            words = f"{error}; with nbgrader's own commands and buttons, {LEVEL_VARIABLE} names that level"
            self.log.error("%s", words)
            raise NbGraderException(words) from None

    def from_filename(self, filename: str, resources: Any = None, **named: Any) -> Any:
        """Convert a notebook; the second time it is one that we wrote."""
        if not getattr(self.parent, "_sanitizing", True):
            return super().from_filename(filename, resources=resources, **named)
        path = Path(filename)
        found = None if path.is_symlink() else read_leniently(path)  # a link may lead to what is not the student's
        if found is None:
            self.log.warning("%s cannot be read as a notebook; the released one takes its place", filename)
            found = read_leniently(released_notebook(self, course_of(self), resources["nbgrader"]["assignment"]))
        if found is None:
            raise CourseError(
                f"{filename}: no released notebook to take its place; expected one; run `autograde build`"
            )
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        return self.from_notebook_node(found, resources=resources, **named)  # type: ignore[no-untyped-call]


class Judge(NbGraderPreprocessor):  # type: ignore[misc]
    """Give each check's cell what the student reads and what it earned."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Judge the submission that a notebook belongs to.

        Raises:
            AutograderError: If it cannot be graded; nbgrader then keeps the grades that there are.
        """
        names = resources["nbgrader"]
        student, name = names["student"], names["assignment"]
        earned: dict[str, float | None] = {}
        names[MARK] = earned
        if names["notebook"] != name:
            self.log.warning("%s.ipynb is not the notebook of %s; its cells stay ungraded", names["notebook"], name)
            return nb, resources
        course = course_of(self)
        folder = submitted_folder(self, student, name)
        when = directory_of(self).get_existing_timestamp(str(folder))
        submission = read_submitted(course, name, student=student, folder=folder, when=when)
        report = official_report(course, submission)
        for flag in report.flags:
            self.log.warning("%s, %s: %s", student, name, flag)
        self._write(nb, course, report, earned)
        if report.complete:
            nb.metadata[MARK] = {"report": notebook_key(course, submission)}
        return nb, resources

    def _write(self, nb: NotebookNode, course: Course, report: Report, earned: dict[str, float | None]) -> None:
        visible = visible_report(report, course.assignment(report.assignment).hidden_feedback)
        readable = {check.name: check for check in visible.checks}
        results = {check.name: check for check in report.checks}
        notes = visible.notes
        for cell in nb.cells:
            if not is_judged(cell):
                continue
            name, points = cell.metadata.nbgrader.grade_id, float(cell.metadata.nbgrader.points)
            cell.outputs = []
            if name not in results:
                self.log.warning("There is no check '%s'; its cell stays ungraded", name)
                continue
            score = min(max(results[name].score, 0.0), points)
            earned[name] = None if results[name].verdict == "grader_error" else score
            if points != results[name].points:
                self.log.warning(
                    "The check '%s' is worth %s, and %s in the gradebook; generate the assignment again",
                    *(name, results[name].points, points),
                )
            cell.execution_count = 1
            cell.outputs = outputs(readable.get(name), score, notes)
            notes = ()
        missing = [name for name in results if name not in earned]
        if missing:
            self.log.warning("No cell for %s; generate the assignment again", ", ".join(missing))


class SaveScores(SaveAutoGrades):  # type: ignore[misc]
    """Write the scores as nbgrader does, but none that is not the submission's own.

    Where a check ended in an internal grader error, the score that there is stays. Where no check judged a cell,
    it has no score and waits for a human grader.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Save the scores of one notebook."""
        self._earned: Mapping[str, float | None] = resources["nbgrader"].get(MARK, {})
        return super().preprocess(nb, resources)  # type: ignore[no-any-return]

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        if not is_judged(cell):
            super()._add_score(cell, resources)
            return
        name = cell.metadata.nbgrader.grade_id
        grade = self.gradebook.find_grade(name, self.notebook_id, self.assignment_id, self.student_id)
        if name not in self._earned:
            grade.auto_score = None
        elif self._earned[name] is not None:
            grade.auto_score, _ = utils.determine_grade(cell, self.log)
        elif grade.auto_score is not None:
            problem = "a check ended in an internal grader error"
            self.log.warning("%s, %s: %s; the old score stays", self.student_id, name, problem)
            points = float(cell.metadata.nbgrader.points)
            cell.outputs = [*cell.outputs[:-1], *outputs(None, min(float(grade.auto_score), points))]
        grade.needs_manual_grade = grade.manual_score is not None or grade.auto_score is None
        self.gradebook.db.commit()


def is_judged(cell: NotebookNode) -> bool:
    """Tell whether a check gives a cell its score; answers that a human grades are cells of solutions as well."""
    return bool(cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell))
