"""Grade for a kernel: read requests from standard input, write answers to standard output, one JSON object a line."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from autograder.authoring.notebooks import claims_of
from autograder.course.check_list import Claim
from autograder.course.loading import Assignment, Course, find_course, load_course
from autograder.course.messages import suggestion
from autograder.errors import AutograderError, CourseError
from autograder.grading.child import IDLE_S
from autograder.grading.grader import LastingGrader
from autograder.grading.job import Job
from autograder.report.model import CheckResult, Report, told
from autograder.report.student_view import visible
from autograder.sandbox.levels import best_level
from autograder.submission.notebook_template import hidden_claims
from autograder.submission.reading import Submission


class Desk:
    """Answers requests, with a grader that stays warm between them and ends when nobody asks for a while."""

    def __init__(self, replies: IO[str], *, idle_s: float = IDLE_S) -> None:
        self._replies = replies
        self._idle_s = idle_s
        self._grader = LastingGrader()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._earned: dict[str, set[str]] = {}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            AutograderError: In one line, why there is none.
        """
        course = load_course(find_course(Path(request["folder"])))
        assignment = course.assignment(request["assignment"])
        if request.get("prepare"):
            with self._grading():
                self._grader.prepare(_job(course, assignment.name, None))
            return {}
        claims, wanted = _claims(assignment, request["notebook"]), request["check"]
        if wanted is None:
            return {"report": self._grade(course, request, None).document()}
        claim = next((claim for claim in claims if claim.name == wanted), None)
        if claim is None:
            names = [claim.name for claim in claims]
            hint = suggestion(wanted, names) or f"; expected one of {', '.join(names)}"
            raise CourseError(f"{assignment.name}: there is no check {wanted[:60]!r}{hint}")
        if claim.hidden:
            unit = "point" if claim.points == 1 else "points"
            return {"hidden": f"{wanted}: runs when your work is graded ({claim.points:g} {unit})"}
        report = self._grade_one(course, request, [claim, *(other for other in claims if other != claim)])
        return {"report": report.document()}

    def close(self) -> None:
        """End the grader."""
        with self._grading(again=False):
            self._grader.close()

    @contextlib.contextmanager
    def _grading(self, *, again: bool = True) -> Iterator[None]:
        """Hold the grader; afterwards it ends, and gives its core back, when it has been idle for a while."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            yield
            if again:
                self._timer = threading.Timer(self._idle_s, self.close)
                self._timer.daemon = True
                self._timer.start()

    def _grade_one(self, course: Course, request: dict[str, Any], claims: list[Claim]) -> Report:
        """Grade the first of some claims.

        One that earns only where another check has earned points brings such another along, the most promising first.
        """
        wanted = claims[0].name
        if claims[0].needs != "any":
            return self._grade(course, request, (wanted,))
        earned = self._earned.get(request["digest"], set())
        alone = [claim.name for claim in claims[1:] if not claim.hidden and claim.needs is None]
        for other in sorted(alone, key=lambda name: name not in earned):
            report = self._grade(course, request, (other, wanted))
            if report.check(other).score > 0 or report.check(wanted).score > 0:
                return report
        return report if alone else self._grade(course, request, (wanted,))

    def _grade(self, course: Course, request: dict[str, Any], select: tuple[str, ...] | None) -> Report:
        assignment, digest = request["assignment"], request["digest"]
        path = Path(request["notebook"] or assignment).name
        submission = Submission("me", assignment, request["source"], digest, path)
        with self._grading():
            report = self._grader.grade(_job(course, assignment, select), submission, progress=self._tell)
        self._earned.setdefault(digest, set()).update(check.name for check in report.checks if check.score > 0)
        return dataclasses.replace(visible(report, course.assignment(assignment).hidden_feedback), notes=())

    def _tell(self, news: CheckResult | str) -> None:
        send(self._replies, {"said": told(news)})


def _job(course: Course, assignment: str, select: tuple[str, ...] | None) -> Job:
    return Job(course.path, assignment, best_level(), hidden=False, select=select)


def send(replies: IO[str], answer: dict[str, Any]) -> None:
    """Write one answer."""
    replies.write(json.dumps(answer) + "\n")
    replies.flush()


def main() -> None:
    """Answer requests until standard input ends."""
    # Whatever prints, prints elsewhere: standard output holds answers and nothing else.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    desk = Desk(replies)
    try:
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer = desk.answer(request)
            except AutograderError as error:
                answer = {"error": str(error)}
            except Exception as error:  # noqa: BLE001  # a fault of ours ends no session
                traceback.print_exc()
                answer = {"error": f"the grader failed ({type(error).__name__}: {error}); please report it"}
            if not request.get("prepare"):
                send(replies, answer)
    except (KeyboardInterrupt, BrokenPipeError):
        pass
    finally:
        desk.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), replies.fileno())  # what is left to write has no reader


def _claims(assignment: Assignment, notebook: str) -> list[Claim]:
    """Return what is known of the checks; where hidden ones are absent, from the notebooks that announce them."""
    claims = claims_of(assignment)
    names = {claim.name for claim in claims}
    try:
        text = Path(notebook).read_text(encoding="utf-8") if notebook else ""
    except (OSError, UnicodeDecodeError):
        text = ""
    return claims + [claim for claim in hidden_claims(text) if claim.name not in names]


if __name__ == "__main__":
    main()
