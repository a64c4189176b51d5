"""Check a notebook's code from the notebook itself.

The code is graded by another process, in a sandbox. The kernel grades nothing, runs no student's code on our behalf,
and imports nothing heavy.
"""

from __future__ import annotations

import atexit
import hashlib
import os
from typing import Any

from autograder.errors import AutograderError
from autograder.jupyter.cells import Recorder, current_code, find_notebook
from autograder.jupyter.client import Helper
from autograder.jupyter.show import Screen, in_a_line, shell
from autograder.report.model import report_of

__all__ = ["CheckFailed", "Checks", "checks"]

_helper = Helper()
_recorder = Recorder()
atexit.register(_helper.close)


class CheckFailed(Exception):
    """Make a cell fail in one line, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [str(self)]


class Checks:
    """Runs the checks of one assignment over the notebook's current code."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f'checks("{self._name}"): check("name of a check") runs one check, check() all public ones'

    def __call__(self, check: str | None = None) -> None:
        """Run a check and show what it found; without a name, run all public checks and show a table.

        Raises:
            CheckFailed: If a check that was named failed, or cannot be run; so a notebook that is validated fails.
        """
        if check is not None and not isinstance(check, str):
            raise CheckFailed(f"check() takes the name of a check in quotes, not {check!r:.60}")
        try:
            found = self._ask(check)
        except AutograderError as error:
            failed = str(error)
        except KeyboardInterrupt:
            failed = "stopped; nothing was graded"
        else:
            failed = found
        if failed:
            if shell() is None:
                print(failed)
            else:
                # Outside of the handlers above, so that no other exception hangs on it.
                raise CheckFailed(failed)

    def _ask(self, check: str | None) -> str:
        """Show the answer to one call, and return in a line why the cell fails, if it does."""
        path = find_notebook(self._name)
        code = current_code(path, _recorder.runs, where=path.name if path else "this session")
        request = {
            "assignment": self._name,
            "folder": os.getcwd(),
            "notebook": str(path) if path else "",
            "source": code.source,
            "digest": f"sha256:{hashlib.sha256(code.source.encode()).hexdigest()}",
            "check": check,
        }
        screen = Screen(f"{check or self._name}: running …")
        try:
            answer: dict[str, Any] = _helper.ask(request, screen.say)
        except BaseException:
            screen.clear()
            raise
        if "hidden" in answer:
            screen.say(answer["hidden"], done=True)
            return ""
        if "error" in answer:
            screen.clear()
            return str(answer["error"])
        report = report_of(answer["report"])
        if check is None:
            screen.table(report, code.notes)
            return ""
        result = report.check(check)
        screen.result(result, code.notes)
        return "" if result.verdict == "passed" else in_a_line(result)


def checks(name: str) -> Checks:
    """Return `check` for an assignment, and get ready in the background.

    Args:
        name: The assignment's name.
    """
    if not isinstance(name, str):
        raise CheckFailed(f"checks() takes the name of an assignment in quotes, not {name!r:.60}")
    _recorder.listen()
    path = find_notebook(name)
    _helper.tell({"assignment": name, "folder": os.getcwd(), "notebook": str(path) if path else ""})
    return Checks(name)
