"""Write the notebooks that students get, or say which are stale: they differ from what README, stub and checks give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.course.check_list import Claim, claims_in
from autograder.course.loading import Assignment
from autograder.errors import CourseError
from autograder.files import write_atomically
from autograder.submission.notebook_template import build_notebook, hidden_claims


def stale_notebooks(assignments: Sequence[Assignment]) -> list[Path]:
    """Return the notebooks that are missing or differ from what would be built now.

    Raises:
        CourseError: If a stub is missing, or a file cannot be read.
    """
    return [assignment.notebook for assignment in assignments if not _is_fresh(assignment)]


def write_notebooks(assignments: Sequence[Assignment]) -> list[Path]:
    """Write the stale notebooks and return their paths; the others stay untouched.

    Raises:
        CourseError: If a file cannot be read or a notebook cannot be written.
    """
    written = []
    for assignment in assignments:
        if _is_fresh(assignment):
            continue
        write_atomically(assignment.notebook, _built(assignment))
        written.append(assignment.notebook)
    return written


def claims_of(assignment: Assignment) -> list[Claim]:
    """Return the claims of an assignment's checks, the public ones first, without running any.

    Where `solutions/` is absent, as in a student's copy, the hidden checks are those that the notebook announces, so
    that building it there takes nothing out of it.

    Raises:
        CourseError: If a check file is not in order.
    """
    root = assignment.solutions.parent.parent
    claims = [claim for file in assignment.check_files() for claim in claims_in(file, root)]
    if assignment.solutions.parent.is_dir():
        claims += [claim for file in assignment.hidden_check_files() for claim in claims_in(file, root, hidden=True)]
    elif assignment.notebook.is_file():
        public = {claim.name for claim in claims}
        announced = hidden_claims(assignment.notebook.read_text(encoding="utf-8", errors="replace"))
        claims += [claim for claim in announced if claim.name not in public]
    names = [claim.name for claim in claims]
    for name in names:
        if names.count(name) > 1:
            raise CourseError(f"{assignment.name}: there are two checks called {name}; expected one; rename the other")
    return claims


def _is_fresh(assignment: Assignment) -> bool:
    try:
        found = assignment.notebook.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return found == _built(assignment)


def _built(assignment: Assignment) -> str:
    stub = _read(assignment.stub, "the stub that students get")
    readme = _read(assignment.readme, "what students read") if assignment.readme.exists() else ""
    return build_notebook(stub, name=assignment.name, readme=readme, claims=claims_of(assignment))


def _read(path: Path, expected: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(f"{path}: cannot be read ({error}); expected {expected}") from error
