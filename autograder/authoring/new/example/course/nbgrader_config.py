"""Configure nbgrader from course.yml; there is nothing to edit here."""

from pathlib import Path

from autograder.nbgrader.config import configure

configure(get_config(), Path(__file__).with_name("course.yml"))  # noqa: F821  # nbgrader defines get_config
