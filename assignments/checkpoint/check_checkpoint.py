"""Checks for checkpoint. `probe` runs beside the submission, in its sandbox, and makes the functions to checkpoint."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from autograder import Credit, Memory, Probe, Speed, Student, StudentError, assert_close, assert_unchanged, points

MIB = 2**20


def nested(x: Tensor, y: Tensor) -> Tensor:
    """Return what probes.py computes with two checkpoints inside a third."""
    inner = (x.cos() * y).sin() * x.cos()
    return inner.tanh() * (inner.cos() * inner) + y


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "a tensor": lambda x, y: (x * y).tanh() * x,
    "a scalar": lambda x, y: (x * y).sum(),
    "a tuple of one": lambda x, y: (x.sin() * y,),
    "several tensors": lambda x, y: (x.sin() * y, x * y.cos(), (x * y).tanh()),
    "other values": lambda x, y: (3, x.sin() * y, None, "words", x.sign().long(), 2.5, x > y, (x * y).cos(), True),
    "one unused": lambda x, y, z: x.sin() * y,
    "by keyword": lambda x, *, scale, shift: (x * scale).sin() * shift + scale,
    "nested": nested,
}


def normal(rng: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Draw from N(0, 1)."""
    return torch.randn(shape, generator=rng, dtype=dtype)


