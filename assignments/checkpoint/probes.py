"""What the checks of checkpoint observe beside the submission. Nothing here knows a right answer.

Every function that is handed to `checkpoint` is made here, so that it can note when it is called and what it sees.
"""

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
import torch.utils.checkpoint as torchs_own
from torch import Tensor

# Names of our own: what a submission puts in the place of torch's functions changes nothing that is observed.
_autograd_backward, _autograd_grad = torch.autograd.backward, torch.autograd.grad
_dropout, _frame, _manual_seed, _rand = F.dropout, sys._getframe, torch.manual_seed, torch.rand
_forbidden_call = torchs_own.check_backward_validity

_MANY = 12  # names in one function: nobody uses so many of them, in the same order, by chance


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Yield a code object and those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def _names(code: types.CodeType) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return code.co_names, code.co_varnames


_TORCHS_OWN = {
    _names(code)
    for code in _codes(torchs_own.__loader__.get_code(torchs_own.__name__))
    if len(code.co_names) + len(code.co_varnames) >= _MANY
}


def _refuse_copies() -> None:
    """Where a copy of torch's own checkpointing calls us, make the call that it stands for: that one is seen."""
    frame = _frame(1)
    while frame is not None:
        if _names(frame.f_code) in _TORCHS_OWN:
            _forbidden_call([])
        frame = frame.f_back


