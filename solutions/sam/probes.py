"""What the hidden checks of SAM run beside the submission. Nothing here knows a right answer.

The losses are those of the public probes, a small network, and a valley. Parameters are always read through the
parameter itself, since a submission may give it new storage.
"""

import io
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

Tensors = list[Tensor]

# Names of our own: what a submission puts in the place of torch's functions is not what looks.
_clone, _detach = Tensor.clone, Tensor.detach


def _parameters(weights: Tensors) -> list[nn.Parameter]:
    return [nn.Parameter(weight.clone()) for weight in weights]


def _look(params: list[nn.Parameter]) -> Tensors:
    return [_clone(_detach(p)) for p in params]


def _clear(params: list[nn.Parameter]) -> None:
    for p in params:
        p.grad = None


def _bowl(params: list[nn.Parameter], curvatures: Tensors, targets: Tensors) -> Tensor:
    terms = [(c * (p - t) ** 2).sum() / 2 for p, c, t in zip(params, curvatures, targets, strict=True)]
    return torch.stack(terms).sum()


def train_network(
    submission: ModuleType, weights: Tensors, x: Tensor, y: Tensor, steps: int, by_hand: bool, settings: dict[str, Any]
) -> dict[str, Any]:
    """Train a network of tanh layers with SAM over SGD.

    Args:
        submission: The module.
        weights: The layers' matrices and biases in turn.
        x: Inputs.
        y: Targets of the mean squared error.
        steps: How many steps to take.
        by_hand: Leave `zero_grad` at its default and clear the gradients here; else leave clearing to SAM.
        settings: What SAM gets beside the parameters.

    Returns:
        `points`: the parameters after each step. Where gradients are cleared by hand, all `gradients` before each call
        of `first_step` and `second_step`, and what is `left` of them after it.
    """
    params = _parameters(weights)
    sam = submission.SAM(params, torch.optim.SGD, **settings)
    points, gradients, left = [], [], []

    def backward() -> None:
        h = x
        for i in range(0, len(params), 2):
            h = nn.functional.linear(torch.tanh(h) if i else h, params[i], params[i + 1])
        ((h - y) ** 2).mean().backward()

    for _ in range(steps):
        for step in (sam.first_step, sam.second_step):
            backward()
            if by_hand:
                gradients.append([p.grad.clone() for p in params])
                step()
                left.append([None if p.grad is None else p.grad.clone() for p in params])
                _clear(params)
            else:
                step(zero_grad=True)
        points.append(_look(params))
    return {"points": points, "gradients": gradients, "left": left}


def group_step(
    submission: ModuleType,
    groups: list[dict[str, Any]],
    curvatures: list[Tensors],
    targets: list[Tensors],
    settings: dict[str, Any],
) -> dict[str, list[Tensors]]:
    """Take one step in a bowl with several groups, whose weights come as their `params`.

    Returns:
        The parameters, group by group, `before` the step, `perturbed` by `first_step`, and `after` `second_step`.
    """
    params = [_parameters(group["params"]) for group in groups]
    own = [{**group, "params": some} for group, some in zip(groups, params, strict=True)]
    sam = submission.SAM(own, torch.optim.SGD, **settings)
    flat = [p for some in params for p in some]

    def backward() -> None:
        _clear(flat)
        _bowl(flat, [c for some in curvatures for c in some], [t for some in targets for t in some]).backward()

    seen = {"before": [_look(some) for some in params]}
    backward()
    sam.first_step(zero_grad=True)
    seen["perturbed"] = [_look(some) for some in params]
    backward()
    sam.second_step(zero_grad=True)
    seen["after"] = [_look(some) for some in params]
    return seen


def _schedule(sam: Any, schedule: str) -> Any:
    if schedule == "halving":
        return torch.optim.lr_scheduler.StepLR(sam, step_size=1, gamma=0.5)
    return torch.optim.lr_scheduler.LambdaLR(sam, lambda epoch: 0.0) if schedule == "stopping" else None


