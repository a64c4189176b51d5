"""Checks for SAM. `probe` runs the submission's optimizer in a sandbox and tells where the parameters went."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from autograder import Probe, StudentError, assert_close, points

FLOATS = (torch.float32, torch.float64)

Tensors = list[Tensor]
Shapes = list[tuple[int, ...]]


def normal(rng: torch.Generator, shapes: Shapes, dtype: torch.dtype = torch.float64) -> Tensors:
    """Draw a tensor of each shape from N(0, 1)."""
    return [torch.randn(shape, generator=rng, dtype=dtype) for shape in shapes]


def between(rng: torch.Generator, low: float, high: float) -> float:
    """Draw a number."""
    return low + (high - low) * float(torch.rand((), generator=rng, dtype=torch.float64))


def size(rng: torch.Generator, low: int = 2, high: int = 6) -> int:
    """Draw a size from `low` to `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def some_shapes(rng: torch.Generator) -> Shapes:
    """Draw the shapes of three parameters."""
    return [(size(rng),), (size(rng), size(rng)), (size(rng), 1, size(rng))]


def norm(tensors: Tensors) -> float:
    """Return the norm of all elements together, computed in float64."""
    return math.sqrt(sum(float(x.double().square().sum()) for x in tensors))


def scaled(tensors: Tensors, length: float) -> Tensors:
    """Return tensors in the same direction whose norm, over all of them, is `length`."""
    return [x * (length / norm(tensors)) for x in tensors]


def curvatures(rng: torch.Generator, shapes: Shapes, dtype: torch.dtype = torch.float64) -> Tensors:
    """Draw what a bowl's second derivatives are, between 0.5 and 2."""
    return [torch.rand(shape, generator=rng, dtype=dtype) * 1.5 + 0.5 for shape in shapes]


def gradients(curvature: Tensors, targets: Tensors, at: Tensors) -> Tensors:
    """Return the gradients of the bowl Σ c (w - t)² / 2."""
    return [c * (w - t) for c, t, w in zip(curvature, targets, at, strict=True)]


def moves(before: Tensors, after: Tensors) -> Tensors:
    """Return how far each element went."""
    return [new.double() - old.double() for old, new in zip(before, after, strict=True)]


def assert_form(report: Any, example: Any) -> None:
    """Assert that what a probe reports has the form of an example, since a submission may meddle with the probes."""
    if isinstance(example, Tensor):
        fits = isinstance(report, Tensor) and (report.shape, report.dtype) == (example.shape, example.dtype)
    else:
        fits = type(report) is type(example)
    if fits and isinstance(example, list | dict):
        fits = len(report) == len(example)
    if fits and isinstance(example, dict):
        fits = report.keys() == example.keys()
    assert fits, "what was observed beside the submission is of no form that the probes give it"
    if isinstance(example, list | dict):
        for key in example if isinstance(example, dict) else range(len(example)):
            assert_form(report[key], example[key])


def run(
    probe: Probe, weights: Tensors, curvature: Tensors, targets: Tensors, steps: int, *args: Any, **kwargs: Any
) -> list[dict[str, Any]]:
    """Return what `probe.run` reports, after a look at its form."""
    seen: list[dict[str, Any]] = probe.run(weights, curvature, targets, steps, *args, **kwargs)
    example = {"before": weights, "perturbed": weights, "after": weights, "no_gradient": [[True] * len(weights)] * 4}
    assert_form(seen, [example] * steps)
    return seen


def assert_perturbed(before: Tensors, perturbed: Tensors, rho: float) -> None:
    """Assert that there was a perturbation, of whatever direction: its size is for `perturbation` to judge."""
    moved = norm(moves(before, perturbed))
    assert moved > rho / 100, f"first_step moved the parameters by {moved:.2g} in all; expected about rho = {rho:.2g}"


# The size of the gradients, and the absolute tolerance where it is not the default: with the least ones there is room
# for a constant of 1e-12 under the root too.
GRADIENTS: dict[str, tuple[float, float | None]] = {
    "ordinary": (1.0, None),
    "large": (3e3, None),
    "small": (1e-3, None),
    "least": (1.2e-4, 1e-5),
}


@points(3)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("case", [*GRADIENTS, "default rho", "weight decay"])
def check_perturbation(probe: Probe, rng: torch.Generator, case: str, dtype: torch.dtype) -> None:
    """first_step moves the parameters by rho · g / ‖g‖, all of them together by rho."""
    shapes = [(3,), (2, 2)] if case in ("small", "least") else some_shapes(rng)
    slope, atol = GRADIENTS.get(case, (1.0, None))
    weights = scaled(normal(rng, shapes, dtype), between(rng, 0.5, 1.0))
    slopes = scaled(normal(rng, shapes, dtype), between(rng, 1.0, 1.5) * slope)
    rho = 0.05 if case == "default rho" else between(rng, 0.07, 0.1)
    settings = {"lr": between(rng, 0.01, 0.1)}
    if case != "default rho":
        settings["rho"] = rho
    if case == "weight decay":
        settings["weight_decay"] = between(rng, 0.5, 1.0)

    perturbed = probe.perturb(weights, slopes, settings)

    assert_form(perturbed, weights)
    moved = scaled([g.double() for g in slopes], rho)
    expected = [(w.double() + e).to(dtype) for w, e in zip(weights, moved, strict=True)]
    assert_close(perturbed, expected, atol=atol, what="the list of parameters after first_step")
    length = norm(moves(weights, perturbed))
    assert math.isclose(length, rho, rel_tol=1e-4), f"the perturbation's norm is {length:.6g}; expected rho = {rho:.6g}"


FATES = ["backward", "cleared", "replaced", "none", "zeroed"]


@points(3)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def check_restore(probe: Probe, rng: torch.Generator, dtype: torch.dtype) -> None:
    """second_step puts back the old parameters, bit for bit, before the base optimizer steps."""
    shapes = [(size(rng, 40, 60),), (size(rng, 5, 9), size(rng, 5, 9)), (size(rng), size(rng), size(rng))]
    exponents = [torch.rand(shape, generator=rng, dtype=dtype) * 3.5 - 3 for shape in shapes]
    weights = [x * 10**exponent for x, exponent in zip(normal(rng, shapes, dtype), exponents, strict=True)]
    slopes = scaled(normal(rng, shapes, dtype), between(rng, 0.5, 2.0))
    rho = between(rng, 0.05, 0.2)
    order = torch.randperm(len(FATES), generator=rng)
    fates = ["backward", *(FATES[i] for i in order)]

    steps = probe.restore(weights, slopes, fates, {"rho": rho, "lr": between(rng, 0.05, 0.2)})

    assert isinstance(steps, list) and len(steps) == len(fates)
    for step, fate in zip(steps, fates, strict=True):
        example = {"before": weights, "perturbed": weights, "at_base_step": weights, "after": weights}
        if isinstance(step, dict) and step.get("at_base_step") == [None] * len(weights):
            example["at_base_step"] = step["at_base_step"]
        assert_form(step, example)
        assert_perturbed(step["before"], step["perturbed"], rho)
        for old, found, new in zip(step["before"], step["at_base_step"], step["after"], strict=True):
            if found is not None:
                assert_close(found, old, rtol=0, atol=0, what=f"a parameter, when the base optimizer steps ({fate}),")
            elif fate != "backward":  # the base optimizer, wherever it may have run, had nothing to do
                assert_close(new, old, rtol=0, atol=0, what=f"a parameter after second_step ({fate})")


def oracle_sgd(w: Tensors, g: Tensors, lr: list[float], *, momentum: float, weight_decay: float) -> Tensors:
    """Return where SGD takes one parameter from each of the points `w` with the gradients `g`, in this order."""
    expected, velocity = [], torch.zeros_like(w[0])
    for point, gradient, rate in zip(w, g, lr, strict=True):
        velocity = momentum * velocity + gradient + weight_decay * point
        expected.append(point - rate * velocity)
    return expected


def oracle_adamw(
    w: Tensors, g: Tensors, lr: list[float], *, betas: tuple[float, float], eps: float, weight_decay: float
) -> Tensors:
    """Return where AdamW takes one parameter.

    Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019, algorithm 2, with the schedule applied
    to decay and step alike, as torch does.
    """
    expected, mean, square = [], torch.zeros_like(w[0]), torch.zeros_like(w[0])
    for t, (point, gradient, rate) in enumerate(zip(w, g, lr, strict=True), start=1):
        mean = betas[0] * mean + (1 - betas[0]) * gradient
        square = betas[1] * square + (1 - betas[1]) * gradient**2
        direction = mean / (1 - betas[0] ** t) / ((square / (1 - betas[1] ** t)).sqrt() + eps)
        expected.append(point - rate * weight_decay * point - rate * direction)
    return expected


def oracle_soft(w: Tensors, g: Tensors, lr: list[float], *, inertia: float, decay: float) -> Tensors:
    """Return where the optimizer of `probes.py` takes one parameter."""
    expected, average = [], torch.zeros_like(w[0])
    for point, gradient, rate in zip(w, g, lr, strict=True):
        average = inertia * average + (1 - inertia) * gradient
        expected.append((1 - rate * decay) * point - rate * average / (1 + average.abs()))
    return expected


Options = Callable[[torch.Generator], dict[str, Any]]

BASES: dict[str, tuple[Callable[..., Tensors], Options]] = {
    "SGD": (oracle_sgd, lambda rng: {"momentum": between(rng, 0.5, 0.9), "weight_decay": between(rng, 0.05, 0.2)}),
    "AdamW": (
        oracle_adamw,
        lambda rng: {
            "betas": (between(rng, 0.5, 0.9), between(rng, 0.9, 0.99)),
            "eps": between(rng, 1e-3, 1e-2),
            "weight_decay": between(rng, 0.05, 0.2),
        },
    ),
    "Soft": (oracle_soft, lambda rng: {"inertia": between(rng, 0.5, 0.9), "decay": between(rng, 0.05, 0.2)}),
}

STEPS = 6

SCHEDULES: dict[str, Options] = {
    "StepLR": lambda rng: {"step_size": size(rng, 1, 3), "gamma": between(rng, 0.3, 0.7)},
    "LambdaLR": lambda rng: {"factors": [between(rng, 0.2, 2.0) for _ in range(STEPS + 1)]},
    "CosineAnnealingLR": lambda rng: {"T_max": STEPS, "eta_min": between(rng, 0.001, 0.01)},
    "OneCycleLR": lambda rng: {"max_lr": between(rng, 0.1, 0.2), "total_steps": STEPS + 2, "cycle_momentum": False},
}


def cosine(start: float, end: float, share: float) -> float:
    """Go from `start` to `end` along half a wave."""
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def learning_rates(schedule: str | None, lr: float, options: dict[str, Any]) -> list[float]:
    """Return the learning rate of each step.

    Source: the formulas in the documentation of torch.optim.lr_scheduler.
    """
    if schedule == "StepLR":
        return [lr * options["gamma"] ** (t // options["step_size"]) for t in range(STEPS)]
    if schedule == "LambdaLR":
        return [lr * factor for factor in options["factors"][:STEPS]]
    if schedule == "CosineAnnealingLR":
        return [cosine(lr, options["eta_min"], t / options["T_max"]) for t in range(STEPS)]
    if schedule == "OneCycleLR":
        top, last = options["max_lr"], options["total_steps"] - 1
        peak = 0.3 * options["total_steps"] - 1
        return [
            cosine(top / 25, top, t / peak) if t <= peak else cosine(top, top / 25 / 1e4, (t - peak) / (last - peak))
            for t in range(STEPS)
        ]
    return [lr] * STEPS


@points(2)
@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize("schedule", [None, *SCHEDULES], ids=str)
def check_base_optimizer(probe: Probe, rng: torch.Generator, base: str, schedule: str | None) -> None:
    """Any base optimizer does with the SAM gradient what it always does, and a scheduler of SAM drives it."""
    oracle, draw = BASES[base]
    shapes = some_shapes(rng)
    weights, targets, curvature = normal(rng, shapes), normal(rng, shapes), curvatures(rng, shapes)
    rho, lr, options = between(rng, 0.1, 0.3), between(rng, 0.05, 0.1), draw(rng)
    plan = SCHEDULES[schedule](rng) if schedule is not None else {}

    settings = {"base": base, "rho": rho, "lr": lr, **options}
    steps = run(probe, weights, curvature, targets, STEPS, settings, (schedule, plan))

    for step in steps:
        assert_perturbed(step["before"], step["perturbed"], rho)
    rates = learning_rates(schedule, lr, plan)
    slopes = [gradients(curvature, targets, step["perturbed"]) for step in steps]  # wherever first_step went
    for i in range(len(shapes)):
        before, gradient = [step["before"][i] for step in steps], [slope[i] for slope in slopes]
        expected = oracle(before, gradient, rates, **options)
        assert_close([step["after"][i] for step in steps], expected, what="parameter by step")


@points(2)
@pytest.mark.parametrize("grad_mode", [True, False], ids=["grad", "no_grad"])
def check_closure(probe: Probe, rng: torch.Generator, grad_mode: bool) -> None:
    """step(closure) is first_step, one call of the closure with gradients enabled, and second_step."""
    shapes = some_shapes(rng)
    bowl = normal(rng, shapes), curvatures(rng, shapes), normal(rng, shapes)
    rho = between(rng, 0.1, 0.3)
    settings = {"rho": rho, "lr": between(rng, 0.05, 0.2)}

    by_hand = probe.step_by_hand(*bowl, 3, settings)
    steps = probe.step_with_closure(*bowl, 3, grad_mode, settings)

    assert_form(by_hand, [bowl[0]] * 3)
    assert_form(
        steps, [{"before": bowl[0], "at_closure": bowl[0], "after": bowl[0], "calls": 1, "grad_mode": True}] * 3
    )
    for step, expected in zip(steps, by_hand, strict=True):
        assert step["calls"] == 1, f"step called the closure {step['calls']} times; expected one call"
        assert step["grad_mode"], "gradients were not enabled in the closure"
        assert_perturbed(step["before"], step["at_closure"], rho)
        assert_close(step["after"], expected, what="the list of parameters after step(closure)")
    with pytest.raises(StudentError):
        probe.step_without_closure(*bowl, settings)


def missing_gradients(probe: Probe, rng: torch.Generator, dtype: torch.dtype) -> None:
    """A parameter without a gradient stays as it is, and the others move as if it were not there."""
    shapes = [*some_shapes(rng), (size(rng),), (size(rng), size(rng))]
    weights, targets, curvature = normal(rng, shapes, dtype), normal(rng, shapes, dtype), curvatures(rng, shapes, dtype)
    rho = between(rng, 0.1, 0.3)
    settings = {"rho": rho, "lr": between(rng, 0.05, 0.2), "weight_decay": between(rng, 0.2, 0.5)}
    frozen, other = 4, size(rng, 1, 3)

    for plan, by_hand in (([0, 0], False), ([0, other], True), ([other, other], False), ([other, 0], False)):
        absent = [[unused, frozen] for unused in plan]
        kinds = {"absent": absent, "frozen": [frozen], "by_hand": by_hand}
        for step, missing in zip(run(probe, weights, curvature, targets, 2, settings, **kinds), absent, strict=True):
            for i in missing:
                for when in ("perturbed", "after"):
                    what = f"a parameter without a gradient ({when})"
                    assert_close(step[when][i], step["before"][i], rtol=0, atol=0, what=what)
                assert all(none[i] for none in step["no_gradient"]), "a .grad that was None is None no longer"

            here = [i for i in range(len(shapes)) if i not in missing]
            before, c, t = ([tensors[i] for i in here] for tensors in (step["before"], curvature, targets))
            assert_perturbed(before, [step["perturbed"][i] for i in here], rho)
            (alone,) = run(probe, before, c, t, 1, settings)
            for when in ("perturbed", "after"):
                what = f"the list of parameters beside one without a gradient ({when})"
                assert_close([step[when][i] for i in here], alone[when], what=what)


def zero_gradients(probe: Probe, rng: torch.Generator, dtype: torch.dtype) -> None:
    """Where all gradients are zero, nothing becomes nan."""
    shapes = some_shapes(rng)
    flat = [torch.zeros(shape, dtype=dtype) for shape in shapes]
    settings = {"rho": between(rng, 0.1, 0.3), "lr": between(rng, 0.05, 0.2)}

    for step in run(probe, normal(rng, shapes, dtype), flat, normal(rng, shapes, dtype), 2, settings):
        for when in ("perturbed", "after"):
            assert all(x.isfinite().all() for x in step[when]), "a gradient of zeros made a parameter nan or infinite"


def mixed_shapes(probe: Probe, rng: torch.Generator, dtype: torch.dtype) -> None:
    """A scalar and transposed parameters move as their elements do in flat, contiguous ones."""
    shapes = [(), (size(rng), size(rng)), (size(rng),), (size(rng), size(rng), size(rng)), (1, 1)]
    tensors = [normal(rng, shapes, dtype), curvatures(rng, shapes, dtype), normal(rng, shapes, dtype)]
    weights, curvature, targets = ([x.permute(tuple(reversed(range(x.ndim)))) for x in some] for some in tensors)
    rho = between(rng, 0.1, 0.3)
    settings = {"rho": rho, "lr": between(rng, 0.05, 0.2)}

    steps = run(probe, weights, curvature, targets, 2, settings)
    flat_weights, c, t = ([x.reshape(-1) for x in some] for some in (weights, curvature, targets))
    flat = run(probe, flat_weights, c, t, 2, settings)

    for step, other in zip(steps, flat, strict=True):
        assert_perturbed(step["before"], step["perturbed"], rho)
        for when in ("perturbed", "after"):
            expected = [x.reshape(w.shape) for x, w in zip(other[when], weights, strict=True)]
            assert_close(step[when], expected, what=f"the list of parameters of mixed shapes ({when})")


def negative_rho(probe: Probe, rng: torch.Generator, dtype: torch.dtype) -> None:
    """A negative rho is refused."""
    weights, slopes = normal(rng, [(3,)], dtype), normal(rng, [(3,)], dtype)
    for rho in (-between(rng, 0.01, 0.1), -between(rng, 1.0, 2.0)):
        with pytest.raises(StudentError) as caught:
            probe.perturb(weights, slopes, {"rho": rho, "lr": 0.1})
        assert {"ValueError", "AssertionError"} & set(caught.value.mro), (
            f"rho={rho:.3g} raised {caught.value.type_name}; expected a ValueError or an AssertionError"
        )


@points(3)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize(
    "case", [missing_gradients, zero_gradients, mixed_shapes, negative_rho], ids=lambda case: case.__name__
)
def check_edge_cases(probe: Probe, rng: torch.Generator, case: Callable[..., None], dtype: torch.dtype) -> None:
    """Missing gradients, zero gradients, odd shapes and a negative rho are handled."""
    case(probe, rng, dtype)
