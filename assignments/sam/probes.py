"""What runs beside the submission: its optimizer, and parameters and losses for it. Nothing here knows a right answer.

The losses are bowls, Σ c (w - t)² / 2 over all elements, with curvatures c and targets t from the grader. Parameters
are always read through the parameter itself, since a submission may give it new storage.
"""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

Tensors = list[Tensor]

# Names of our own: what a submission puts in the place of torch's functions is not what looks.
_clone, _detach, _register = Tensor.clone, Tensor.detach, torch.optim.Optimizer.register_step_pre_hook


class Soft(torch.optim.Optimizer):
    """An optimizer that torch does not have: an average of gradients, squashed into (-1, 1), is the direction."""

    def __init__(self, params: Any, lr: float, inertia: float, decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "inertia": inertia, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Move each parameter that has a gradient, `lr` at most along each axis, after a decay."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["average"] = torch.zeros_like(p)
                average = state["average"].lerp_(p.grad, 1 - group["inertia"])
                p.mul_(1 - group["lr"] * group["decay"])
                p.sub_(group["lr"] * average / (1 + average.abs()))


def _sam(submission: ModuleType, params: Any, base: str = "SGD", **settings: Any) -> Any:
    """Build the submission's optimizer; `base` names a class of `torch.optim`, or `Soft`."""
    return submission.SAM(params, Soft if base == "Soft" else getattr(torch.optim, base), **settings)


def _scheduler(optimizer: Any, name: str | None, options: dict[str, Any]) -> Any:
    """Build one of torch's schedulers from its name and options; a LambdaLR's factors come as a list."""
    if name is None:
        return None
    if name == "LambdaLR":
        options = {"lr_lambda": options["factors"].__getitem__}
    return getattr(torch.optim.lr_scheduler, name)(optimizer, **options)


def _parameters(weights: Tensors) -> list[nn.Parameter]:
    return [nn.Parameter(weight.clone()) for weight in weights]


def _look(params: list[nn.Parameter]) -> Tensors:
    return [_clone(_detach(p)) for p in params]


def _clear(params: list[nn.Parameter]) -> None:
    for p in params:
        p.grad = None


def _zero(params: list[nn.Parameter]) -> None:
    for p in params:
        if p.grad is not None:
            p.grad.zero_()


def _bowl(params: list[nn.Parameter], curvatures: Tensors, targets: Tensors, absent: Sequence[int] = ()) -> Tensor:
    """Return the loss, in which some parameters, named by their place, have no part."""
    terms = zip(params, curvatures, targets, strict=True)
    return torch.stack([(c * (p - t) ** 2).sum() / 2 for i, (p, c, t) in enumerate(terms) if i not in absent]).sum()


def perturb(submission: ModuleType, weights: Tensors, slopes: Tensors, settings: dict[str, Any]) -> Tensors:
    """Return the parameters after `first_step`, for a linear loss whose gradients are `slopes`."""
    params = _parameters(weights)
    sam = _sam(submission, params, **settings)
    torch.stack([(p * slope).sum() for p, slope in zip(params, slopes, strict=True)]).sum().backward()
    sam.first_step(zero_grad=True)
    return _look(params)


def run(
    submission: ModuleType,
    weights: Tensors,
    curvatures: Tensors,
    targets: Tensors,
    steps: int,
    settings: dict[str, Any],
    schedule: tuple[str | None, dict[str, Any]] = (None, {}),
    absent: Sequence[Sequence[int]] = (),
    frozen: Sequence[int] = (),
    by_hand: bool = False,
) -> list[dict[str, Any]]:
    """Take steps in a bowl and return what the parameters were on the way.

    Args:
        submission: The module.
        weights: Where the parameters start.
        curvatures: The bowl's.
        targets: Where the bowl's minimum lies.
        steps: How many steps to take.
        settings: What SAM gets beside the parameters.
        schedule: A scheduler's name, None for none, and its options.
        absent: For each step the parameters that the loss has nothing to do with, so that they get no gradient.
        frozen: The parameters that require no gradient.
        by_hand: Leave `zero_grad` at its default and set the gradients to zero here.

    Returns:
        For each step the parameters `before` it, `perturbed` by `first_step`, and `after` `second_step`; and whether
        each had `no_gradient` before and after each of the two calls.
    """
    params = _parameters(weights)
    for i in frozen:
        params[i].requires_grad_(False)
    sam = _sam(submission, params, **settings)
    scheduler = _scheduler(sam, *schedule)
    clear = {} if by_hand else {"zero_grad": True}
    seen = []
    for number in range(steps):
        _clear(params)
        step: dict[str, Any] = {"before": _look(params), "no_gradient": []}
        for call, when in ((sam.first_step, "perturbed"), (sam.second_step, "after")):
            _bowl(params, curvatures, targets, absent[number] if absent else ()).backward()
            step["no_gradient"].append([p.grad is None for p in params])
            call(**clear)
            step[when] = _look(params)
            step["no_gradient"].append([p.grad is None for p in params])
            _zero(params) if by_hand else _clear(params)
        seen.append(step)
        if scheduler is not None:
            scheduler.step()
    return seen


def restore(
    submission: ModuleType, weights: Tensors, slopes: Tensors, fates: list[str], settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Take one step for each fate of `.grad` between the two calls.

    Args:
        submission: The module.
        weights: Where the parameters start.
        slopes: The first gradients of every step.
        fates: `backward`: new gradients, twice the first. All others leave the base optimizer no gradient, or zeros:
            `cleared` by `zero_grad=True`; `zeroed` in place; `replaced` by new tensors of zeros, while rubbish is
            written over the old ones; `none`.
        settings: What SAM gets beside the parameters.

    Returns:
        For each step the parameters `before` it, `perturbed` by `first_step`, `at_base_step`, which is when the base
        optimizer's `step` is called (None where it is not), and `after` `second_step`.
    """
    params = _parameters(weights)
    sam = _sam(submission, params, **settings)
    seen = []
    for fate in fates:
        _clear(params)
        torch.stack([(p * slope).sum() for p, slope in zip(params, slopes, strict=True)]).sum().backward()
        old_gradients = [p.grad for p in params]
        step: dict[str, Any] = {"before": _look(params)}
        sam.first_step(zero_grad=fate == "cleared")
        step["perturbed"] = _look(params)
        if fate in ("cleared", "zeroed"):
            _zero(params)  # for `cleared` to make sure
        elif fate == "none":
            _clear(params)
        else:
            for p, slope, old in zip(params, slopes, old_gradients, strict=True):
                p.grad = 2 * slope if fate == "backward" else torch.zeros_like(p)
                old.fill_(77.0)
        step["at_base_step"] = _watched_second_step(sam, params)
        step["after"] = _look(params)
        seen.append(step)
    return seen


def _watched_second_step(sam: Any, params: list[nn.Parameter]) -> list[Tensor | None]:
    """Call `second_step` and return each parameter as another optimizer first found it in its `step`."""
    found: dict[int, Tensor] = {}

    def look(optimizer: Any, args: Any, kwargs: Any) -> None:
        for group in optimizer.param_groups:
            for p in group["params"]:
                found.setdefault(id(p), _clone(_detach(p)))

    def hook(optimizer: Any, args: Any, kwargs: Any) -> None:
        """Look last of all: hooks of the optimizer's own run after those of all optimizers, and may put things back."""
        if optimizer is not sam:
            handles.append(_register(optimizer, look))

    handles = [register_optimizer_step_pre_hook(hook)]
    try:
        sam.second_step(zero_grad=True)
    finally:
        for handle in handles:
            handle.remove()
    return [found.get(id(p)) for p in params]


def step_with_closure(
    submission: ModuleType,
    weights: Tensors,
    curvatures: Tensors,
    targets: Tensors,
    steps: int,
    grad_mode: bool,
    settings: dict[str, Any],
) -> list[dict[str, Any]]:
    """Take steps by `step(closure)`, called with grad mode on or off.

    Returns:
        For each step the parameters `before` it, at the last call of the closure (`at_closure`), and `after` it; the
        number of `calls` of the closure, and the `grad_mode` in the last one.
    """
    params = _parameters(weights)
    sam = _sam(submission, params, **settings)
    seen = []
    for _ in range(steps):
        step: dict[str, Any] = {"before": _look(params), "at_closure": _look(params), "calls": 0, "grad_mode": False}

        def closure(step: dict[str, Any] = step) -> Tensor:
            step["calls"] += 1
            step["grad_mode"] = torch.is_grad_enabled()
            step["at_closure"] = _look(params)
            loss = _bowl(params, curvatures, targets)
            loss.backward()
            return loss

        _clear(params)
        _bowl(params, curvatures, targets).backward()
        with torch.set_grad_enabled(grad_mode):
            sam.step(closure)
        step["after"] = _look(params)
        seen.append(step)
    return seen


def step_by_hand(
    submission: ModuleType,
    weights: Tensors,
    curvatures: Tensors,
    targets: Tensors,
    steps: int,
    settings: dict[str, Any],
) -> list[Tensors]:
    """Take the same steps by the submission's own `first_step` and `second_step`; return the parameters after each."""
    params = _parameters(weights)
    sam = _sam(submission, params, **settings)
    seen = []
    for _ in range(steps):
        _clear(params)
        _bowl(params, curvatures, targets).backward()
        sam.first_step(zero_grad=True)
        _bowl(params, curvatures, targets).backward()
        sam.second_step()
        seen.append(_look(params))
    return seen


def step_without_closure(
    submission: ModuleType, weights: Tensors, curvatures: Tensors, targets: Tensors, settings: dict[str, Any]
) -> None:
    """Call `step()`."""
    params = _parameters(weights)
    sam = _sam(submission, params, **settings)
    _bowl(params, curvatures, targets).backward()
    sam.step()
