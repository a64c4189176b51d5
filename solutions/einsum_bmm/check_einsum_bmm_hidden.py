"""Hidden check for einsum_bmm: a chain of four matrices, whichever of its five orders is the best."""

import math
from typing import Any

import pytest
import torch

from autograder import Probe, Student, assert_close, assert_unchanged, points

LAYOUTS = ["contiguous", "transposed", "strided"]


def multiplications(i: int, j: int, k: int, l: int, m: int) -> dict[str, int]:  # noqa: E741
    """Return how many multiplications each order takes for (i, j), (j, k), (k, l), (l, m)."""
    return {
        "((ab)c)d": i * j * k + i * k * l + i * l * m,
        "(a(bc))d": j * k * l + i * j * l + i * l * m,
        "(ab)(cd)": i * j * k + k * l * m + i * k * m,
        "a((bc)d)": j * k * l + j * l * m + i * j * m,
        "a(b(cd))": k * l * m + j * k * m + i * j * m,
    }


# Each order, and the size that makes it the best one by being small: i, l, k, j or m.
ORDERS = dict(zip(multiplications(1, 1, 1, 1, 1), (0, 3, 2, 1, 4), strict=True))


def dimensions(rng: torch.Generator, order: str, *, one: bool = False) -> list[int]:
    """Draw five different sizes, maybe one of them 1, for which an order takes at most 80 % of any other's work."""
    while True:
        dims = [int(size) for size in 2 + torch.randperm(39, generator=rng)[:5]]
        if one:
            dims[ORDERS[order]] = 1
        counts = multiplications(*dims)
        best = counts.pop(order)
        if best <= 0.8 * min(counts.values()):
            return dims


def place(x: torch.Tensor, layout: str, device: torch.device) -> torch.Tensor:
    """Return `x`, or numbers of it, on a device and in a layout; float64 stays where the device has none."""
    x = x if device.type == "mps" and x.dtype == torch.float64 else x.to(device)
    if layout == "transposed":
        return x.mT.contiguous().mT
    return x.repeat_interleave(2, dim=1)[:, ::2] if layout == "strided" else x


def compare(actual: Any, inputs: list[torch.Tensor], what: str) -> None:
    """Compare a product with one computed in float64; in float32 rounding in three long sums is allowed for.

    Source: Nicholas J. Higham, Theo Mary: A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput.
    41(5), 2019, theorem 3.1, with lambda = 4, for each of the products.
    """
    wide = [x.cpu().double() for x in inputs]
    expected = torch.linalg.multi_dot(wide).to(inputs[0])
    terms = sum(x.shape[1] for x in inputs[:-1])
    magnitude = float(torch.linalg.multi_dot([x.abs() for x in wide]).max())
    allowance = 2 * torch.finfo(torch.float32).eps * math.sqrt(3 * terms) * magnitude
    atol = 1e-5 + allowance if inputs[0].dtype == torch.float32 else None
    assert_close(actual, expected, atol=atol, what=what)


@points(
    2,
    hint="Four matrices can be multiplied in five orders. Each is best for some shapes: compare all five with a "
    "plain product, in float64, on shapes where your function chooses it.",
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("order", ORDERS)
def check_chain(
    student: Student, probe: Probe, rng: torch.Generator, device: torch.device, order: str, dtype: torch.dtype
) -> None:
    """chain is right for shapes whose best order is any of the five."""
    for layout, one in [*((layout, False) for layout in LAYOUTS), ("contiguous", True)]:
        dims = dimensions(rng, order, one=one)
        inputs, others = (
            [
                place(torch.randn(rows, columns, generator=rng, dtype=dtype), layout, device)
                for rows, columns in zip(dims[:-1], dims[1:], strict=True)
            ]
            for _ in range(2)
        )
        what = f"chain(), {layout}{', a size of 1' if one else ''},"
        compare(student.chain(*inputs), inputs, what)
        assert_unchanged(student)
        first, second = probe.results("chain", [inputs, others])
        compare(first, inputs, f"{what} looked at after another call,")
        compare(second, others, f"{what} called again,")
