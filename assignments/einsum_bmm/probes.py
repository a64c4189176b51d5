"""What the checks of einsum_bmm observe beside the submission. Nothing here knows a right answer."""

import warnings
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_einsum = torch.ops.aten.einsum.default
_library = torch.library._scoped_library

_FEW = 3  # so many known numbers in one ratio are no accident
_ROUNDING = 4e-6


def results(submission: ModuleType, name: str, calls: list[list[torch.Tensor]]) -> list[torch.Tensor]:
    """Call a function on each of several inputs, and only then look at the results."""
    function = getattr(submission, name)
    return [function(*inputs) for inputs in calls]


class Exchange(TorchFunctionMode):
    """Puts other numbers into the operands of einsum, wherever numbers stand that are known by sight.

    What is computed by einsum then follows the new numbers, on whatever way and in however many steps; what is
    computed beside it goes on with the old ones. Operands may have been cut, moved, cast, mixed with other numbers,
    or multiplied by a constant; what they hold beside the known numbers stays as it is.
    """

    def __init__(self, shown: Sequence[torch.Tensor], true: Sequence[torch.Tensor], least: int) -> None:
        """Learn the numbers.

        Args:
            shown: The tensors that the submission gets; no number occurs twice.
            true: What takes their places.
            least: Operands with fewer elements stay as they are.

        """
        super().__init__()
        self.shown = torch.cat([tensor.flatten() for tensor in shown]).double()
        self.true = torch.cat([tensor.flatten() for tensor in true]).double()
        self.least = least

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """See calls of einsum, those under torch.vmap included."""
        if getattr(func, "__name__", "").partition(".")[0] == "einsum":
            args = self.exchanged(args)
        return func(*args, **(kwargs or {}))

    def kernel(self, equation: str, tensors: list[torch.Tensor], *, path: list[int] | None = None) -> torch.Tensor:
        """Stand in for einsum in the dispatcher: it sees other threads, TorchScript and every alias."""
        return _einsum.decompose(equation, self.exchanged(tensors), path=path)

    def exchanged(self, value: Any) -> Any:
        """Return a value with new numbers in the tensors in it."""
        if isinstance(value, list | tuple):
            return type(value)(self.exchanged(item) for item in value)
        if isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel() >= max(1, self.least):
            return self.renumbered(value)
        return value

    def renumbered(self, operand: torch.Tensor) -> torch.Tensor:
        """Return an operand with new numbers where it holds known ones; free of branches, for torch.vmap's sake."""
        numbers = operand.detach().double().reshape(-1, 1)
        hits = numbers == self.shown
        answer = torch.where(hits.any(1), (hits * self.true).sum(1), numbers[:, 0])
        if operand.numel() >= _FEW:
            # The known numbers may all have been multiplied by one factor: the ratio that most elements share.
            ratios = (numbers / self.shown).flatten().sort().values
            count = max(_FEW, operand.numel() // 2)
            spread = (ratios[count - 1 :] - ratios[: 1 - count]) / ratios[count - 1 :].abs().clamp(min=_ROUNDING)
            factor = ratios.gather(0, spread.argmin().reshape(1))
            near = (numbers / factor - self.shown).abs() <= _ROUNDING * self.shown.abs()
            certain = (near.any(1).sum() >= count) & (near.any(0).sum() >= _FEW) & ~hits.any()
            scaled = torch.where(near.any(1), factor * (near * self.true).sum(1), numbers[:, 0])
            answer = torch.where(certain, scaled, answer)
        return answer.reshape(operand.shape).to(operand.dtype)


def exchanged(
    submission: ModuleType, name: str, shown: list[torch.Tensor], true: list[torch.Tensor], least: int
) -> list[torch.Tensor]:
    """Return what a function makes of `shown`, of `true`, and of `shown` where einsum gets `true` in its place.

    Args:
        submission: the module
        name: the function in it
        shown: tensors in which no number occurs twice
        true: tensors of the same shapes
        least: operands of einsum with fewer elements keep their numbers

    """
    function: Callable[..., torch.Tensor] = getattr(submission, name)
    exchange = Exchange(shown, true, least)
    found = [_plain(function(*_copies(shown))), _plain(function(*_copies(true)))]
    with _library("aten", "IMPL") as library, exchange:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a kernel is overridden is the purpose
            library.impl("einsum", exchange.kernel, "CPU")
        return [*found, _plain(function(*_copies(shown)))]


def _copies(tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in tensors]


def _plain(result: Any) -> torch.Tensor:
    """Return a copy of a result, of a list's or tuple's items in one row; its type is for other checks to judge."""
    if isinstance(result, list | tuple):
        return torch.cat([_plain(item).flatten() for item in result])
    if isinstance(result, torch.Tensor):
        return result.detach().as_subclass(torch.Tensor).clone()
    return torch.tensor(result)
