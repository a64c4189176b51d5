"""Each verdict is reached by the submissions that deserve it, costs its check alone and is told in clear words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from harness import LIMITS, RIGHT, Lab

from autograder.report.model import Report
from autograder.verdicts import VERDICTS

# The wall clock is no measure on a busy machine: only tests of waiting have a tight limit on it.
QUICK = replace(LIMITS, time_s=0.25, load_time_s=0.25, wall_factor=100.0)
IMPATIENT = replace(LIMITS, time_s=0.25, load_time_s=0.25, wall_factor=3.0)

# A submission's own way to write frames to the grader: descriptor 3 is the channel.
FORGE = """
import json, os, struct

def forge(header, body=b""):
    text = json.dumps({"serial": 2, "buffers": [], **header}).encode()  # loading was the first request
    os.write(3, struct.pack("<4sIQ", b"agw1", len(text), len(body)) + text + body)
"""


def submission(body: str, top: str = "") -> str:
    """Return a submission whose `echo` has this body and whose `twice` is right."""
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return f"{top}\ndef echo(x):\n{lines}\ndef twice(x):\n    return 2 * x\n"


def lost_alone(report: Report) -> tuple[str, str]:
    """Return verdict and message of `echo`, which earned nothing, while `twice` passed."""
    first, second = report.checks
    assert (first.score, second.verdict, second.score) == (0.0, "passed", 1.0)
    assert report.complete
    return first.verdict, first.message


def test_a_right_submission_passes_every_check(any_lab: Lab) -> None:
    report = any_lab.grade(RIGHT)

    assert [(check.name, check.verdict, check.score, check.message) for check in report.checks] == [
        ("echo", "passed", 2.0, ""),
        ("twice", "passed", 1.0, ""),
    ]
    assert (report.score, report.max_score, report.complete) == (3.0, 3.0, True)
    assert (report.student, report.assignment, report.device) == ("ada", "echo", "cpu")
    assert (report.sandbox, report.flags, report.error) == (any_lab.sandbox.level, (), "")


def test_the_same_submission_gets_the_same_inputs_and_another_gets_others(lab: Lab) -> None:
    told = "raise ValueError(x.tolist())"

    first, again = lab.grade(submission(told)), lab.grade(submission(told))
    other = lab.grade(submission(told, top="# another"))

    message = first.check("echo").message.splitlines()[0]
    assert again.check("echo").message.splitlines()[0] == message
    assert other.check("echo").message.splitlines()[0] != message
    assert first.seed == again.seed != other.seed


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return [x]", "echo() returned a list of 1; expected a torch.Tensor of shape (4,)"),
        ("return x.double()", "echo() has dtype torch.float64; expected torch.float32"),
        ("return x[:1]", "echo() has shape (1,); expected (4,)"),
        ("pass", "echo() returned None; expected a torch.Tensor of shape (4,)"),
        (
            "class Sly(torch.Tensor):\n    pass\nreturn x.as_subclass(Sly)",
            "echo() returned Sly, a subclass of torch.Tensor; expected a torch.Tensor of shape (4,)",
        ),
        (
            "class Sly:\n    def __eq__(self, other):\n        return True\nreturn Sly()",
            "echo() returned Sly; expected a torch.Tensor of shape (4,)",
        ),
    ],
)
def test_a_wrong_result_fails(lab: Lab, body: str, message: str) -> None:
    report = lab.grade(submission(body, top="import torch"))

    assert lost_alone(report) == ("failed", message)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise KeyError('k')", "KeyError: 'k'\n  echo.py, line 2, in echo: raise KeyError('k')"),
        ("raise NotImplementedError", "NotImplementedError\n  echo.py, line 2, in echo: raise NotImplementedError"),
        ("import sys\nsys.exit(0)", "SystemExit: 0\n  echo.py, line 3, in echo: sys.exit(0)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt\n  echo.py, line 2, in echo: raise KeyboardInterrupt"),
        (
            "return echo(x)",
            "RecursionError: maximum recursion depth exceeded\n  echo.py, line 2, in echo: return echo(x)",
        ),
        (
            "class Skipped(BaseException):\n    pass\nraise Skipped('no points lost')",
            "Skipped: no points lost\n  echo.py, line 4, in echo: raise Skipped('no points lost')",
        ),
        (
            "class Sly(Exception):\n    def __str__(self):\n        raise ValueError\nraise Sly",
            "Sly\n  echo.py, line 5, in echo: raise Sly",
        ),
    ],
)
def test_what_the_code_raises_is_told_with_the_line(lab: Lab, body: str, message: str) -> None:
    report = lab.grade(submission(body))

    assert lost_alone(report) == ("raised", message)
    assert report.check("echo").lines == (int(message.rpartition("line ")[2].partition(",")[0]),)


def test_a_skip_of_pytest_raised_by_a_submission_skips_nothing(lab: Lab) -> None:
    report = lab.grade(submission("import pytest\npytest.skip('not today')"))

    assert lost_alone(report)[0] == "raised"


@pytest.mark.parametrize(
    "body",
    [
        "os._exit(0)",
        "os.abort()",
        "ctypes.string_at(0)",
        "os.closerange(0, 256)\nreturn x",
        "os.dup2(os.open('/dev/null', os.O_RDWR), 3)\nreturn x",
    ],
)
def test_a_worker_that_dies_is_a_crash_whatever_its_exit_code(any_lab: Lab, body: str) -> None:
    report = any_lab.grade(submission(body, top="import ctypes, os"))

    assert lost_alone(report) == ("crashed", "the worker died before it answered")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("os.write(3, b'passed' * 100)", "a frame's prefix is malformed"),
        ("os.write(3, struct.pack('<4sIQ', b'agw1', 1 << 31, 0))", "a frame's prefix is malformed"),
        ("os.write(3, struct.pack('<4sIQ', b'agw1', 2, 1 << 62))", "a frame's prefix is malformed"),
        ("os.write(3, struct.pack('<4sIQ', b'agw1', 2, 0) + b'{]')", "a frame's header is not JSON"),
        ("os.write(3, struct.pack('<4sIQ', b'agw1', 2, 0) + b'{}')", "a frame's header is malformed"),
        ("forge({'serial': 1, 'forbidden': []})", "it answers another request"),
        ("forge({'verdict': 'passed', 'score': 2})", "it lacks a field"),
        ("forge({'forbidden': 'none'})", "it lacks a field"),
        ("forge({'buffers': [1], 'forbidden': []})", "a frame's buffers do not fill its body"),
        ("forge({'forbidden': []})", "the changed arguments are malformed"),
        ("forge({'forbidden': [], 'changed': [7]})", "the changed arguments are malformed"),
        ("forge({'forbidden': [], 'changed': [], 'result': {'pickle': 'gASV'}})", "a node has an unknown tag"),
        ("forge({'forbidden': [], 'error': 'none'})", "an error is malformed"),
        ("return list(range(250_000))", "a value is nested too deeply or has too many parts"),
    ],
)
def test_an_answer_that_follows_no_format_is_a_crash(lab: Lab, body: str, message: str) -> None:
    report = lab.grade(submission(body, top=FORGE))

    assert lost_alone(report) == ("crashed", f"the worker's answer is malformed: {message}")


def test_garbage_on_every_descriptor_harms_the_check_alone(any_lab: Lab) -> None:
    body = """
    for fd in range(3, 256):
        try:
            os.write(fd, b"1 passed in 0.01s")
        except OSError:
            pass
    return x
    """

    report = any_lab.grade(submission(body.replace("\n    ", "\n"), top="import os"))

    assert lost_alone(report) == ("crashed", "the worker's answer is malformed: a frame's prefix is malformed")


def test_a_forged_answer_is_worth_what_it_says(lab: Lab) -> None:
    tensor = "{'T': {'dtype': 'float32', 'shape': [4], 'device': 'cpu', 'grad': False, 'buffer': 0}}"
    body = f"forge({{'buffers': [16], 'forbidden': [], 'changed': [], 'result': {tensor}}}, bytes(64))\nreturn x"

    report = lab.grade(submission(body, top=FORGE))

    verdict, message = lost_alone(report)
    assert verdict == "failed"
    assert message.endswith("4 of 4 elements are off")


def test_an_answer_that_never_ends_times_out(lab: Lab) -> None:
    body = "os.write(3, struct.pack('<4sIQ', b'agw1', 2, 1 << 31) + b'{}')\nimport time\ntime.sleep(60)"

    report = lab.grade(submission(body, top=FORGE), limits=IMPATIENT)

    assert lost_alone(report) == ("timed_out", "took 1 s without using its 0.25 s of CPU time")


def test_a_result_too_large_for_a_frame_is_no_harm_to_the_grader(lab: Lab) -> None:
    report = lab.grade(submission("return 'x' * (9 << 20)"))

    assert lost_alone(report) == ("raised", "WireError: a frame is too large")


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    pass",
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass",
        "signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass",
        "[threading.Thread(target=spin).start() for _ in range(4)]\nspin()",
    ],
)
def test_endless_work_times_out(any_lab: Lab, body: str) -> None:
    top = "import signal, threading\n\ndef spin():\n    while True:\n        pass\n"

    report = any_lab.grade(submission(body, top=top), limits=QUICK)

    assert lost_alone(report) == ("timed_out", "used up its 0.25 s of CPU time")


def test_endless_waiting_times_out_by_the_wall_clock(any_lab: Lab) -> None:
    report = any_lab.grade(submission("import time\ntime.sleep(60)"), limits=IMPATIENT)

    assert lost_alone(report) == ("timed_out", "took 1 s without using its 0.25 s of CPU time")


@pytest.mark.parametrize("body", ["raise MemoryError", "return torch.ones(1 << 40)", "return bytearray(1 << 40)"])
def test_asking_for_too_much_memory_is_out_of_memory(lab: Lab, body: str) -> None:
    report = lab.grade(submission(body, top="import torch"))

    assert lost_alone(report) == ("out_of_memory", "asked for more memory than there is")


@pytest.mark.parametrize(
    "body",
    [
        "kept = bytearray(b'x') * (256 << 20)",
        "kept = torch.ones(64 << 20)",
        "kept = mmap.mmap(-1, 256 << 20)\nkept.write(bytes(200 << 20))",
    ],
    ids=["python", "torch", "shared mapping"],
)
def test_using_too_much_memory_is_out_of_memory(any_lab: Lab, body: str) -> None:
    limits = replace(LIMITS, memory_bytes=128 << 20)

    report = any_lab.grade(submission(f"{body}\ntime.sleep(60)", top="import mmap, time, torch"), limits=limits)

    assert lost_alone(report) == ("out_of_memory", "used more than its 0.125 GiB of memory")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os\nraise ValueError('no')", "ValueError: no\n  echo.py, line 2, in <module>: raise ValueError('no')"),
        ("def echo(x:\n    pass\n", "SyntaxError: '(' was never closed (echo.py, line 1)\n  line 1: def echo(x:"),
        ("import sys\nsys.exit(0)", "SystemExit: 0\n  echo.py, line 2, in <module>: sys.exit(0)"),
        ("import os\nos._exit(0)", "the worker died before it answered"),
        ("import time\ntime.sleep(60)", "took 1 s without using its 0.25 s of CPU time"),
        ("raise MemoryError", "asked for more memory than there is"),
        (
            "import nothing_of_the_kind",
            "ModuleNotFoundError: No module named 'nothing_of_the_kind'\n"
            "  echo.py, line 1, in <module>: import nothing_of_the_kind",
        ),
    ],
)
def test_where_the_module_does_not_load_no_check_runs(lab: Lab, source: str, words: str) -> None:
    report = lab.grade(source, limits=IMPATIENT)

    assert {(check.verdict, check.score) for check in report.checks} == {("not_run", 0.0)}
    assert {check.message for check in report.checks} == {f"echo.py does not load: {words}"}
    assert report.complete


def test_endless_work_while_loading_times_out(any_lab: Lab) -> None:
    report = any_lab.grade("while True:\n    pass", limits=QUICK)

    assert {check.message for check in report.checks} == {"echo.py does not load: used up its 0.25 s of CPU time"}


def test_a_submission_that_cannot_be_read_is_not_run(lab: Lab) -> None:
    from autograder.grading.grade_submission import grade_submission
    from autograder.grading.job import Job
    from autograder.submission.reading import read_submissions

    course = lab.make()
    lab.write("class/ada/echo.py", RIGHT).write_bytes(b"\xff\xfe")
    (unread,) = read_submissions([lab.root / "class"], name="echo")

    report = grade_submission(course, unread, lab.sandbox, Job(course.path, "echo", lab.sandbox.level))

    assert "not UTF-8" in report.error
    assert [(check.name, check.verdict, check.message) for check in report.checks] == [
        ("echo", "not_run", report.error),
        ("twice", "not_run", report.error),
    ]


def test_a_forbidden_call_is_a_verdict(lab: Lab) -> None:
    report = lab.grade(submission("return torch.relu(x)", top="import torch"), forbidden=["torch.relu"])

    assert lost_alone(report) == ("forbidden", "called torch.relu, which this assignment forbids")


BROKEN = '''
import torch
from autograder import points

@points(1)
def check_broken(student):
    """A check with a mistake."""
    {} + 1
    student.echo(1)

@points(1)
def check_gradient(student):
    """A check that reckons with a graph."""
    x = torch.ones(3, requires_grad=True)
    (gradient,) = torch.autograd.grad(student.echo(x).sum(), x)
    assert gradient.sum() == 3
'''


def test_a_mistake_of_the_check_is_no_verdict_about_the_submission(lab: Lab) -> None:
    report = lab.grade("def echo(x):\n    return x\n", BROKEN)

    broken, gradient = report.checks
    assert (broken.verdict, broken.score) == ("grader_error", 0.0)
    assert broken.message == "TypeError: unsupported operand type(s) for +: 'dict' and 'int'"
    assert (gradient.verdict, report.complete, report.flags) == ("passed", False, ())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return x.detach()",
            "RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn",
        ),
        ("return None", "AttributeError: 'NoneType' object has no attribute 'sum'"),
        ("return {1}", "AttributeError: 'Opaque' object has no attribute 'sum'"),
    ],
)
def test_what_the_check_cannot_use_is_the_submissions_fault_and_a_flag(lab: Lab, body: str, message: str) -> None:
    report = lab.grade(f"def echo(x):\n    {body}\n", BROKEN)

    gradient = report.check("gradient")
    assert (gradient.verdict, gradient.score) == ("failed", 0.0)
    assert gradient.message == f"the check could not use what came back ({message})"
    kind = message.partition(":")[0]
    assert report.flags == (f"gradient: judged as failed on {kind} in the check itself; needs review",)


def test_what_is_left_running_ends_with_its_check(any_lab: Lab) -> None:
    top = """
