"""Title: Raise what steers the grader
How: The exceptions by which pytest skips, expects failure and stops, and those of the engine itself, are raised with good news in them.
After: a runner that takes an exception from the submission for one of its own
Stopped by: an exception arrives as its name and words, and is the submission's, whatever it is called
"""

OUTCOME = {"echo": "raised", "twice": "raised"}


def echo(x):
    import pytest

    try:
        pytest.skip("nothing to do")
    except BaseException as error:
        skipped = error
    try:
        pytest.exit("all passed", returncode=0)
    except BaseException as error:
        raise error from skipped


def twice(x):
    try:
        from autograder.errors import CourseError as Error
    except ImportError:
        Error = KeyboardInterrupt
    raise Error("the course is broken: grade this by hand")
