"""Checks for l2_normalize. `student` stands for the submission, which runs in a sandbox."""

import math

import pytest
import torch

from autograder import Probe, Speed, Student, assert_close, assert_unchanged, points


def oracle(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Return `x` divided by its length along `dim`, computed in float64."""
    x64 = x.double()
    length = torch.linalg.vector_norm(x64, dim=dim, keepdim=True)
    return (x64 / torch.where(length > 0, length, 1.0)).to(x.dtype)


def tolerance(x: torch.Tensor, dim: int) -> float:
    """Return a relative tolerance: a few roundings, and what adding up a row of so many squares may cost."""
    return (4 + math.sqrt(x.shape[dim])) * torch.finfo(x.dtype).eps


def normal(rng: torch.Generator, *shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Draw from N(0, 1)."""
    return torch.randn(shape, generator=rng, dtype=dtype)


@points(2)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("shape", [(5,), (3, 7), (2, 3, 4), (4, 3000)], ids=str)
def check_values(student: Student, rng: torch.Generator, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """l2_normalize is right along any dimension, and leaves its input alone."""
    drawn = normal(rng, *shape, dtype=dtype)
    for x in (drawn, drawn.transpose(0, -1)):
        for dim in range(-x.ndim, x.ndim):
            # An absolute tolerance would hide mistakes: elements of a row of 3000 are as small as 0.02.
            y = student.l2_normalize(x, dim)
            assert_close(y, oracle(x, dim), rtol=tolerance(x, dim), atol=0.0, what=f"l2_normalize(x, {dim})")
            assert_unchanged(student)


@points(2)
@pytest.mark.parametrize("shape", [(3,), (2, 3)], ids=str)
def check_gradcheck(student: Student, rng: torch.Generator, shape: tuple[int, ...]) -> None:
    """Gradients are right."""
    x = normal(rng, *shape, dtype=torch.float64).requires_grad_()
    torch.autograd.gradcheck(student.l2_normalize, x, rtol=1e-5, atol=1e-7)


@points(1)
def check_results_kept(probe: Probe, rng: torch.Generator) -> None:
    """A result keeps its values when the function is called again."""
    first, second = normal(rng, 3, 5), normal(rng, 3, 5)
    both = probe.results([first, second])
    assert_close(both, [oracle(first), oracle(second)], what="[l2_normalize(a), l2_normalize(b)]")


@points(2)
def check_speed(speed: Speed, rng: torch.Generator) -> None:
    """l2_normalize comes near PyTorch's own."""
    x = normal(rng, 512, 2048)

    def inputs() -> tuple[torch.Tensor]:
        # By columns: a factor for each row would leave the result as it is, and a kept one would do.
        return (x * (0.5 + torch.rand(x.shape[1], generator=rng)),)

    speed("l2_normalize", inputs, oracle, calls=4)  # a block of one call would be too short to time well