import atexit, os, threading

def spin():
    while True:
        pass

@atexit.register
def late():
    os.write(3, b"garbage")
"""

    report = any_lab.grade(submission("threading.Thread(target=spin, daemon=True).start()\nreturn x", top=top))

    assert [check.verdict for check in report.checks] == ["passed", "passed"]


def test_a_flood_of_output_is_cut_and_not_punished(any_lab: Lab) -> None:
    flood = "for _ in range(40):\n    print('x' * 100_000)\n"

    passed = any_lab.grade(submission(f"{flood}return x"))
    failed = any_lab.grade(submission(f"{flood}return -x"))

    assert [check.verdict for check in passed.checks] == ["passed", "passed"]
    assert failed.check("echo").verdict == "failed"
    for report in (passed, failed):
        output = report.check("echo").output
        assert 1 << 20 <= len(output) < (1 << 20) + 100
        assert output.endswith("\n[output cut here]\n")


def test_output_that_is_no_text_is_kept_as_text(lab: Lab) -> None:
    report = lab.grade(submission("print('lone \\ud800')\nos.write(1, b'\\xff\\n')\nreturn x", top="import os"))

    assert report.check("echo").verdict == "passed"
    assert report.check("echo").output == "lone ?\n\ufffd\n"


def test_replacing_the_output_streams_harms_nothing(lab: Lab) -> None:
    report = lab.grade(submission("sys.stdout = sys.stderr = None\nsys.__stdout__ = 1\nreturn x", top="import sys"))

    assert [check.verdict for check in report.checks] == ["passed", "passed"]


def test_rebinding_torch_in_the_worker_changes_no_judgement(lab: Lab) -> None:
    top = """
import torch
torch.Tensor.__eq__ = torch.Tensor.__sub__ = lambda self, other: True
torch.testing.assert_close = torch.allclose = torch.equal = lambda *args, **kwargs: True
torch.randn = lambda *args, **kwargs: torch.zeros(4)
"""

    report = lab.grade(submission("return torch.zeros(4)", top=top))

    assert lost_alone(report)[0] == "failed"


def test_these_are_all_verdicts() -> None:
    assert set(VERDICTS) == {
        *("passed", "failed", "raised", "timed_out", "crashed"),
        *("out_of_memory", "forbidden", "not_run", "grader_error"),
    }
