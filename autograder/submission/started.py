"""Tell which assignments somebody has started, so that CI need not check the stubs of the others."""

from __future__ import annotations

from autograder.course.loading import Assignment, Course
from autograder.errors import SubmissionError
from autograder.submission.notebook import NotebookSource, notebook_source
from autograder.submission.source import code_digest, decode


def started(course: Course) -> list[str]:
    """Return the names of the assignments whose module or notebook is no longer the stub, in the course's order.

    The notebook says what the stub was, which its own module may not be any more. Where it does not, because it is gone
    or a tool left that out, the work counts as started.
    """
    return [assignment.name for assignment in course.assignments if assignment.fetched and _is_begun(assignment)]


def _is_begun(assignment: Assignment) -> bool:
    try:
        notebook = NotebookSource("", ())
        found = []
        if assignment.notebook.exists():
            text = decode(assignment.notebook.read_bytes(), where=assignment.notebook.name)
            notebook = notebook_source(text, where=assignment.notebook.name)
            found.append(notebook.source)
        if assignment.stub.exists():
            found.append(decode(assignment.stub.read_bytes(), where=assignment.stub.name))
    except (SubmissionError, OSError):
        return True  # what cannot be read is no stub; `autograde check` says why
    return any(code_digest(source) not in notebook.stub_digests for source in found)
