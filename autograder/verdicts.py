"""What a call into a submission may end in instead of a result.

    CallFailed                  the worker is of no more use, or the verdict is fixed
    ├── TimedOut                it used up its time
    ├── OutOfMemory             it used up its memory
    ├── Crashed                 it died, or answered with something malformed
    └── Forbidden               it made a call that the assignment forbids
    StudentError                the submission's own code raised; the worker lives on

The first four fix the verdict of the check in which they happen, whatever the check does with the exception.
"""

from __future__ import annotations

from typing import Literal, get_args

Verdict = Literal[
    "passed", "failed", "raised", "timed_out", "crashed", "out_of_memory", "forbidden", "not_run", "grader_error"
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


class CallFailed(Exception):
    """The call got no result, and the check its verdict."""

    verdict: Verdict = "crashed"


class TimedOut(CallFailed):
    """The submission used up its time."""

    verdict: Verdict = "timed_out"


class OutOfMemory(CallFailed):
    """The submission used up its memory."""

    verdict: Verdict = "out_of_memory"


class Crashed(CallFailed):
    """The worker died, or what it answered follows no format."""

    verdict: Verdict = "crashed"


class Forbidden(CallFailed):
    """The submission made a call that its assignment forbids."""

    verdict: Verdict = "forbidden"


class StudentError(Exception):
    """An exception that the submission's own code raised.

    Attributes:
        type_name: The name of the exception's class.
        mro: The names of its class and all base classes.
        message: Its text, cut to a few thousand characters.
        traceback: The lines of the student's own code that led to it.
        line: The number of the last of these lines; 0 if unknown.
    """

    def __init__(self, type_name: str, mro: tuple[str, ...], message: str, traceback: str = "", line: int = 0) -> None:
        super().__init__(f"{type_name}: {message}" if message else type_name)
        self.type_name = type_name
        self.mro = mro
        self.message = message
        self.traceback = traceback
        self.line = line


BY_VERDICT: dict[str, type[CallFailed]] = {kind.verdict: kind for kind in (TimedOut, OutOfMemory, Crashed, Forbidden)}
