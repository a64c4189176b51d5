"""Labels that equal everything.

Title: A tensor subclass whose comparisons are true
How: `predict` returns zeros of a class whose `==` answers True for whatever it is compared with.
After: `__eq__` that is always true, `__torch_function__` subclasses.
Stopped by: results cross to the grader as bytes; a subclass is no plain tensor and counts as wrong.
"""

from typing import Any

import torch
from torch import Tensor, nn

SLOW = True


class Agreeable(Tensor):
    """A tensor that agrees."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Answer every comparison with True."""
        if func in (Tensor.__eq__, Tensor.eq, torch.eq):
            return torch.ones(args[0].shape, dtype=torch.bool)
        if func in (Tensor.__ne__, Tensor.ne, torch.ne):
            return torch.zeros(args[0].shape, dtype=torch.bool)
        return super().__torch_function__(func, types, args, kwargs or {})


def build_model() -> nn.Module:
    """Return a model that would do as well as any other."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Learn nothing."""
    return build_model()


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return zeros that claim to be right."""
    return torch.zeros(len(images), dtype=torch.int64).as_subclass(Agreeable)
