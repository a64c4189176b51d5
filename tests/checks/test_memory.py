"""Memory is read as the kernel sees it, whoever holds it, in a worker whose allocator gives back."""

from __future__ import annotations

import pytest
import torch
from harness import Lab

from autograder import Memory
from autograder.verdicts import Crashed, Forbidden, StudentError

MIB = 1 << 20
SIZE = 32 * MIB

# Each keeps as much as its input holds, and returns a number.
HOLDERS = {
    "nothing": "0",
    "a global": "kept.append(x.clone())",
    "an attribute of a function": "setattr(f, 'kept', x.clone())",
    "numpy": "kept.append(numpy.array(x.numpy()))",
    "a bytearray": "kept.append(bytearray(x.numpy().tobytes()))",
    "a list of numbers": "kept.append([float(i) for i in range(x.numel() // 8)])",
    "a private mapping": "fill(mmap.mmap(-1, x.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))",
    "a shared mapping": "fill(mmap.mmap(-1, x.nbytes))",
    "a reference cycle": "cycle(x.clone())",
    "a thread": "thread(x.clone())",
    "ctypes": "kept.append(ctypes.create_string_buffer(x.numpy().tobytes()))",
}

SOURCE = """
import ctypes, mmap, threading
import numpy, torch

kept = []

def fill(mapping):
    mapping.write(bytes([1]) * len(mapping))
    kept.append(mapping)

def cycle(x):
    kept.append([x])
    kept[-1].append(kept[-1])

def thread(x):
    threading.Thread(target=lambda y: threading.Event().wait(), args=(x,), daemon=True).start()

def f(x):
    %s
    return 1
"""


@pytest.mark.parametrize("holder", HOLDERS)
def test_what_stays_is_seen_whoever_holds_it(lab: Lab, holder: str) -> None:
    x = torch.ones(SIZE // 4)

    kept = Memory(lab.workers(SOURCE % HOLDERS[holder])).kept("f", x)

    if holder == "nothing":
        assert abs(kept) < 4 * MIB
    else:
        assert 0.8 * SIZE < kept < 1.5 * SIZE


@pytest.mark.parametrize(
    ("result", "tensors"),
    [("x", 0), ("x.view(-1)", 0), ("x * 2", 1), ("(x * 2, x + 1)", 2), ("(x * 2).sum()", 0), ("[x.clone()] * 3", 1)],
)
def test_the_result_is_held_while_memory_is_read(any_lab: Lab, result: str, tensors: int) -> None:
    memory = Memory(any_lab.workers(f"def f(x):\n    return {result}\n"))

    kept = memory.kept("f", torch.ones(SIZE // 4))

    assert (tensors - 0.2) * SIZE < kept < (tensors + 0.2) * SIZE


def test_what_autograd_saves_is_seen(lab: Lab) -> None:
    source = "def f(x):\n    x.requires_grad_()\n    return x.exp().sin().cos()\n"

    kept = Memory(lab.workers(source)).kept("f", torch.ones(SIZE // 4))

    assert 2.8 * SIZE < kept < 3.2 * SIZE  # the result, and the inputs of sin and cos


def test_the_peak_is_seen_though_it_has_passed(lab: Lab) -> None:
    memory = Memory(lab.workers("def f(x):\n    y = x.repeat(4)\n    return float(y[-1])\n"))
    x = torch.ones(SIZE // 4)

    peak = memory.peak("f", x)

    assert 3.8 * SIZE < peak < 4.5 * SIZE
    assert memory.result == 1.0
    assert memory.kept("f", x) < 4 * MIB


def test_a_peak_before_the_call_does_not_count(lab: Lab) -> None:
    source = "import torch\ntorch.ones(64 << 20)\ndef f(x):\n    return x * 2\n"

    peak = Memory(lab.workers(source)).peak("f", torch.ones(SIZE // 4))

    assert 0.8 * SIZE < peak < 1.5 * SIZE


def test_readings_are_repeatable_for_small_tensors_too(lab: Lab) -> None:
    source = "def f(x):\n    return [x * i for i in range(256)]\n"
    memory = Memory(lab.workers(source))
    x = torch.ones(32 * 1024)

    readings = [memory.kept("f", x, warm_up=(torch.ones(8),)) for _ in range(3)]

    assert all(0.9 * SIZE < kept < 1.2 * SIZE for kept in readings)
    assert max(readings) < 1.05 * min(readings)


def test_files_are_no_place_to_hide(official: Lab) -> None:
    source = """
    def f(x, folder):
        with open(f"{folder}/hidden", "wb") as file:
            file.write(x.numpy().tobytes())
    """
    workers = official.workers(source)

    for folder in (".", "/tmp", "/dev/shm"):
        with pytest.raises(StudentError) as caught:
            Memory(workers).kept("f", torch.ones(SIZE // 4), folder)
        assert caught.value.type_name == "OSError"


def test_the_baseline_and_probes_are_measured_alike(lab: Lab) -> None:
    probes = {"probes": "def twice(module, x):\n    return module.f(module.f(x))\n"}
    workers = lab.workers("def f(x):\n    return x * 2\n", probes=probes, baseline="def f(x):\n    return x\n")
    memory = Memory(workers)
    x = torch.ones(SIZE // 4)

    own, baseline = memory.kept("twice", x), memory.kept("twice", x, module="baseline")

    assert 0.8 * SIZE < own < 1.2 * SIZE
    assert abs(baseline) < 4 * MIB


def test_the_result_is_fetched_after_the_reading(lab: Lab) -> None:
    memory = Memory(lab.workers("def f(x, n):\n    return x * n, n\n"))

    memory.kept("f", torch.ones(3), 2)

    assert memory.result[0].tolist() == [2.0] * 3
    assert memory.result[1] == 2


def test_every_reading_is_made_in_a_worker_of_its_own_that_ends(lab: Lab) -> None:
    workers = lab.workers("calls = []\ndef f():\n    calls.append(1)\n    return len(calls)\n")
    memory = Memory(workers)

    for warm_up, calls in ((None, 1), (None, 1), ((), 2)):
        memory.kept("f", warm_up=warm_up)
        assert memory.result == calls
    assert workers.open == []


def test_errors_crashes_and_forbidden_calls_keep_their_kind(lab: Lab) -> None:
    for source, kind in (
        ("def f():\n    raise ValueError('no')", StudentError),
        ("import os\ndef f():\n    os._exit(0)", Crashed),
        ("import torch\ndef f():\n    torch.relu(torch.ones(1))", Forbidden),
    ):
        with pytest.raises(kind):
            Memory(lab.workers(source, forbidden=("torch.relu",))).kept("f")
