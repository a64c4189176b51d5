"""Define the one tree of errors that a person is meant to read.

    AutograderError
    ├── CourseError        the instructor's files: course.yml, check files, folders
    ├── SubmissionError    the student's files: missing, unreadable, too large
    ├── SandboxError       this machine cannot isolate a submission as asked
    └── ExchangeError      releasing, collecting or returning files failed

The message of each is one line that reads *where: what was found; what was expected; what to do.* The command line
prints it on standard error and exits 2. Everything else that escapes is a bug and keeps its traceback.
"""


class AutograderError(Exception):
    """Tell a person, in one line, what is wrong and what to do about it."""


class CourseError(AutograderError):
    """Report a mistake in the instructor's files."""


class SubmissionError(AutograderError):
    """Report a mistake in the student's files."""


class SandboxError(AutograderError):
    """Report that this machine cannot isolate a submission as asked."""


class ExchangeError(AutograderError):
    """Report that files could not be released, collected, submitted or returned."""
