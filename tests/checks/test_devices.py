"""A device beside the CPU: what is launched on it is waited for, its lock is held, its failures end one worker alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from harness import Lab

from autograder import Memory
from autograder.checks.measure import nvml as gpu_memory
from autograder.checks.measure.clock import WallClock, clock_of
from autograder.course.loading import Threshold
from autograder.errors import SandboxError
from autograder.sandbox.environment import worker_environment
from autograder.sandbox.levels import best_level
from autograder.sandbox.start import Sandbox, make_sandbox
from autograder.verdicts import Crashed
from autograder.worker.accelerator import FAKE, Modes

MIB = 1 << 20


@pytest.fixture(scope="module")
def fake_sandbox() -> Iterator[Sandbox]:
    sandbox = make_sandbox(best_level(), device=FAKE)
    yield sandbox
    sandbox.close()


@pytest.fixture
def fake(fake_sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """A course whose submissions compute on the fake device, with a lock of the test's own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Lab(tmp_path / "course", fake_sandbox).ending() as lab:
        yield lab


# -- what a submission does on it --------------------------------------------------------------------------------------

LAUNCHES = """
import time
import torch

def echo(x):
    y = torch.empty_like(x)
    def late():
        time.sleep(0.02)
        y.copy_(x)
    torch.fake_accelerator.launch(late)
    return y
"""
PROMPT = "def echo(x):\n    return x.clone()\n"
SPEED = '''
import torch
from autograder import Speed, points

@points(4)
def check_speed(speed: Speed, rng: torch.Generator) -> None:
    """Echo is fast."""
    speed("echo", lambda: (torch.randn(64, generator=rng),), lambda x: x)
'''


def test_work_on_a_stream_is_waited_for_and_counts(fake: Lab) -> None:
    report = fake.grade(LAUNCHES, SPEED, thresholds={"speed": Threshold(1e5, 1e6)}, baseline=PROMPT)

    (check,) = report.checks
    assert (report.device, check.verdict) == ("fake", "passed")
    assert check.measured["ratio"] > 5


def test_the_cache_is_flushed_before_every_block(fake: Lab) -> None:
    counting = "import torch\n\ndef echo(x):\n    return torch.tensor(float(torch.fake_accelerator.flushed))\n"
    checks = SPEED.replace(
        "lambda x: x)", "lambda x: torch.tensor(0.0), compare=see)\n    assert seen == [float(i) for i in range(1, 14)]"
    )
    checks = checks.replace(
        "    speed(",
        "    seen = []\n\n    def see(actual, expected):\n        seen.append(actual.item())\n\n    speed(",
    )

    report = fake.grade(counting, checks, thresholds={"speed": Threshold(1e5, 1e6)}, baseline=counting)

    assert [(check.verdict, check.message) for check in report.checks] == [("passed", "")]


def test_an_error_that_does_not_go_away_ends_its_worker_alone(fake: Lab) -> None:
    source = """
import torch

def echo(x):
    torch.fake_accelerator.broken = True
    raise RuntimeError("an illegal memory access")

def twice(x):
    return 2 * x
"""

    report = fake.grade(source)

    assert [(check.verdict, check.message) for check in report.checks] == [
        ("crashed", "the device failed for good: RuntimeError: an illegal memory access"),
        ("passed", ""),
    ]


def test_an_ordinary_error_is_the_submissions(fake: Lab) -> None:
    report = fake.grade("def echo(x):\n    raise ValueError('no')\n\ndef twice(x):\n    return 2 * x\n")

    assert [check.verdict for check in report.checks] == ["raised", "passed"]


def test_the_memory_of_the_device_counts(fake: Lab) -> None:
    source = """
import torch

def f(x):
    torch.fake_accelerator.hold(9 << 20)
    torch.fake_accelerator.hold(-4 << 20)
    return 1
"""
    memory = Memory(fake.workers(source))

    kept, peak = memory.kept("f", torch.ones(1)), memory.peak("f", torch.ones(1))

    assert abs(kept - 5 * MIB) < MIB
    assert abs(peak - 9 * MIB) < 2 * MIB


