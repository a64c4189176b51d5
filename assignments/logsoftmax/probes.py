"""What the checks of log_softmax observe beside the submission. Nothing here knows a right answer."""

from types import ModuleType
from typing import Any

import torch

_grad = torch.autograd.grad
_Function = torch.autograd.Function


def results(submission: ModuleType, inputs: list[torch.Tensor], dim: int) -> list[torch.Tensor]:
    """Call log_softmax on each of the inputs, and only then look at the results."""
    return [submission.log_softmax(x, dim) for x in inputs]


def is_function(submission: ModuleType) -> bool:
    """Tell whether `LogSoftmax` is a class derived from torch.autograd.Function."""
    return isinstance(submission.LogSoftmax, type) and issubclass(submission.LogSoftmax, _Function)


def graph(submission: ModuleType, x: torch.Tensor, dim: int) -> list[str]:
    """List the nodes that lie between the result of log_softmax and its input, `LogSoftmax`'s own as "LogSoftmax"."""
    own = submission.LogSoftmax._backward_cls  # the node class that autograd makes for each Function
    seen: dict[Any, str] = {}
    waiting = [submission.log_softmax(x.detach().requires_grad_(), dim).grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen[node] = "LogSoftmax" if type(node) is own else type(node).__name__
        waiting += [parent for parent, _ in node.next_functions]
    return list(seen.values())


def gradient(
    submission: ModuleType, x: torch.Tensor, dim: int, grad_output: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the gradient of `LogSoftmax.apply` with respect to `x`, and `grad_output` as backward left it."""
    x = x.detach().requires_grad_()
    (result,) = _grad(submission.LogSoftmax.apply(x, dim), x, grad_output)
    return result, grad_output


def forward_backward(
    submission: ModuleType, x: torch.Tensor, grad_output: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return log_softmax of `x` along its last dimension, and the gradient."""
    x.requires_grad_()
    y = submission.log_softmax(x, -1)
    (result,) = _grad(y, x, grad_output)
    return y, result