def _descend(
    sam: Any, scheduler: Any, params: list[nn.Parameter], bowl: tuple[Tensors, Tensors], steps: int
) -> tuple[list[Tensors], list[Tensors]]:
    """Take steps; return the parameters at each perturbed point and after each step."""
    perturbed, after = [], []
    for _ in range(steps):
        _clear(params)
        _bowl(params, *bowl).backward()
        sam.first_step(zero_grad=True)
        perturbed.append(_look(params))
        _clear(params)
        _bowl(params, *bowl).backward()
        sam.second_step(zero_grad=True)
        after.append(_look(params))
        if scheduler is not None:
            scheduler.step()
    return perturbed, after


def train_and_save(
    submission: ModuleType,
    weights: Tensors,
    curvatures: Tensors,
    targets: Tensors,
    steps: tuple[int, int],
    schedule: str,
    settings: dict[str, Any],
) -> dict[str, Any]:
    """Take some steps with SAM over SGD, save SAM and its scheduler, and take some more.

    Returns:
        `saved`: what torch.save wrote. `weights`: the parameters at that time. `perturbed` and `after`: the parameters
        at the perturbed points and after each of the later steps.
    """
    params = _parameters(weights)
    sam = submission.SAM(params, torch.optim.SGD, **settings)
    scheduler = _schedule(sam, schedule)
    _descend(sam, scheduler, params, (curvatures, targets), steps[0])
    file = io.BytesIO()
    torch.save({"sam": sam.state_dict(), "scheduler": scheduler and scheduler.state_dict()}, file)
    weights = _look(params)
    perturbed, after = _descend(sam, scheduler, params, (curvatures, targets), steps[1])
    return {"saved": file.getvalue(), "weights": weights, "perturbed": perturbed, "after": after}


def resume(
    submission: ModuleType,
    saved: bytes,
    weights: Tensors,
    curvatures: Tensors,
    targets: Tensors,
    steps: int,
    schedule: str,
    settings: dict[str, Any],
) -> list[Tensors]:
    """Load what was saved, into a new SAM, and go on.

    Args:
        submission: The module.
        saved: What torch.save wrote.
        weights: The parameters at that time.
        curvatures: The bowl's.
        targets: The bowl's.
        steps: How many steps to take.
        schedule: `none`; `halving`, with the scheduler's own saved state; `stopping`, a new scheduler that sets the
            learning rate to zero.
        settings: What SAM gets beside the parameters.

    Returns:
        The parameters after each step.
    """
    ballast = _parameters([torch.empty(1)] * 997)  # no new parameter lies where an old one lay
    params = _parameters(weights)
    sam = submission.SAM(params, torch.optim.SGD, **settings)
    scheduler = _schedule(sam, schedule) if schedule != "stopping" else None
    state = torch.load(io.BytesIO(saved), weights_only=False)
    sam.load_state_dict(state["sam"])
    if scheduler is not None:
        scheduler.load_state_dict(state["scheduler"])
    elif schedule == "stopping":
        scheduler = _schedule(sam, schedule)
    _, after = _descend(sam, scheduler, params, (curvatures, targets), steps)
    del ballast
    return after


def cross_valley(
    submission: ModuleType, start: Tensor, landscape: dict[str, Any], steps: int, settings: dict[str, Any]
) -> Tensor:
    """Go down a valley with SAM over SGD and return where that ends.

    Args:
        submission: The module.
        start: The point, (n,), to start from.
        landscape: With z = axes · (w - origin): t = z[0] / distance is the way along the valley, whose floor has minima
            at t = 0 and t = 1 and a `barrier` between them; its walls have the curvature wall · exp(-widening · t).
        steps: How many steps to take.
        settings: What SAM gets beside the parameter.
    """
    w = nn.Parameter(start.clone())
    sam = submission.SAM([w], torch.optim.SGD, **settings)

    def backward() -> None:
        _clear([w])
        z = landscape["axes"] @ (w - landscape["origin"])
        t = z[0] / landscape["distance"]
        floor = 16 * landscape["barrier"] * (t * (1 - t)) ** 2
        walls = landscape["wall"] * torch.exp(-landscape["widening"] * t) * (z[1:] ** 2).sum() / 2
        (floor + walls).backward()

    for _ in range(steps):
        backward()
        sam.first_step(zero_grad=True)
        backward()
        sam.second_step(zero_grad=True)
    return w.detach().clone()
