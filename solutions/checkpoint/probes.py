"""What the hidden checks of checkpoint observe beside the submission. Nothing here knows a right answer."""

import contextlib
import gc
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.utils.checkpoint as torchs_own
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef

# Names of our own: what a submission puts in the place of torch's functions changes nothing that is observed.
_autocast, _autograd_backward, _autograd_grad = torch.autocast, torch.autograd.backward, torch.autograd.grad
_autocast_dtype, _autocast_enabled = torch.get_autocast_dtype, torch.is_autocast_enabled
_collect, _grad_enabled, _no_grad, _ref = gc.collect, torch.is_grad_enabled, torch.no_grad, weakref.ref
_forbidden_call, _frame = torchs_own.check_backward_validity, sys._getframe

Seen = list[tuple[list[Any], list[list[Any]]]]

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


def _copy(value: Any) -> Any:
    return value.detach().clone() if isinstance(value, Tensor) else value


def _mix(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    """Compute something that depends on every tensor and number among the arguments, and on their places."""
    total: Any = 1.0
    for place, value in enumerate([*args, *(kwargs[name] for name in sorted(kwargs))], start=1):
        if isinstance(value, Tensor) and value.is_floating_point():
            total = total * (value * place).sin() + value
        elif isinstance(value, Tensor | int | float):
            total = total + value * place
    return total


def _state(tensors: list[Tensor]) -> list[list[Any]]:
    """Return of each tensor whether it requires grad, and its `.grad`."""
    return [[tensor.requires_grad, _copy(tensor.grad)] for tensor in tensors]


def passed_through(
    submission: types.ModuleType, args: list[Any], kwargs: dict[str, Any], wanted: list[int], grad: Tensor
) -> dict[str, Any]:
    """Pass all kinds of arguments through checkpoint, forward and backward.

    Args:
        submission: The module.
        args: The positional arguments.
        kwargs: The keyword arguments.
        wanted: The places of the positional arguments that get to require grad.
        grad: What the first of these has in its `.grad` beforehand.

    Returns:
        seen: what the function got at each call, its keyword arguments by name;
        before, forward, grad: the state of the caller's tensors before, after forward and after torch.autograd.grad;
        backward: their state after a forward and a backward that started without any `.grad`;
        gradients, plain: the gradients of the wanted arguments, and what they are where the function gets them alone.
    """
    seen: Seen = []
    for place in wanted:
        args[place].requires_grad_()
    args[wanted[0]].grad = grad.clone()
    inputs = [args[place] for place in wanted]
    tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]

    def fn(*args: Any, **kwargs: Any) -> Tensor:
        _refuse_copies()
        seen.append(([_copy(value) for value in args], [[name, _copy(kwargs[name])] for name in sorted(kwargs)]))
        return _mix(args, kwargs)

    def alone(*given: Tensor) -> Tensor:
        whole = list(args)
        for place, value in zip(wanted, given, strict=True):
            whole[place] = value
        return _mix(tuple(whole), kwargs)

    def backward(function: Callable[..., Tensor], *args: Any, **kwargs: Any) -> list[Tensor | None]:
        for tensor in inputs:
            tensor.grad = None
        _autograd_backward(submission.checkpoint(function, *args, **kwargs).sum())
        return [_copy(tensor.grad) for tensor in inputs]

    found: dict[str, Any] = {"before": _state(tensors)}
    loss = submission.checkpoint(fn, *args, **kwargs).sum()
    found["forward"] = _state(tensors)
    with contextlib.suppress(Exception):  # that this way to gradients works at all is for their own check to show
        _autograd_grad(loss, inputs, allow_unused=True)
    found["grad"] = _state(tensors)
    found["gradients"] = backward(fn, *args, **kwargs)
    found["backward"] = _state(tensors)
    found["seen"] = seen
    try:
        found["plain"] = backward(alone, *inputs)
    except Exception:  # noqa: BLE001  # that gradients come at all is for their own check to show
        found["plain"] = None
    return found


class _Thing:
    """An argument that is no tensor."""


