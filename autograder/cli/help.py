"""The order of commands in the help, and examples of each."""

from __future__ import annotations

SECTIONS = {
    "Students": ("list", "fetch", "check", "started", "submit", "feedback"),
    "A class": ("release", "collect", "grade", "regrade", "release-feedback", "export", "report", "copies", "verify"),
    "Writing assignments": ("new", "build", "validate", "calibrate"),
    "Other places": ("export-students", "export-gradescope"),
    "This machine": ("doctor", "completion"),
}
"""Each command's section, in the order in which they are needed."""

EXAMPLES = {
    "list": ("autograde list", "autograde list logsoftmax"),
    "fetch": ("autograde fetch logsoftmax", "autograde fetch logsoftmax --missing"),
    "check": (
        "autograde check logsoftmax",
        "autograde check logsoftmax --watch",
        "autograde check logsoftmax mine.ipynb --only gradcheck",
        "autograde check logsoftmax --ci --junit junit.xml",
    ),
    "started": ("autograde started",),
    "submit": ("autograde submit logsoftmax", "autograde submit logsoftmax mine.py --no-check"),
    "feedback": ("autograde feedback logsoftmax",),
    "release": ("autograde release logsoftmax",),
    "collect": ("autograde collect logsoftmax",),
    "grade": (
        "autograde grade logsoftmax",
        "autograde grade logsoftmax submissions/ --jobs 2",
        "autograde grade logsoftmax submissions/ --html pages",
        "autograde grade logsoftmax ada.py --json report.json --ci",
        "autograde grade logsoftmax submissions/ --executor dask --scheduler tcp://10.0.0.1:8786",
    ),
    "regrade": ("autograde regrade logsoftmax", "autograde regrade logsoftmax --yes"),
    "release-feedback": ("autograde release-feedback logsoftmax",),
    "export": ("autograde export", "autograde export --format canvas --output grades.csv"),
    "report": ("autograde report slowcode", "autograde report logsoftmax --html pages"),
    "copies": ("autograde copies logsoftmax", "autograde copies logsoftmax submissions/ --at-least 0.8"),
    "verify": ("autograde verify", "autograde verify logsoftmax"),
    "new": ("autograde new rows --title 'Rows of length one'", "autograde new rows --start-course 'Deep learning'"),
    "build": ("autograde build", "autograde build --check"),
    "validate": ("autograde validate logsoftmax", "autograde validate logsoftmax --kind wrong --jobs 2"),
    "calibrate": ("autograde calibrate slowcode",),
    "export-students": ("autograde export-students ../students", "autograde export-students ../students --check"),
    "export-gradescope": ("autograde export-gradescope logsoftmax",),
    "doctor": ("autograde doctor", "autograde doctor --measure"),
    "completion": ("autograde completion bash",),
}
"""What a user may type, by command."""


def epilog(command: str) -> str | None:
    """Return the examples of a command as click's end of its help."""
    lines = EXAMPLES.get(command, ())
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines) if lines else None
