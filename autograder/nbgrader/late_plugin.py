"""Tell nbgrader what the course's policy takes for lateness."""

from __future__ import annotations

from nbgrader.plugins import LateSubmissionPlugin

from autograder.course.lateness import penalty
from autograder.nbgrader.judging.step import course_of


class CoursePolicy(LateSubmissionPlugin):  # type: ignore[misc]
    """Take the penalty from `course.yml`: the assignment's own policy, or the course's.

    nbgrader counts lateness from the due date in its gradebook, which releasing writes, and from an extension that an
    instructor gave a student there.
    """

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Return the points of the late penalty; None where it takes nothing, as nbgrader has it.

        Args:
            student_id: Not used; everybody is treated alike.
            score: The points of the notebook, those of human graders included.
            total_seconds_late: How late it was submitted.
        """
        assignment = course_of(self.parent).assignment(self.parent.assignment_id)
        return penalty(assignment.late, score, total_seconds_late) or None
