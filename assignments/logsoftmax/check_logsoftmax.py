"""Checks for log_softmax. `student` stands for the submission, which runs in a sandbox."""

import contextlib
import re
from collections.abc import Callable

import pytest
import torch

from autograder import Probe, Speed, Student, StudentError, assert_close, assert_unchanged, points

# Autograd's nodes that move elements, or change their type, and do no arithmetic.
MOVES = {
    *("AccumulateGrad", "Alias", "AsStrided", "Cat", "Clone", "Copy", "CopySlices", "Expand", "Index", "IndexSelect"),
    *("Permute", "ReshapeAlias", "Select", "Slice", "Split", "SplitWithSizes", "Squeeze", "Stack", "T", "ToCopy"),
    *("Transpose", "Unbind", "UnsafeSplit", "UnsafeView", "Unsqueeze", "View"),
}


def oracle(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Return PyTorch's own answer, computed in float64."""
    return torch.log_softmax(x.double(), dim).to(x.dtype)


def oracle_gradient(x: torch.Tensor, dim: int, grad_output: torch.Tensor) -> torch.Tensor:
    """Return what PyTorch's own backward makes of `grad_output`, computed in float64."""
    x64 = x.detach().double().requires_grad_()
    (gradient,) = torch.autograd.grad(torch.log_softmax(x64, dim), x64, grad_output.detach().double())
    return gradient.to(x.dtype)


def normal(rng: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Draw from N(0, 1)."""
    return torch.randn(shape, generator=rng, dtype=dtype)


def size(rng: torch.Generator, low: int = 2, high: int = 7) -> int:
    """Draw a size between `low` and `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


Layout = Callable[[torch.Generator, torch.dtype], torch.Tensor]

LAYOUTS: dict[str, Layout] = {
    "1-D": lambda rng, dtype: normal(rng, size(rng), dtype=dtype),
    "2-D": lambda rng, dtype: normal(rng, size(rng), size(rng), dtype=dtype),
    "3-D": lambda rng, dtype: normal(rng, size(rng), size(rng), size(rng), dtype=dtype),
    "4-D": lambda rng, dtype: normal(rng, size(rng), size(rng), size(rng), size(rng), dtype=dtype),
    "long rows": lambda rng, dtype: normal(rng, 3, size(rng, 2000, 4000), dtype=dtype),
    "one element": lambda rng, dtype: normal(rng, 1, dtype=dtype),
    "one column": lambda rng, dtype: normal(rng, size(rng), 1, dtype=dtype),
    "sizes of one": lambda rng, dtype: normal(rng, 1, size(rng), 1, size(rng), dtype=dtype),
    "transposed": lambda rng, dtype: normal(rng, size(rng), size(rng), dtype=dtype).t(),
    "permuted": lambda rng, dtype: normal(rng, size(rng), size(rng), size(rng), dtype=dtype).permute(2, 0, 1),
    "strided": lambda rng, dtype: normal(rng, 2 * size(rng), 3 * size(rng), dtype=dtype)[::2, 1::3],
    "expanded rows": lambda rng, dtype: normal(rng, size(rng), dtype=dtype).expand(size(rng), -1),
    "expanded columns": lambda rng, dtype: normal(rng, size(rng), 1, dtype=dtype).expand(-1, size(rng)),
    "half": lambda rng, dtype: (5 * normal(rng, size(rng, 90, 110), size(rng, 20, 30))).to(dtype),
}


@points(3)
@pytest.mark.parametrize(
    ("layout", "dtype"),
    [(layout, dtype) for layout in LAYOUTS if layout != "half" for dtype in (torch.float32, torch.float64)]
    + [("half", torch.float16), ("half", torch.bfloat16)],
    ids=str,
)
def check_values(student: Student, probe: Probe, rng: torch.Generator, layout: str, dtype: torch.dtype) -> None:
    """log_softmax agrees with PyTorch along any dimension, for any layout, and leaves its input alone."""
    x = LAYOUTS[layout](rng, dtype)
    # Half precision: what is rounded twice on its way lies within half of this, rounding at every step at least five
    # times as far off.
    half = {"rtol": 4 * torch.finfo(dtype).eps, "atol": 4e-5} if layout == "half" else {}
    for dim in range(-x.ndim, x.ndim):
        assert_close(student.log_softmax(x, dim), oracle(x, dim), what=f"log_softmax(x, {dim})", **half)
        assert_unchanged(student)
    assert_close(student.log_softmax(x), oracle(x, -1), what="log_softmax(x)", **half)
    assert_unchanged(student)

    both = probe.results([x, -x], -1)
    assert_close(both, [oracle(x, -1), oracle(-x, -1)], what="[log_softmax(x), log_softmax(-x)]", **half)

    empty = torch.empty(0, 5)
    assert_close(student.log_softmax(empty, -1), empty, what="log_softmax of an empty batch")


Extreme = Callable[[torch.Generator, torch.dtype], torch.Tensor]


def levels(rng: torch.Generator, level: float, dtype: torch.dtype) -> torch.Tensor:
    """Draw rows of ±level, then one row that is all +level, one all -level, one with a single top, one in between."""
    x = level * (1 - 2 * torch.randint(0, 2, (8, size(rng, 4, 9)), generator=rng).to(dtype))
    x[0], x[1], x[2, 1:], x[3] = level, -level, -level, level * (2 * torch.rand(x[3].shape, generator=rng) - 1)
    x[2, 0] = level
    return x


def close_together(rng: torch.Generator, level: float, dtype: torch.dtype) -> torch.Tensor:
    """Draw rows around +level and -level whose entries differ by about one."""
    signs = torch.tensor([[1.0], [-1.0]], dtype=dtype).repeat(4, 1)
    return level * signs + normal(rng, 8, size(rng, 4, 9), dtype=dtype)


def some_infinite(rng: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """Draw rows in which some entries, never all, are -inf."""
    x = normal(rng, 8, size(rng, 4, 9), dtype=dtype)
    x[:, 1:][torch.rand(x[:, 1:].shape, generator=rng) < 0.5] = -torch.inf
    x[0, 1:], x[1, 1] = -torch.inf, -torch.inf
    return x


def infinite_row(rng: torch.Generator, dtype: torch.dtype) -> torch.Tensor:
    """Draw rows of which one is -inf throughout."""
    x = normal(rng, 5, size(rng), dtype=dtype)
    x[size(rng, 0, 4)] = -torch.inf
    return x


EXTREMES: dict[str, Extreme] = {
    "+-1e4": lambda rng, dtype: levels(rng, 1e4, dtype),
    "+-1e30": lambda rng, dtype: levels(rng, 1e30, dtype),
    "near +-1e4": lambda rng, dtype: close_together(rng, 1e4, dtype),
    "some -inf": some_infinite,
    "a row of -inf": infinite_row,
}


@points(3)
@pytest.mark.parametrize(
    ("extreme", "dtype"),
    [(extreme, torch.float32) for extreme in EXTREMES]
    + [(extreme, torch.float64) for extreme in EXTREMES if extreme != "+-1e30"],
    ids=str,
)
def check_stability(student: Student, rng: torch.Generator, extreme: str, dtype: torch.dtype) -> None:
    """log_softmax stays right for huge logits, for -inf, and when a constant is added to all of them."""
    x = EXTREMES[extreme](rng, dtype)
    assert_close(student.log_softmax(x, -1), oracle(x, -1), what=f"log_softmax of {extreme}")

    x = normal(rng, size(rng), size(rng))
    shifted = student.log_softmax(x + 1e4, -1)
    assert_close(shifted, student.log_softmax(x, -1), what="log_softmax(x + 1e4)")


def turned(rng: torch.Generator, shape: tuple[int, ...]) -> torch.Tensor:
    """Draw a tensor of a shape whose dimensions lie in memory in reverse order."""
    return normal(rng, *reversed(shape)).permute(*reversed(range(len(shape))))


def attempt(function: Callable[..., object], *args: object) -> object:
    """Call a function of the submission; None if it raises."""
    try:
        return function(*args)
    except StudentError:
        return None


def near(actual: object, expected: torch.Tensor) -> bool:
    """Tell what was computed from what was skipped; rounding is for others to judge."""
    if not isinstance(actual, torch.Tensor) or (actual.shape, actual.dtype) != (expected.shape, expected.dtype):
        return False
    return torch.allclose(actual, expected, rtol=1e-3, atol=1e-3)


GRADIENT_CASES = [((3, 4), 0), ((4, 3), -1), ((2, 5), -2), ((2, 3, 2), 1), ((3, 2, 2), -3), ((2, 2, 2, 2), -2)]


@points(3)
@pytest.mark.parametrize(("shape", "dim"), GRADIENT_CASES, ids=str)
def check_gradcheck(student: Student, probe: Probe, rng: torch.Generator, shape: tuple[int, ...], dim: int) -> None:
    """Gradients are right, and LogSoftmax, a torch.autograd.Function, is what computes them."""
    x = normal(rng, *shape)
    assert probe.is_function() is True, "LogSoftmax is not a subclass of torch.autograd.Function"
    nodes = probe.graph(x, dim)
    assert isinstance(nodes, list) and "LogSoftmax" in nodes, "the result of log_softmax does not come from LogSoftmax"
    foreign = [node for node in nodes if node != "LogSoftmax" and re.sub(r"Backwards?\d*$", "", node) not in MOVES]
    assert not foreign, f"log_softmax may only reshape or copy around LogSoftmax; autograd recorded {foreign}"

    x.requires_grad_()
    positive = dim % x.ndim if dim != -1 else dim
    applied = student.LogSoftmax.apply(x, positive)
    assert_close(applied, oracle(x.detach(), dim), what=f"LogSoftmax.apply(x, {positive})")
    torch.autograd.gradcheck(lambda x: student.log_softmax(x, dim), x, rtol=1e-5, atol=1e-7)

    # LogSoftmax.apply itself, with every kind of grad_output.
    one = normal(rng, 1).expand(shape)
    rows = normal(rng, 1, *shape[1:]).expand(shape)
    for grad_output in (normal(rng, *shape), one, rows, turned(rng, shape)):
        for x in (normal(rng, *shape), turned(rng, shape)):
            forward = attempt(student.LogSoftmax.apply, x, positive)
            if near(forward, oracle(x, dim)):  # a forward that fails such an input costs `values`, not this check
                expected = oracle_gradient(x, dim, grad_output), grad_output.contiguous()
                found = probe.gradient(x, positive, grad_output)
                assert_close(found, expected, what="(gradient, grad_output after backward)")


@points(2, needs="any")
@pytest.mark.parametrize(("shape", "dim"), [((3, 4), 0), ((2, 3), -1), ((2, 3, 2), -2)], ids=str)
def check_gradgradcheck(student: Student, rng: torch.Generator, shape: tuple[int, ...], dim: int) -> None:
    """Backward is itself differentiable."""
    x = normal(rng, *shape).requires_grad_()
    grad_output = normal(rng, *shape).requires_grad_()
    y = student.log_softmax(x, dim)
    assert isinstance(y, torch.Tensor) and y.requires_grad, "the result is no torch.Tensor that requires grad"
    assert y.shape == x.shape, f"the result has shape {tuple(y.shape)}; expected {shape}"
    torch.autograd.gradgradcheck(lambda x: student.log_softmax(x, dim), x, grad_output, rtol=1e-5, atol=1e-7)


def differentiate(y: object, x: torch.Tensor, grad_output: torch.Tensor) -> None:
    """Run backward, and backward through it, whatever comes of them: faulty ones cost their own checks."""
    if isinstance(y, torch.Tensor):
        with contextlib.suppress(StudentError, RuntimeError):
            (gradient,) = torch.autograd.grad(y, x, grad_output, create_graph=True)
            torch.autograd.grad(gradient, x, grad_output)


@points(1, needs="any")
def check_own_work(student: Student, rng: torch.Generator) -> None:
    """Neither forward nor backward calls a ready-made softmax."""
    student.log_softmax(normal(rng, 3, 4, dtype=torch.float32), -1)

    both = student.log_softmax, student.LogSoftmax.apply
    kinds = [((5,), torch.float64, both), ((3, 4), torch.float16, both), ((2, 3, 4), torch.float32, both)]
    for shape, dtype, functions in [*kinds, ((512, 4096), torch.float32, both[:1])]:  # the last as in the speed check
        x, grad_output = (torch.randn(shape, generator=rng).to(dtype).requires_grad_() for _ in range(2))
        for function in functions:
            with contextlib.suppress(StudentError):  # that it works is for other checks to judge
                differentiate(function(x, -1), x, grad_output)


ROW_COUNTS = [2, 8, 32, 128, 512]  # of 4096 columns each: the sizes in the picture of times, up to the one judged


@points(4)
def check_speed(probe: Probe, speed: Speed, rng: torch.Generator) -> None:
    """Forward and backward together come near PyTorch's own kernel."""
    x, grad_output = normal(rng, 512, 4096, dtype=torch.float32), normal(rng, 512, 4096, dtype=torch.float32)
    few = x[:5, :9].clone(), grad_output[:5, :9].clone()
    small = probe.forward_backward(*few)
    right_when_small = isinstance(small, tuple) and near(small[-1], oracle_gradient(few[0], -1, few[1]))

    def inputs() -> tuple[torch.Tensor, torch.Tensor]:
        return x * (0.5 + torch.rand(512, 1, generator=rng)), grad_output * (0.5 + torch.rand(512, 1, generator=rng))

    def expected(x: torch.Tensor, grad_output: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows = torch.randint(0, 512, (8,), generator=rng)
        return oracle(x, -1), rows, oracle_gradient(x[rows], -1, grad_output[rows])

    def compare(actual: tuple[torch.Tensor, ...], expected: tuple[torch.Tensor, ...]) -> None:
        (y_expected, rows, gradient_expected), gradient = expected, actual[-1]
        assert_close(actual[0], y_expected)
        # A wrong gradient costs gradcheck, not this check. A right one that is left out on the clock costs this one.
        if right_when_small:
            assert near(gradient[rows], gradient_expected), "the timed backward did not compute its gradient"

    def fewer(count: int) -> Callable[[], tuple[torch.Tensor, ...]]:
        return lambda: tuple(part[:count] for part in inputs())

    sizes = {count * x.shape[1]: fewer(count) for count in ROW_COUNTS}
    speed("forward_backward", inputs, expected, compare=compare, sizes=sizes)