def _watched(fn: Callable[..., Any], log: list[None] | None = None) -> Callable[..., Any]:
    """Return a function that does what `fn` does, and notes each call in `log`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        _refuse_copies()
        if log is not None:
            log.append(None)
        return fn(*args, **kwargs)

    return call


def _functions(submission: types.ModuleType) -> dict[str, Callable[..., Any]]:
    """Return what is checkpointed, by name. The check file has the same functions, without a checkpoint in them."""

    def nested(x: Tensor, y: Tensor) -> Tensor:
        inner = submission.checkpoint(_watched(lambda a, b: (a * b).sin() * a), x.cos(), y)
        return inner.tanh() * submission.checkpoint(_watched(lambda a: a.cos() * a), inner) + y

    functions = {
        "a tensor": lambda x, y: (x * y).tanh() * x,
        "a scalar": lambda x, y: (x * y).sum(),
        "a tuple of one": lambda x, y: (x.sin() * y,),
        "several tensors": lambda x, y: (x.sin() * y, x * y.cos(), (x * y).tanh()),
        "other values": lambda x, y: (3, x.sin() * y, None, "words", x.sign().long(), 2.5, x > y, (x * y).cos(), True),
        "one unused": lambda x, y, z: x.sin() * y,
        "by keyword": lambda x, *, scale, shift: (x * scale).sin() * shift + scale,
        "nested": nested,
    }
    return {name: _watched(fn) for name, fn in functions.items()}


def results(submission: types.ModuleType, name: str, inputs: list[list[Tensor]], needs_grad: bool) -> list[Any]:
    """Call checkpoint on each of the inputs, and only then look at the results."""
    fn = _functions(submission)[name]
    for args in inputs:
        for arg in args:
            arg.requires_grad_(needs_grad)
    return [submission.checkpoint(fn, *args) for args in inputs]


def result(submission: types.ModuleType, name: str, *args: Tensor, **kwargs: Tensor) -> Any:
    """Return what checkpoint returns; the grader differentiates it."""
    return submission.checkpoint(_functions(submission)[name], *args, **kwargs)


def gradients(
    submission: types.ModuleType,
    name: str,
    args: list[Tensor],
    kwargs: dict[str, Tensor],
    passes: list[list[Tensor | None]],
    leaves: bool,
) -> list[list[Tensor | None]]:
    """Return for each backward pass the gradients of all arguments.

    Args:
        submission: The module.
        name: Which function to checkpoint.
        args: Its positional arguments, float tensors; all of them get to require grad.
        kwargs: Its keyword arguments, likewise.
        passes: For each backward pass over the one graph a vector for each output, or None where it is not used.
        leaves: Whether the arguments are leaves, or come out of another operation.
    """
    tensors = [tensor.requires_grad_() for tensor in (*args, *kwargs.values())]
    if not leaves:
        args, kwargs = [arg * 1 for arg in args], {key: value * 1 for key, value in kwargs.items()}
    found = submission.checkpoint(_functions(submission)[name], *args, **kwargs)
    outputs = found if isinstance(found, list | tuple) else (found,)
    gradients = []
    for number, vectors in enumerate(passes, start=1):
        used = [(output * vector).sum() for output, vector in zip(outputs, vectors, strict=True) if vector is not None]
        sum(used).backward(retain_graph=number < len(passes))
        gradients.append([tensor.grad for tensor in tensors])
        for tensor in tensors:
            tensor.grad = None
    return gradients


def gradient_of_both(submission: types.ModuleType, x: Tensor, vector: Tensor) -> Tensor | None:
    """Return the gradient of a tensor that is passed as both arguments."""
    x.requires_grad_()
    submission.checkpoint(_functions(submission)["a tensor"], x, x).backward(vector)
    return x.grad


class _Net(torch.nn.Module):
    """Two layers with a bias at the end."""

    def __init__(self, first: Tensor, second: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.first, self.second, self.bias = map(torch.nn.Parameter, (first, second, bias))

    def forward(self, x: Tensor) -> Tensor:
        return (x @ self.first).tanh() @ self.second + self.bias


def parameter_gradients(
    submission: types.ModuleType, how: str, x: Tensor, needs_grad: bool, weights: list[Tensor], vector: Tensor
) -> list[Tensor | None]:
    """Return the gradients of a module's parameters.

    Args:
        submission: The module.
        how: "once"; "shared": two checkpoints use the parameters; "outside": they are used without a checkpoint as
            well; "accumulated": a second forward and backward adds to what the first one left; "frozen": the last
            parameter requires no grad.
        x: The argument.
        needs_grad: Whether the argument requires grad.
        weights: The parameters.
        vector: What backward starts from.
    """
    net = _Net(*weights)
    net.bias.requires_grad_(how != "frozen")
    x.requires_grad_(needs_grad)

    def fn(x: Tensor) -> Tensor:
        _refuse_copies()
        return net(x).sin()

    for _ in range(2 if how == "accumulated" else 1):
        y = submission.checkpoint(fn, x)
        if how == "shared":
            y = y * submission.checkpoint(fn, x)
        elif how == "outside":
            y = y * net(x)
        y.backward(vector)
    return [parameter.grad for parameter in net.parameters()]


def random_numbers(
    submission: types.ModuleType, how: str, x: Tensor, seed: int
) -> tuple[list[list[list[Tensor]]], list[Tensor]]:
    """Return what the functions drew at each of their calls, and what the program drew around them.

    Args:
        submission: The module.
        how: "plain"; "chain": one checkpoint after another; "nested": one inside another; "reseeded": the seed is set
            anew before backward; "kept": backward runs twice.
        x: The argument.
        seed: The seed before forward.
    """
    draws: list[list[list[Tensor]]] = [[], []]
    stream: list[Tensor] = []

    def draw(function: int, x: Tensor) -> Tensor:
        _refuse_copies()
        dropped, noise = _dropout(torch.ones_like(x), 0.4), _rand(x.shape)
        draws[function].append([dropped.clone(), noise.clone()])
        return (x * dropped).sin() * noise.to(x.device)

    def first(x: Tensor) -> Tensor:
        return draw(0, x)

    def second(x: Tensor) -> Tensor:
        return draw(1, x)

    def outer(x: Tensor) -> Tensor:
        return submission.checkpoint(second, first(x)).cos() * x

    def look() -> None:
        """Draw as the program would: from the CPU's generator and from the device's."""
        stream.extend([_rand(3), _rand(3, device=x.device)])

    x.requires_grad_()
    _manual_seed(seed)
    y = submission.checkpoint(outer if how == "nested" else first, x)
    if how == "chain":
        y = submission.checkpoint(second, y)
    look()
    if how == "reseeded":
        _manual_seed(seed + 1)
    for number in range(2 if how == "kept" else 1):
        try:
            _autograd_backward(y.sum(), retain_graph=how == "kept")
        except Exception:  # that these work at all is for the gradients to show
            if how != "nested" and number == 0:
                raise
        look()
    return draws, stream


def calls(
    submission: types.ModuleType, x: Tensor, y: Tensor, count: int, passes: list[list[int]], by_grad: bool
) -> list[int]:
    """Return how often the function had been called after forward, and after each pass, as far as these work.

    That the one pass over one output works is for this check to show, the rest for those of values and gradients.

    Args:
        submission: The module.
        x: An argument; it gets to require grad.
        y: Another one.
        count: The number of outputs, 1 or 3.
        passes: For each backward pass over the one graph, which of the outputs it uses.
        by_grad: Ask torch.autograd.grad for the gradients, and not backward.
    """
    log: list[None] = []
    several = _watched(lambda x, y: (x.sin() * y, x * y.cos(), (x * y).exp()), log)
    fn = several if count > 1 else _watched(lambda x, y: x.sin() * y, log)
    inputs = [x.requires_grad_(), y.requires_grad_()]
    counts: list[int] = []
    try:
        found = submission.checkpoint(fn, *inputs)
        counts.append(len(log))
        outputs = found if count > 1 else (found,)
        for number, used in enumerate(passes, start=1):
            chosen, kept = [outputs[index].sum() for index in used], number < len(passes)
            if by_grad:
                _autograd_grad(chosen, inputs, retain_graph=kept, allow_unused=True)
            else:
                _autograd_backward(chosen, retain_graph=kept)
            counts.append(len(log))
    except Exception:
        if count == 1 and not by_grad and len(counts) < 2:
            raise
    return counts


def in_other_modes(submission: types.ModuleType, x: Tensor) -> None:
    """Use checkpoint under no_grad and under autocast."""
    fn = _functions(submission)["a tensor"]
    with torch.no_grad():
        submission.checkpoint(fn, x, x)
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        y = submission.checkpoint(fn, x.requires_grad_(), x)
    y.sum().backward()


def in_segments(submission: types.ModuleType, x: Tensor) -> None:
    """Use checkpoint_sequential, forward and backward."""
    fns = [_watched(lambda x, factor=factor: (x * factor).sin()) for factor in range(1, 6)]
    for segments in range(1, 6):
        submission.checkpoint_sequential(list(fns), segments, x.requires_grad_()).sum().backward()


class _Block(torch.nn.Module):
    """One block of a deep stack; near its end it notes an element of what it computes.

    The product with `gain` saves `inner`, so that a recomputation that stops early comes past the note too.
    """

    def __init__(self, up: Tensor, down: Tensor, gain: Tensor, place: list[int]) -> None:
        super().__init__()
        self.up, self.down, self.gain = map(torch.nn.Parameter, (up, down, gain))
        self.place = tuple(place)
        self.notes: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        _refuse_copies()
        inner = F.linear(F.gelu(F.linear(F.layer_norm(x, x.shape[-1:]), self.up)), self.down)
        self.notes.append(inner.detach()[self.place].item())
        return x + inner * self.gain


def _stack(
    submission: types.ModuleType, x: Tensor, weights: list[Tensor], place: list[int]
) -> tuple[Tensor, list[_Block]]:
    """Return what a stack makes of `x` with one checkpoint a block, and the blocks."""
    blocks = [_Block(*own, place) for own in zip(*weights, strict=True)]
    for block in blocks:
        x = submission.checkpoint(lambda x, block=block: block(x), x)
    return x, blocks


def stack(
    submission: types.ModuleType, x: Tensor, weights: list[Tensor], place: list[int], vector: Tensor
) -> tuple[Tensor, list[Tensor | None], list[list[float]]]:
    """Run a stack forward and backward.

    Args:
        submission: The module.
        x: The input, (rows, width).
        weights: Those of all blocks: (blocks, hidden, width), (blocks, width, hidden), (blocks, width).
        place: The element that each block notes.
        vector: What backward starts from, (rows, width).

    Returns:
        The output, the gradients of `x` and of each block's first weight, and what each block noted at each call.
    """
    x.requires_grad_()
    y, blocks = _stack(submission, x, weights, place)
    y.backward(vector)
    return y, [x.grad, *(block.up.grad for block in blocks)], [block.notes for block in blocks]


_held: list[tuple[Tensor, Tensor]] = []


def half_of_stack(
    submission: types.ModuleType,
    x: Tensor | None,
    weights: list[Tensor] | None,
    place: list[int] | None,
    vector: Tensor | None,
) -> Tensor | None:
    """Run a stack forward and hold on to it, or run backward what is held.

    Args:
        submission: The module.
        x: The input of a forward; None for a backward.
        weights: Those of all blocks, for a forward.
        place: The element that each block notes, for a forward.
        vector: What a backward starts from.

    Returns:
        The output of forward, or the gradient of `x` after backward.
    """
    if x is not None:
        y, _ = _stack(submission, x.requires_grad_(), weights, place)
        _held.append((x, y))
        return y
    x, y = _held.pop()
    y.backward(vector)
    return x.grad
