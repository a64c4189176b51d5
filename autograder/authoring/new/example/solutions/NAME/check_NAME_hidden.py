"""Hidden checks for l2_normalize: rows of extreme size, and the memory that a call needs."""

import pytest
import torch

from autograder import Credit, Memory, Student, assert_close, points

MIB = 2**20


def oracle(x: torch.Tensor) -> torch.Tensor:
    """Return `x` divided by its length along the last dimension, computed in float64."""
    x64 = x.double()
    length = torch.linalg.vector_norm(x64, dim=-1, keepdim=True)
    return (x64 / torch.where(length > 0, length, 1.0)).to(x.dtype)


@points(2, hint="What are the squares of 1e30 and of 1e-30 in float32, and what is 0 / 0?")
@pytest.mark.parametrize("size", [1e30, 1e-30, 0.0])
def check_extremes(student: Student, rng: torch.Generator, size: float) -> None:
    """Rows that are huge, tiny or zero have length one, or stay zero."""
    x = torch.randn(4, 9, generator=rng)
    x[::2] *= size
    assert_close(student.l2_normalize(x), oracle(x))


@points(1, hint="Count the tensors of the input's size that are alive at the same time within one call.")
def check_memory(memory: Memory, credit: Credit, rng: torch.Generator) -> None:
    """A call needs at most 2.5 times the size of its result."""
    rows = int(torch.randint(2048, 2304, (), generator=rng))
    x = torch.randn(rows, 1024, generator=rng)
    result_bytes = x.numel() * x.element_size()

    peak_bytes = memory.peak("l2_normalize", x, warm_up=(x[:4],))

    assert_close(memory.result, oracle(x))
    times = peak_bytes / result_bytes
    text = (
        f"at its peak the call needs {times:.2f} times its result, which has {result_bytes / MIB:.0f} MiB; "
        "at most 2.5 times is allowed"
    )
    credit.at_most(times, 2.5, name="memory", text=text)
