"""Each process that grades has a core of its own, as long as there are enough."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from autograder.grading.core_lease import Core

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes"),
]
_TAKE = """
import os
from autograder.grading.core_lease import Core
core = Core()
print(*os.sched_getaffinity(0), flush=True)
input()
core.close()
print(len(os.sched_getaffinity(0)), flush=True)
input()
"""


@contextmanager
def taking() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run a process that takes a core; yields it and the core."""
    process = subprocess.Popen([sys.executable, "-c", _TAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        yield process, int(process.stdout.readline())
        process.kill()


def test_graders_beside_each_other_take_different_cores_and_then_share() -> None:
    count = len(os.sched_getaffinity(0))

    with ExitStack() as stack:
        taken = [stack.enter_context(taking())[1] for _ in range(count)]
        beyond = stack.enter_context(taking())[1]

    assert sorted(taken) == sorted(os.sched_getaffinity(0))
    assert beyond in taken


def test_a_core_is_free_when_its_grader_was_killed() -> None:
    with taking() as (_, first):
        pass

    with taking() as (_, second):
        assert second == first


def test_a_core_that_was_given_back_is_free_and_the_process_may_use_all_again() -> None:
    with taking() as (process, first):
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert int(process.stdout.readline()) == len(os.sched_getaffinity(0))

        with taking() as (_, second):
            assert second == first


def test_a_second_close_does_nothing() -> None:
    before = os.sched_getaffinity(0)
    core = Core()

    core.close()
    core.close()

    assert os.sched_getaffinity(0) == before