def without_grad(submission: types.ModuleType, how: str, x: Tensor, scale: Tensor) -> dict[str, Any]:
    """Call checkpoint under no_grad.

    Args:
        submission: The module.
        how: "tensors": two by position; "a thing": an object beside them; "by keyword": the second tensor is.
        x: The first argument; it gets to require grad.
        scale: The second one.

    Returns:
        calls: how often the function ran; modes: the grad mode before, and after checkpoint; alive: which arguments,
        and then which of their memory, are still there when nobody but checkpoint could hold them; result.
    """
    calls: list[None] = []

    def fn(x: Tensor, scale: Tensor, thing: _Thing | None = None) -> Tensor:
        _refuse_copies()
        calls.append(None)
        return (x * scale).sin()

    with _no_grad():
        x, scale, thing = x.clone().requires_grad_(), scale.clone(), _Thing()
        arguments = [_ref(x), _ref(thing), _ref(scale)]
        memory = [StorageWeakRef(x.untyped_storage()), StorageWeakRef(scale.untyped_storage())]
        modes = [_grad_enabled()]
        if how == "by keyword":
            result = submission.checkpoint(fn, x, scale=scale)
        elif how == "a thing":
            result = submission.checkpoint(fn, x, scale, thing)
        else:
            result = submission.checkpoint(fn, x, scale)
        modes.append(_grad_enabled())
        del x, scale, thing
        _collect()
        alive = [reference() is not None for reference in arguments] + [not store.expired() for store in memory]
    return {"calls": len(calls), "modes": modes, "alive": alive, "result": result}


def grad_modes(submission: types.ModuleType, x: Tensor) -> list[bool]:
    """Return the grad mode after forward and after backward, where it was on before."""

    def fn(x: Tensor) -> Tensor:
        _refuse_copies()
        return x.sin() * x

    y = submission.checkpoint(fn, x.requires_grad_()).sum()
    modes = [_grad_enabled()]
    _autograd_backward(y)
    return [*modes, _grad_enabled()]


def autocast_states(
    submission: types.ModuleType, x: Tensor, w: Tensor, forward: torch.dtype | None, backward: torch.dtype | None
) -> list[torch.dtype | None]:
    """Return the dtype of autocast in each call of the function, None where autocast was off.

    Args:
        submission: The module.
        x: An argument; it gets to require grad.
        w: Another one.
        forward: The dtype of autocast around forward; None is off.
        backward: The dtype of autocast around backward.
    """
    kind = x.device.type
    seen: list[torch.dtype | None] = []

    def fn(x: Tensor, w: Tensor) -> Tensor:
        _refuse_copies()
        seen.append(_autocast_dtype(kind) if _autocast_enabled(kind) else None)
        return (x @ w).sin()

    def around(dtype: torch.dtype | None) -> Any:
        return _autocast(kind, enabled=False) if dtype is None else _autocast(kind, dtype=dtype)

    x.requires_grad_(), w.requires_grad_()
    with around(forward):
        y = submission.checkpoint(fn, x, w)
    loss = y.float().sum()
    with around(backward):
        _autograd_backward(loss)
    return seen


def sequential(
    submission: types.ModuleType, segments: int, x: Tensor, weights: list[Tensor], vector: Tensor
) -> dict[str, Any]:
    """Run checkpoint_sequential forward and backward.

    Args:
        submission: The module.
        segments: In how many runs; 0 stands for one call of checkpoint instead.
        x: The input; it gets to require grad.
        weights: One parameter for each function.
        vector: What backward starts from.

    Returns:
        result; gradient: that of `x`; parameters: those of the parameters; order: the places of the functions in the
        order in which backward called them; list_kept: whether the list is as it was.
    """
    order: list[int] = []
    parameters = [torch.nn.Parameter(weight) for weight in weights]

    def layer(place: int) -> Callable[[Tensor], Tensor]:
        def fn(x: Tensor) -> Tensor:
            _refuse_copies()
            order.append(place)
            return (x @ parameters[place]).sin() + x

        return fn

    def chain(x: Tensor) -> Tensor:
        for fn in fns:
            x = fn(x)
        return x

    fns = [layer(place) for place in range(len(weights))]
    given = list(fns)
    x.requires_grad_()
    y = submission.checkpoint_sequential(given, segments, x) if segments else submission.checkpoint(chain, x)
    order.clear()
    _autograd_backward(y, vector)
    return {
        "result": y,
        "gradient": x.grad,
        "parameters": [parameter.grad for parameter in parameters],
        "order": order,
        "list_kept": len(given) == len(fns) and all(map(lambda a, b: a is b, given, fns)),
    }