def uniform(rng: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Draw from between -1 and 1, where a few operations in float32 stay well within its tolerance."""
    return 2 * torch.rand(shape, generator=rng, dtype=dtype) - 1


def size(rng: torch.Generator, low: int = 2, high: int = 6) -> int:
    """Draw a size between `low` and `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def in_double(function: Callable[..., Any], args: list[Tensor]) -> Any:
    """Return the result of a function that is computed in float64, its float tensors in the arguments' dtype."""
    found = function(*(arg.double() for arg in args))
    outputs = found if isinstance(found, tuple) else (found,)
    rounded = tuple(
        output.to(args[0].dtype) if isinstance(output, Tensor) and output.is_floating_point() else output
        for output in outputs
    )
    return rounded if isinstance(found, tuple) else rounded[0]


Layout = Callable[[torch.Generator, torch.dtype], Tensor]

LAYOUTS: dict[str, Layout] = {
    "contiguous": lambda rng, dtype: uniform(rng, size(rng), 4, 3, dtype=dtype),
    "transposed": lambda rng, dtype: uniform(rng, 3, 4, size(rng), dtype=dtype).permute(2, 1, 0),
    "strided": lambda rng, dtype: uniform(rng, 2 * size(rng), 4, 6, dtype=dtype)[::2, :, 1::2],
    "expanded": lambda rng, dtype: uniform(rng, 4, 1, dtype=dtype).expand(size(rng), 4, 3),
}


@points(2)
@pytest.mark.parametrize("needs_grad", [False, True], ids=["no gradient needed", "gradient needed"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("layout", LAYOUTS)
def check_values(
    student: Student, probe: Probe, rng: torch.Generator, layout: str, dtype: torch.dtype, needs_grad: bool
) -> None:
    """checkpoint(fn, *args) returns what fn(*args) returns: a tensor or a tuple of anything."""
    for name in ("a tensor", "a scalar", "a tuple of one", "several tensors", "other values"):
        x = LAYOUTS[layout](rng, dtype)
        inputs = [[x, uniform(rng, *x.shape, dtype=dtype)], [-x, uniform(rng, *x.shape, dtype=dtype)]]
        found = probe.results(name, inputs, needs_grad)
        assert_unchanged(student)
        expected = [in_double(FUNCTIONS[name], args) for args in inputs]
        assert_close(found, expected, what=f"two calls of checkpoint() with a function that returns {name}")

    x, scale, shift = x.detach(), uniform(rng, *x.shape, dtype=dtype), uniform(rng, *x.shape, dtype=dtype)
    found = probe.result("by keyword", x, scale=scale, shift=shift)
    assert_unchanged(student)
    expected = FUNCTIONS["by keyword"](x.double(), scale=scale.double(), shift=shift.double()).to(dtype)
    assert_close(found, expected, what="checkpoint() with keyword arguments")


def oracle_gradients(
    function: Callable[..., Any], args: list[Tensor], kwargs: dict[str, Tensor], vectors: list[Tensor | None]
) -> list[Tensor]:
    """Return the gradients that PyTorch finds in float64 without a checkpoint, zeros where there are none."""
    wide = [arg.detach().double().requires_grad_() for arg in (*args, *kwargs.values())]
    found = function(*wide[: len(args)], **dict(zip(kwargs, wide[len(args) :], strict=True)))
    outputs = found if isinstance(found, tuple) else (found,)
    used = [(output, vector.double()) for output, vector in zip(outputs, vectors, strict=True) if vector is not None]
    gradients = torch.autograd.grad([o for o, _ in used], wide, [v for _, v in used], allow_unused=True)
    return [
        torch.zeros_like(arg) if gradient is None else gradient.to(arg.dtype)
        for arg, gradient in zip((*args, *kwargs.values()), gradients, strict=True)
    ]


def filled(gradients: Any, expected: list[Any]) -> Any:
    """Put zeros in the places of missing gradients: they count as the same."""
    if not isinstance(gradients, list) or len(gradients) != len(expected):
        return gradients
    return [
        torch.zeros_like(wanted) if gradient is None else filled(gradient, wanted)
        for gradient, wanted in zip(gradients, expected, strict=True)
    ]


# What is differentiated, the number of its outputs, and for each backward pass those that it uses.
PASSES: dict[str, tuple[str, int, list[list[int]]]] = {
    "one output": ("a tensor", 1, [[0]]),
    "a tuple of one": ("a tuple of one", 1, [[0]]),
    "all outputs": ("several tensors", 3, [[0, 1, 2]]),
    "the first output alone": ("several tensors", 3, [[0]]),
    "two of three outputs": ("several tensors", 3, [[0, 2]]),
    "outputs among other values": ("other values", 9, [[1, 7]]),
    "one output among other values": ("other values", 9, [[7]]),
    "an unused argument": ("one unused", 1, [[0]]),
    "nested checkpoints": ("nested", 1, [[0]]),
    "a second pass": ("a tensor", 1, [[0], [0]]),
    "a second pass over other outputs": ("several tensors", 3, [[0], [1, 2], [0, 1]]),
    "a second pass over nested checkpoints": ("nested", 1, [[0], [0]]),
}


def parts(observation: Any, *types: type) -> Any:
    """Return what a probe observed, if it has the form that the probe gives it."""
    whole = isinstance(observation, tuple) and len(observation) == len(types)
    assert whole and all(map(isinstance, observation, types)), "what the probe observed was tampered with"
    return observation


def returned_as_nine(probe: Probe, args: list[Tensor]) -> bool:
    """Tell whether each of the other values, tensors beside them, comes back in its place."""
    try:
        (found,) = probe.results("other values", [args], True)
    except StudentError:
        return False
    return isinstance(found, list | tuple) and len(found) == 9 and all(isinstance(found[i], Tensor) for i in (1, 7))


def works(call: Callable[..., Any], *args: Any) -> bool:
    """Tell whether a call of the submission's raises nothing."""
    try:
        call(*args)
    except StudentError:
        return False
    return True


@points(3)
@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "results of other operations"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def check_gradients(probe: Probe, rng: torch.Generator, dtype: torch.dtype, leaves: bool) -> None:
    """Every tensor argument gets its gradient: several inputs and outputs, nested checkpoints, a second pass."""

    def draw(*shape: int) -> Tensor:
        return uniform(rng, *shape, dtype=dtype)

    shape = (size(rng), size(rng))
    for case, (name, count, passes) in PASSES.items():
        args = [draw(*shape) for _ in range(3 if name == "one unused" else 2)]
        # That other values come out right is for `values` to judge; here only the gradients beside them are.
        if name == "other values" and not returned_as_nine(probe, args):
            continue
        vectors = [[draw(*shape) if place in used else None for place in range(count)] for used in passes]
        found = probe.gradients(name, args, {}, vectors, leaves)
        expected = [oracle_gradients(FUNCTIONS[name], args, {}, chosen) for chosen in vectors]
        assert_close(filled(found, expected), expected, what=f"the gradients, pass by pass, for {case}")

    args, kwargs, vector = [draw(*shape)], {"scale": draw(*shape), "shift": draw(*shape)}, draw(*shape)
    found = probe.gradients("by keyword", args, kwargs, [[vector]], leaves)
    expected = [oracle_gradients(FUNCTIONS["by keyword"], args, kwargs, [vector])]
    assert_close(filled(found, expected), expected, what="the gradients for keyword arguments")

    x, vector = draw(*shape), draw(*shape)
    (expected,) = oracle_gradients(lambda x: (x * x).tanh() * x, [x], {}, [vector])
    assert_close(probe.gradient_of_both(x, vector), expected, what="the gradient of a tensor that is passed twice")

    args, vector = [draw(*shape[::-1]).t(), draw(2 * shape[0], shape[1])[::2]], draw(*shape[::-1]).t()
    found = probe.gradients("a tensor", args, {}, [[vector]], leaves)
    expected = [oracle_gradients(FUNCTIONS["a tensor"], args, {}, [vector])]
    assert_close(filled(found, expected), expected, what="the gradients for transposed and strided arguments")

    if dtype == torch.float64 and leaves:
        inputs = [draw(2, 2).requires_grad_() for _ in range(3)]
        for name in ("a tensor", "several tensors", "nested"):
            tensors = inputs[:2]
            torch.autograd.gradcheck(lambda *t, name=name: probe.result(name, *t), tensors, rtol=1e-5, atol=1e-7)
        torch.autograd.gradcheck(
            lambda x, y, z: probe.result("by keyword", x, scale=y, shift=z), inputs, rtol=1e-5, atol=1e-7
        )


def oracle_parameter_gradients(how: str, x: Tensor, weights: list[Tensor], vector: Tensor) -> list[Tensor | None]:
    """Return the gradients of the parameters of the module in probes.py, without a checkpoint."""
    first, second, bias = (weight.detach().requires_grad_() for weight in weights)

    def net(x: Tensor) -> Tensor:
        return (x @ first).tanh() @ second + bias

    y = net(x).sin()
    total = {"accumulated": 2 * y, "shared": y * y, "outside": y * net(x)}.get(how, y)
    gradients = torch.autograd.grad(total, [first, second, bias], vector)
    return [*gradients[:2], None if how == "frozen" else gradients[2]]


@points(2)
@pytest.mark.parametrize("how", ["once", "shared", "outside", "accumulated", "frozen"])
@pytest.mark.parametrize("needs_grad", [True, False], ids=["the argument requires grad", "no argument does"])
def check_parameters(probe: Probe, rng: torch.Generator, needs_grad: bool, how: str) -> None:
    """Parameters of modules that fn closes over get their gradients, whatever the arguments need."""
    rows, width, hidden = size(rng), size(rng), size(rng)
    weights = [normal(rng, width, hidden), normal(rng, hidden, 3), normal(rng, 3)]
    x, vector = normal(rng, rows, width), normal(rng, rows, 3)

    found = probe.parameter_gradients(how, x, needs_grad, weights, vector)

    expected = oracle_parameter_gradients(how, x, weights, vector)
    assert_close(found, expected, what="the gradients of the parameters")


def oracle_random_numbers(how: str, x: Tensor, seed: int) -> tuple[list[list[Tensor]], list[Tensor]]:
    """Return what one call of each function draws, and what the program draws, where nothing is checkpointed."""
    stream: list[Tensor] = []

    def draw() -> list[Tensor]:
        return [F.dropout(torch.ones_like(x), 0.4), torch.rand(x.shape)]

    def look() -> None:
        stream.extend([torch.rand(3), torch.rand(3, device=x.device)])

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        draws = [draw() for _ in range(2 if how in ("chain", "nested") else 1)]
        look()
        if how == "reseeded":
            torch.manual_seed(seed + 1)
        look()
        if how == "kept":
            look()
    return draws, stream


@points(3)
@pytest.mark.parametrize("how", ["plain", "chain", "nested", "reseeded", "kept"])
def check_rng(probe: Probe, rng: torch.Generator, device: torch.device, how: str) -> None:
    """Dropout is the same in the recomputation, and the program's random numbers are as if nothing had happened."""
    x = normal(rng, size(rng, 4, 8), size(rng, 4, 8), dtype=torch.float32).to(device)
    seed = int(torch.randint(0, 2**31, (), generator=rng))

    draws, stream = parts(probe.random_numbers(how, x, seed), list, list)

    expected_draws, expected_stream = oracle_random_numbers(how, x, seed)
    for calls, expected in zip(draws, expected_draws, strict=False):
        assert isinstance(calls, list) and calls, "the function was never called"
        assert_close(calls[0], expected, rtol=0, atol=0, what="what forward drew")
        for drawn in calls[1:]:
            assert_close(drawn, expected, rtol=0, atol=0, what="what the recomputation drew")
    which = "what the program drew, first after forward, then after backward,"
    assert_close(stream, expected_stream, rtol=0, atol=0, what=which)


@points(2)
@pytest.mark.parametrize("by_grad", [False, True], ids=["backward", "torch.autograd.grad"])
@pytest.mark.parametrize(
    ("outputs", "passes"),
    [
        *((1, [[0]]), (1, [[0], [0]])),
        *((3, [[0]]), (3, [[2]]), (3, [[0, 1, 2]]), (3, [[0, 1, 2], [0, 1, 2]]), (3, [[1], [0, 2], [0, 1, 2]])),
    ],
    ids=str,
)
def check_calls(probe: Probe, rng: torch.Generator, outputs: int, passes: list[list[int]], by_grad: bool) -> None:
    """Forward calls fn once, the first backward pass once more, and each later pass at most once more."""
    shape = (size(rng), size(rng))

    counts = probe.calls(normal(rng, *shape), normal(rng, *shape), outputs, passes, by_grad)

    parts(tuple(counts), *[int] * len(counts))
    assert counts or outputs > 1, "what the probe observed was tampered with"
    for count in counts[:1]:
        assert count == 1, f"forward called the function {count} times; expected once"
    again = [after - before for before, after in pairwise(counts)]
    for count in again[:1]:
        assert count == 1, f"the first backward pass called the function {count} times; expected once"
    for number, count in enumerate(again[1:], start=2):
        assert count <= 1, f"backward pass {number} called the function {count} times; expected at most once"


def stack_inputs(
    rng: torch.Generator, blocks: int, rows: int, width: int, device: torch.device | str = "cpu"
) -> tuple[Tensor, list[Tensor], list[int], Tensor]:
    """Draw input, weights, an element to watch, and what backward starts from, for the stack in probes.py."""
    hidden = 4 * width

    def draw(*shape: int) -> Tensor:
        return normal(rng, *shape, dtype=torch.float32)

    weights = [
        draw(blocks, hidden, width) / width**0.5,
        draw(blocks, width, hidden) / hidden**0.5,
        0.5 + torch.rand(blocks, width, generator=rng),
    ]
    place = [size(rng, 0, rows - 1), size(rng, 0, width - 1)]
    x, vector = draw(rows, width), draw(rows, width)
    return x.to(device), [weight.to(device) for weight in weights], place, vector.to(device)


def oracle_stack(x: Tensor, weights: list[Tensor]) -> Tensor:
    """Return what the stack in probes.py computes."""
    for up, down, gain in zip(*weights, strict=True):
        x = x + F.linear(F.gelu(F.linear(F.layer_norm(x, x.shape[-1:]), up)), down) * gain
    return x


def oracle_stack_run(x: Tensor, weights: list[Tensor], vector: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the stack's output, and the gradients of its input and of each block's first weight."""
    x, ups = x.detach().requires_grad_(), [up.detach().requires_grad_() for up in weights[0]]
    y = oracle_stack(x, [ups, *weights[1:]])
    return y.detach(), list(torch.autograd.grad(y, [x, *ups], vector))


def near(actual: object, expected: Tensor) -> bool:
    """Tell what was computed from what was left out; rounding is for others to judge."""
    shaped = isinstance(actual, Tensor) and actual.shape == expected.shape and actual.dtype == expected.dtype
    return shaped and torch.allclose(actual, expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


def assert_stack(actual: object, expected: Tensor) -> None:
    """Assert that a stack's output is right, with room for the rounding of many blocks in float32."""
    assert_close(actual, expected, rtol=1e-5, atol=1e-4, what="the output of the stack")


def right_when_small(probe: Probe, rng: torch.Generator) -> bool:
    """Tell whether the gradients of a small stack are right."""
    x, weights, place, vector = stack_inputs(rng, blocks=2, rows=5, width=8)
    try:
        _, found, _ = parts(probe.stack(x, weights, place, vector), Tensor, list, list)
    except StudentError:
        return False
    return all(map(near, found, oracle_stack_run(x, weights, vector)[1]))


@points(4)
def check_memory(probe: Probe, memory: Memory, credit: Credit, rng: torch.Generator) -> None:
    """A deep stack keeps at most 40 % of the memory between forward and backward."""
    x, weights, place, vector = stack_inputs(rng, blocks=12, rows=8192 + 16 * size(rng, 0, 16), width=64)
    forward, backward = (x, weights, place, None), (None, None, None, vector)

    baseline_bytes = memory.kept("half_of_stack", *forward, module="baseline")
    student_bytes = memory.kept("half_of_stack", *forward)

    assert_stack(memory.result, oracle_stack(x, weights))
    # A wrong gradient costs `gradients`, not this check. A right one that is left out in deep stacks costs this one:
    # once more the same forward, in a worker that is just the same until then, and now its backward.
    if right_when_small(probe, rng):
        memory.kept("half_of_stack", *backward, warm_up=forward)
        gradient, rows = memory.result, torch.randint(0, len(x), (16,), generator=rng)
        _, (expected, *_) = oracle_stack_run(x[rows], weights, vector[rows])
        whole = isinstance(gradient, Tensor) and gradient.shape == x.shape
        assert whole and near(gradient[rows], expected), "the gradient of the deep stack was not computed"
    share = student_bytes / baseline_bytes
    text = (
        f"{student_bytes / MIB:.0f} MiB stay between forward and backward, {share:.0%} of the "
        f"{baseline_bytes / MIB:.0f} MiB without checkpointing; at most 40 % may"
    )
    credit.at_most(share, 0.4, name="memory", text=text)


@points(1, needs="any")
def check_own_work(probe: Probe, rng: torch.Generator) -> None:
    """Neither function calls torch.utils.checkpoint or its private parts."""
    x, y = normal(rng, 3, 4), normal(rng, 3, 4)
    probe.result("a tensor", x, y)

    # That all of this works is for other checks to judge.
    for name, (function, count, passes) in PASSES.items():
        vectors = [[y if place in used else None for place in range(count)] for used in passes]
        works(probe.gradients, function, [x, y, x][: 3 if name == "an unused argument" else 2], {}, vectors, True)
    works(probe.gradients, "by keyword", [x], {"scale": y, "shift": y}, [[y]], True)
    for needs_grad in (True, False):
        works(probe.results, "other values", [[x, y]], needs_grad)
        works(probe.parameter_gradients, "once", x, needs_grad, [y.t(), y, y[0]], y)
    for how in ("plain", "nested"):
        works(probe.random_numbers, how, x, 0)
    works(probe.in_other_modes, x)
    works(probe.in_segments, x)
    right_when_small(probe, rng)


BLOCKS = 6
LEAST_RATIO = 1.1  # one more forward makes 1.33, somewhat less where a recomputation stops early and memory is slow


def repeated(notes: Any) -> bool:
    """Tell whether a block came past its note again, with the same numbers."""
    if not isinstance(notes, list) or len(notes) < 2 or not all(isinstance(note, float) for note in notes):
        return False
    return all(abs(note - notes[0]) <= 1e-4 * (1 + abs(notes[0])) for note in notes)


@points(2)
def check_speed(probe: Probe, speed: Speed, rng: torch.Generator, device: torch.device) -> None:
    """Forward and backward of a deep stack cost little more than the one forward that is repeated."""
    judge_gradients = right_when_small(probe, rng)
    rows, width = (256, 128) if device.type == "cpu" else (16384, 256)  # enough work to outweigh the launches

    def inputs() -> tuple[Any, ...]:
        return stack_inputs(rng, BLOCKS, rows, width, device)

    def expected(x: Tensor, weights: list[Tensor], place: list[int], vector: Tensor) -> tuple[Tensor, list[Tensor]]:
        return oracle_stack_run(x, weights, vector)

    def compare(actual: Any, expected: tuple[Tensor, list[Tensor]]) -> None:
        output, gradients, notes = parts(actual, Tensor, list, list)
        assert_stack(output, expected[0])
        assert len(notes) == BLOCKS and all(map(repeated, notes)), "a timed run did not compute each block once more"
        # A wrong gradient costs `gradients`, not this check. A right one that is left out on the clock costs this one.
        if judge_gradients:
            assert all(map(near, gradients, expected[1])), "the timed backward did not compute the gradients"

    ratio = speed("stack", inputs, expected, compare=compare)
    # Who computes no gradients of the weights saves as much as the one more forward costs.
    enough = ratio.high >= LEAST_RATIO or not judge_gradients
    assert enough, f"took {ratio.ratio:.3g} times the baseline: too little for one more forward"