def test_a_worker_that_tells_no_memory_is_malformed(fake: Lab) -> None:
    source = "import torch\n\ntorch.fake_accelerator.memory = lambda: ('much', 0)\n\ndef f(x):\n    return 1\n"

    with pytest.raises(Crashed, match="the worker's answer is malformed: it lacks a field"):
        Memory(fake.workers(source)).kept("f", torch.ones(1))


def test_modes_that_one_call_leaves_behind_do_not_reach_the_next_one(fake: Lab) -> None:
    student = fake.student(
        """
import torch

def leave():
    torch.set_autocast_enabled("cpu", True)
    torch.set_float32_matmul_precision("medium")
    torch.backends.cudnn.benchmark = True

def look():
    precision = torch.get_float32_matmul_precision()
    return torch.is_autocast_enabled("cpu"), precision, torch.backends.cudnn.benchmark
"""
    )

    student.leave()

    assert student.look() == (False, "highest", False)


@pytest.mark.parametrize(
    ("name", "value"),
    [("allow_tf32", True), ("fp32_precision", "tf32"), ("allow_bf16_reduced_precision_reduction", True)],
)
def test_whichever_way_precision_was_lowered_it_is_set_back(name: str, value: object) -> None:
    modes, matmul = Modes(), torch.backends.cuda.matmul
    before = matmul.fp32_precision
    setattr(matmul, name, value)

    modes.restore()

    assert (matmul.fp32_precision, torch.get_float32_matmul_precision()) == (before, "highest")


# -- the lock ----------------------------------------------------------------------------------------------------------


def test_who_times_waits_until_nobody_else_uses_the_device(tmp_path: Path) -> None:
    other, timer, alone = WallClock(FAKE, tmp_path), WallClock(FAKE, tmp_path), threading.Event()

    def time_something() -> None:
        with timer.alone():
            alone.set()

    thread = threading.Thread(target=time_something)
    thread.start()
    waited = not alone.wait(0.2)
    other.close()
    thread.join(30)

    assert waited and alone.is_set()
    timer.close()


def test_two_who_want_to_time_take_turns(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def time_often(clock: WallClock) -> None:
        for _ in range(50):
            with clock.alone():
                inside.append(1)
                most.append(len(inside))
                inside.pop()
        clock.close()

    threads = [threading.Thread(target=time_often, args=(WallClock(FAKE, tmp_path),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (len(most), max(most)) == (150, 1)


def test_each_choice_of_gpus_has_a_lock_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,../2")

    WallClock("cuda", tmp_path).close()

    (path,) = tmp_path.iterdir()
    assert path.name == "autograde-cuda-1,2.lock"
    assert path.stat().st_mode & 0o777 == 0o666


def test_a_lock_that_cannot_be_opened_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "autograde-fake.lock").mkdir()

    with pytest.raises(SandboxError) as caught:
        WallClock(FAKE, tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}/autograde-fake.lock: the lock of the device cannot be opened (Is a directory); "
        "expected a file that this user may write; delete it, or set TMPDIR"
    )


def test_the_cpu_needs_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    with clock_of("cpu").alone():
        assert list(tmp_path.iterdir()) == []


# -- what workers see of the machine -----------------------------------------------------------------------------------


def test_only_workers_on_a_gpu_learn_which_gpus_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")

    assert worker_environment("/home", "cuda")["CUDA_VISIBLE_DEVICES"] == "3"
    assert "CUDA_VISIBLE_DEVICES" not in worker_environment("/home")


def test_without_the_drivers_library_nobody_looks_from_outside() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")

    assert gpu_memory.used_bytes(1) is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU of NVIDIA's")
@pytest.mark.parametrize("name", ["logsoftmax", "einsum_bmm", "checkpoint", "slowcode"])
def test_the_reference_has_full_marks_on_a_gpu(name: str) -> None:
    from autograder.course.loading import load_course
    from autograder.grading.grader import Grader
    from autograder.grading.job import Job
    from autograder.submission.reading import read_submission

    course = load_course(Path(__file__).resolve().parents[2] / "course.yml")
    path = course.assignment(name).solutions / f"{name}.py"
    grader = Grader(Job(course.path, name, best_level(), "cuda"))

    report = grader.grade(read_submission(path, name=name))
    grader.close()

    assert [(check.name, check.message) for check in report.checks if not check.full] == []
