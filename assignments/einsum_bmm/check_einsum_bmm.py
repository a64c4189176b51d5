"""Checks for einsum_bmm. `student` stands for the submission, which runs in a sandbox."""

import contextlib
import math
from collections.abc import Callable
from typing import Any

import pytest
import torch

from autograder import Probe, Speed, Student, StudentError, assert_close, assert_unchanged, points

Tensors = tuple[torch.Tensor, ...]
Shape = tuple[int, ...]

DTYPES = [torch.float32, torch.float64]
LAYOUTS = ["contiguous", "transposed", "strided", "expanded"]


def normal(rng: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Draw from N(0, 1)."""
    return torch.randn(shape, generator=rng, dtype=dtype)


def place(x: torch.Tensor, layout: str, device: torch.device) -> torch.Tensor:
    """Return `x`, or numbers of it, on a device and in a layout; float64 stays where the device has none."""
    x = x if device.type == "mps" and x.dtype == torch.float64 else x.to(device)
    if layout == "transposed":
        return x.mT.contiguous().mT
    if layout == "strided":
        return x.repeat_interleave(2, dim=-1).repeat_interleave(3, dim=0)[1::3, ..., ::2]
    if layout == "expanded" and x.shape[0] > 0:
        return x[:1].expand(x.shape)
    return x


def sizes(rng: torch.Generator, count: int, low: int = 2, high: int = 9) -> list[int]:
    """Draw sizes between `low` and `high`, both included, no two of them equal."""
    return [low + int(i) for i in torch.randperm(high - low + 1, generator=rng)[:count]]


def rounding(terms: int, magnitude: torch.Tensor) -> float:
    """Return what rounding to float32 may add up to in sums of so many products, whatever their order.

    Args:
        terms: how many products a sum has
        magnitude: the same sums over absolute values

    Source: Nicholas J. Higham, Theo Mary: A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput.
    41(5), 2019, theorem 3.1, with lambda = 4.
    """
    eps = torch.finfo(torch.float32).eps
    return 2 * eps * math.sqrt(terms) * float(magnitude.max()) if magnitude.numel() else 0.0


# -- the oracles: each takes float64 and returns the values, and what rounding to float32 may change about them --------

Oracle = Callable[..., tuple[torch.Tensor, float]]


def bmm_oracle(a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return the products by torch.bmm."""
    return torch.bmm(a, b), rounding(a.shape[2], torch.bmm(a.abs(), b.abs()))


def bilinear_oracle(x: torch.Tensor, w: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return the forms' values, by a matrix product and a sum."""
    return ((x @ w) * y).sum(1), rounding(w.numel(), ((x.abs() @ w.abs()) * y.abs()).sum(1))


def trace_oracle(a: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return the sums of the diagonals."""
    diagonals = a.diagonal(dim1=1, dim2=2)
    return diagonals.sum(1), rounding(a.shape[2], diagonals.abs().sum(1))


def diagonal_oracle(a: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return the diagonals."""
    return a.diagonal(dim1=1, dim2=2), 0.0


def attention_oracle(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Return the averages by matrix products; an error of the scores is one of the weights, relative to them."""
    eps = torch.finfo(torch.float32).eps
    scale = 1 / math.sqrt(q.shape[2])
    scores = q @ k.mT * scale
    weights = torch.softmax(scores, -1)
    magnitude = weights @ v.abs()
    if not magnitude.numel():
        return weights @ v, 0.0
    of_scores = rounding(q.shape[2], q.abs() @ k.abs().mT * scale) + 4 * eps * float(scores.abs().max())
    return weights @ v, 2 * of_scores * float(magnitude.max()) + rounding(4 + k.shape[1], magnitude)


# -- shapes ------------------------------------------------------------------------------------------------------------


def bmm_shapes(batch: int, n: int, k: int, m: int) -> list[Shape]:
    """Return the shapes of bmm's arguments."""
    return [(batch, n, k), (batch, k, m)]


def bilinear_shapes(batch: int, i: int, j: int) -> list[Shape]:
    """Return the shapes of bilinear's arguments."""
    return [(batch, i), (i, j), (batch, j)]


def square_shapes(batch: int, n: int) -> list[Shape]:
    """Return the shape of trace's and of diagonal's argument."""
    return [(batch, n, n)]


def attention_shapes(batch: int, queries: int, keys: int, d: int, v: int) -> list[Shape]:
    """Return the shapes of attention's arguments."""
    return [(batch, queries, d), (batch, keys, d), (batch, keys, v)]


def chain_shapes(*dims: int) -> list[Shape]:
    """Return the shapes of chain's arguments."""
    return [(rows, columns) for rows, columns in zip(dims[:-1], dims[1:], strict=True)]


def varied(rng: torch.Generator, count: int) -> dict[str, list[int]]:
    """Draw sizes, the batch first: different ones, a batch of one, sizes of one, sums of many terms, an empty batch."""
    alone = [[size if i == place else 1 for i, size in enumerate(sizes(rng, count))] for place in range(count)]
    ones = [[1 if i == place else size for i, size in enumerate(sizes(rng, count))] for place in range(1, count)]
    return {
        "different sizes": sizes(rng, count),
        "batch of one": [1, *sizes(rng, count - 1)],
        **{f"one size of 1 ({i + 1})": case for i, case in enumerate(ones)},
        **{f"sizes of 1 but one ({i + 1})": case for i, case in enumerate(alone)},
        "sizes of 1": [1] * count,
        "many terms": [2, *sizes(rng, count - 1, 30, 45)],
        "empty batch": [0, *sizes(rng, count - 1)],
    }


def mismatches(size: int, other: int) -> list[tuple[int, int]]:
    """Return pairs of sizes that ought to be equal and are not; a one among them must not be broadcast."""
    return [(size, other), (1, size), (size, 1)]


# -- judging -----------------------------------------------------------------------------------------------------------


def compare(actual: Any, oracle: Oracle, inputs: Tensors, what: str) -> None:
    """Compare a result with the oracle's; in float32 rounding is allowed for."""
    expected, allowance = oracle(*(x.cpu().double() for x in inputs))
    atol = 1e-5 + allowance if inputs[0].dtype == torch.float32 else None
    assert_close(actual, expected.to(inputs[0]), atol=atol, what=what)


def agrees(
    student: Student, probe: Probe, name: str, oracle: Oracle, draw: Callable[[], Tensors], what: str = ""
) -> None:
    """Assert that a function agrees with its oracle, leaves its inputs alone, and its results too when called again."""
    one, other = draw(), draw()
    compare(getattr(student, name)(*one), oracle, one, f"{name}(), {what},")
    assert_unchanged(student)
    first, second = probe.results(name, [list(one), list(other)])
    compare(first, oracle, one, f"{name}(), {what}, looked at after another call,")
    compare(second, oracle, other, f"{name}(), {what}, called again,")


def refuses(student: Student, rng: torch.Generator, name: str, *shapes: Shape) -> None:
    """Assert that a function raises for arguments of these shapes."""
    try:
        getattr(student, name)(*(normal(rng, *shape) for shape in shapes))
    except StudentError:
        return
    raise AssertionError(f"{name}() accepted arguments of shapes {', '.join(map(str, shapes))}; expected an exception")


def drawing(
    rng: torch.Generator, shapes: list[Shape], layout: str, dtype: torch.dtype, device: torch.device
) -> Callable[[], Tensors]:
    """Return a function that draws arguments of these shapes."""
    return lambda: tuple(place(normal(rng, *shape, dtype=dtype), layout, device) for shape in shapes)


# -- the checks --------------------------------------------------------------------------------------------------------


@points(3)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def check_bmm(
    student: Student, probe: Probe, rng: torch.Generator, device: torch.device, layout: str, dtype: torch.dtype
) -> None:
    """bmm multiplies each pair of matrices, whatever their sizes and layout, and refuses shapes that do not match."""
    for what, case in varied(rng, 4).items():
        agrees(student, probe, "bmm", bmm_oracle, drawing(rng, bmm_shapes(*case), layout, dtype, device), what)

    batch, n, k, m, other = sizes(rng, 5)
    for one, two in mismatches(batch, other):
        refuses(student, rng, "bmm", (one, n, k), (two, k, m))
    for one, two in mismatches(k, other):
        refuses(student, rng, "bmm", (batch, n, one), (batch, two, m))


@points(2)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def check_bilinear(
    student: Student, probe: Probe, rng: torch.Generator, device: torch.device, layout: str, dtype: torch.dtype
) -> None:
    """bilinear sums x_i w_ij y_j for each element of the batch, and refuses shapes that do not match."""
    for what, case in varied(rng, 3).items():
        draw = drawing(rng, bilinear_shapes(*case), layout, dtype, device)
        agrees(student, probe, "bilinear", bilinear_oracle, draw, what)

    batch, i, j, other = sizes(rng, 4)
    for one, two in mismatches(batch, other):
        refuses(student, rng, "bilinear", (one, i), (i, j), (two, j))
    for one, two in mismatches(i, other):
        refuses(student, rng, "bilinear", (batch, one), (two, j), (batch, j))
    for one, two in mismatches(j, other):
        refuses(student, rng, "bilinear", (batch, i), (i, one), (batch, two))


@points(2)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def check_diagonals(
    student: Student, probe: Probe, rng: torch.Generator, device: torch.device, layout: str, dtype: torch.dtype
) -> None:
    """trace and diagonal agree with PyTorch for each matrix of a batch, and refuse matrices that are not square."""
    for what, case in varied(rng, 2).items():
        draw = drawing(rng, square_shapes(*case), layout, dtype, device)
        agrees(student, probe, "trace", trace_oracle, draw, what)
        agrees(student, probe, "diagonal", diagonal_oracle, draw, what)

    batch, n, other = sizes(rng, 3)
    for rows, columns in mismatches(n, other):
        refuses(student, rng, "trace", (batch, rows, columns))
        refuses(student, rng, "diagonal", (batch, rows, columns))


def extreme(rng: torch.Generator, dtype: torch.dtype, device: torch.device) -> Tensors:
    """Draw arguments of attention with scores of about +-1e4.

    In the first half of the batch the scores of a query all lie near +1e4 or all near -1e4, a few units apart; in the
    second half both occur for each query.
    """
    half, queries, keys, d, v = sizes(rng, 5, 3, 8)
    shapes = attention_shapes(2 * half, queries, keys, d, v)
    q, k, values = (normal(rng, *shape, dtype=dtype) for shape in shapes)
    q[..., 0] = 1e4 * math.sqrt(d) * (1 - 2 * (torch.arange(queries) % 2))
    k[:half, :, 0] = 1
    k[half:, :, 0] = 1 - 2 * (torch.arange(keys) % 2)
    return tuple(place(x, "contiguous", device) for x in (q, k, values))


@points(4)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def check_attention(
    student: Student, probe: Probe, rng: torch.Generator, device: torch.device, layout: str, dtype: torch.dtype
) -> None:
    """attention averages the values by softmax(q kᵀ / sqrt(D)), for huge scores too, and refuses shapes that differ."""
    for what, case in varied(rng, 5).items():
        draw = drawing(rng, attention_shapes(*case), layout, dtype, device)
        agrees(student, probe, "attention", attention_oracle, draw, what)

    inputs = extreme(rng, dtype, device)
    result = student.attention(*inputs)
    if dtype == torch.float64:
        compare(result, attention_oracle, inputs, "attention() at scores of +-1e4")
    finite = isinstance(result, torch.Tensor) and bool(result.isfinite().all())
    assert finite, "attention() is not finite at scores of +-1e4"

    batch, queries, keys, d, v, other = sizes(rng, 6)
    for one, two in mismatches(batch, other):
        for batches in ((two, one, one), (one, two, one), (one, one, two)):
            shapes = zip(batches, ((queries, d), (keys, d), (keys, v)), strict=True)
            refuses(student, rng, "attention", *((size, *rest) for size, rest in shapes))
    for one, two in mismatches(d, other):
        refuses(student, rng, "attention", (batch, queries, one), (batch, keys, two), (batch, keys, v))
    for one, two in mismatches(keys, other):
        refuses(student, rng, "attention", (batch, queries, d), (batch, one, d), (batch, two, v))


@points(3)
@pytest.mark.parametrize(
    ("name", "shapes", "count"),
    [("bmm", bmm_shapes, 3), ("bilinear", bilinear_shapes, 2), ("attention", attention_shapes, 4)],
    ids=["bmm", "bilinear", "attention"],
)
def check_gradcheck(
    student: Student, rng: torch.Generator, name: str, shapes: Callable[..., list[Shape]], count: int
) -> None:
    """Gradients flow through bmm, bilinear and attention, and each is the derivative of what the function returns."""
    function = getattr(student, name)
    for batch in (2, 3):
        inputs = [normal(rng, *shape).requires_grad_() for shape in shapes(batch, *sizes(rng, count, 2, 5))]
        result = function(*inputs)
        assert isinstance(result, torch.Tensor), f"{name}() returned {type(result).__name__}; expected a torch.Tensor"
        assert result.requires_grad, f"the result of {name}() does not require grad where its inputs do"
        torch.autograd.gradcheck(function, inputs, rtol=1e-5, atol=1e-7)


SQUARES: dict[str, list[Shape]] = {
    "bmm": bmm_shapes(2, 4, 4, 4),
    "bilinear": bilinear_shapes(3, 4, 4),
    "trace": square_shapes(2, 5),
    "diagonal": square_shapes(2, 5),
    "attention": attention_shapes(2, 4, 4, 4, 4),
    "chain": chain_shapes(4, 4, 4, 4, 4),
}
COUNTS: dict[str, tuple[Callable[..., list[Shape]], int]] = {
    "bmm": (bmm_shapes, 4),
    "bilinear": (bilinear_shapes, 3),
    "trace": (square_shapes, 2),
    "diagonal": (square_shapes, 2),
    "attention": (attention_shapes, 5),
    "chain": (chain_shapes, 5),
}


def recognisable(rng: torch.Generator, shapes: list[Shape]) -> list[torch.Tensor]:
    """Draw numbers of 1032 to 2040 in size, no two alike: every dtype holds them, and no result comes near them."""
    counts = [math.prod(shape) for shape in shapes]
    drawn = 8.0 * (129 + torch.randperm(127, generator=rng)[: sum(counts)]).double()
    drawn *= normal(rng, sum(counts)).sign()
    return [part.reshape(shape) for part, shape in zip(drawn.split(counts), shapes, strict=True)]


def alike(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Tell results that differ by rounding from results of different inputs."""
    if one.shape != other.shape:
        return False
    one, other = one.double(), other.double()
    return torch.allclose(one, other, rtol=1e-2, atol=1e-2 * float(other.abs().mean()))


def differentiate(result: object, inputs: list[torch.Tensor], rng: torch.Generator) -> None:
    """Run backward, whatever comes of it: what is wrong with it costs other checks."""
    if isinstance(result, torch.Tensor):
        with contextlib.suppress(StudentError, RuntimeError):
            torch.autograd.grad(result, inputs, normal(rng, *result.shape, dtype=result.dtype), allow_unused=True)


@points(1, needs="any")
@pytest.mark.parametrize("name", list(SQUARES))
def check_own_work(student: Student, probe: Probe, rng: torch.Generator, name: str) -> None:
    """torch.einsum computes every result, and no other product of matrices or vectors has a part in it."""
    shown, true = recognisable(rng, SQUARES[name]), [normal(rng, *shape) for shape in SQUARES[name]]
    least = 25 if name in ("trace", "diagonal") else 1  # these must hand over a matrix, not its diagonal
    of_shown, of_true, exchanged = probe.exchanged(name, shown, true, least)
    assert not alike(of_shown, of_true), f"{name}() returns the same for different inputs"
    assert alike(exchanged, of_true), f"{name}() does not follow what torch.einsum computes: it is computed beside it"

    shapes, count = COUNTS[name]
    function = getattr(student, name)
    cases = [shapes(*sizes(rng, count)), shapes(1, *sizes(rng, count - 1)), shapes(3, *sizes(rng, count - 1, 30, 45))]
    for case in cases:
        for dtype in DTYPES:
            for layout in LAYOUTS:
                draw = drawing(rng, case, layout, dtype, torch.device("cpu"))
                inputs = [x.requires_grad_() for x in draw()]
                with contextlib.suppress(StudentError):  # that it works is for other checks to judge
                    differentiate(function(*inputs), inputs, rng)
    for case in TIMED.get(name, []):
        with contextlib.suppress(StudentError):
            function(*(normal(rng, *shape, dtype=torch.float32) for shape in case))


# In each chain left to right takes about 50 times the multiplications of the best order.
TIMED: dict[str, list[list[Shape]]] = {
    "bmm": [bmm_shapes(16, 160, 192, 176)],
    "chain": [
        chain_shapes(640, 640, 640, 640, 9),
        chain_shapes(900, 900, 6, 900, 900),
        chain_shapes(3200, 64, 3200, 64, 64),
    ],
}


def product(*matrices: torch.Tensor) -> torch.Tensor:
    """Return the product of two batches of matrices, or of four matrices, computed in float64."""
    wide = [matrix.cpu().double() for matrix in matrices]
    return torch.bmm(*wide) if len(wide) == 2 else torch.linalg.multi_dot(wide)


@points(3)
def check_speed(speed: Speed, rng: torch.Generator, device: torch.device) -> None:
    """bmm comes near torch.bmm, and chain near the best order of its products."""
    for name, shapes in ((name, shapes) for name, cases in TIMED.items() for shapes in cases):
        drawn = drawing(rng, shapes, "contiguous", torch.float32, device)()
        terms = sum(shape[-1] for shape in shapes[:-1])

        def inputs(drawn: Tensors = drawn) -> Tensors:
            return tuple(x * normal(rng, *x.shape[:-1], 1, dtype=x.dtype).sign().to(device) for x in drawn)

        def compare_rounded(actual: Any, expected: torch.Tensor, terms: int = terms) -> None:
            # Of independent numbers the error grows with the root of the number of terms, as the result itself does.
            allowance = rounding(terms, 2 * expected.square().mean().sqrt())
            assert_close(actual, expected.to(device, torch.float32), atol=allowance, what="the timed result")

        speed(name, inputs, product, compare=compare_rounded, calls=3)
