"""Hidden checks for SAM: a whole training, the adaptive kind, groups, saving and loading, and what SAM is for."""

import math
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from autograder import Probe, Student, assert_close, points

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


def curvatures(rng: torch.Generator, shapes: Shapes) -> Tensors:
    """Draw what a bowl's second derivatives are, between 0.5 and 2."""
    return [torch.rand(shape, generator=rng, dtype=torch.float64) * 1.5 + 0.5 for shape in shapes]


def norm(tensors: Tensors) -> float:
    """Return the norm of all elements together, computed in float64."""
    return math.sqrt(sum(float(x.double().square().sum()) for x in tensors))


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


def network_gradients(weights: Tensors, x: Tensor, y: Tensor) -> Tensors:
    """Return the gradients of a tanh network's mean squared error, by the chain rule written out."""
    matrices, biases = weights[::2], weights[1::2]
    inputs = [x]
    for matrix, bias in zip(matrices, biases, strict=True):
        out = inputs[-1] @ matrix.T + bias
        inputs.append(torch.tanh(out))
    delta = 2 * (out - y) / y.numel()
    gradients: Tensors = []
    for i in reversed(range(len(matrices))):
        gradients = [delta.T @ inputs[i], delta.sum(0), *gradients]
        delta = (delta @ matrices[i]) * (1 - inputs[i] ** 2)
    return gradients


def oracle_trajectory(weights: Tensors, x: Tensor, y: Tensor, steps: int, *, rho: float, lr: float) -> list[Tensors]:
    """Return the network's weights after each step.

    Source: Foret et al., Sharpness-Aware Minimization for Efficiently Improving Generalization, 2021, algorithm 1.
    """
    trajectory = []
    for _ in range(steps):
        first = network_gradients(weights, x, y)
        scale = rho / norm(first)
        second = network_gradients([w + scale * g for w, g in zip(weights, first, strict=True)], x, y)
        weights = [w - lr * g for w, g in zip(weights, second, strict=True)]
        trajectory.append(weights)
    return trajectory


@points(
    5,
    hint="Follow two steps of a network by hand: at which point is the gradient taken that moves the weights, what is "
    "in .grad at that time, and what is left in .grad when a call ends, with zero_grad=True and without?",
)
@pytest.mark.parametrize("by_hand", [False, True], ids=["cleared by SAM", "cleared by hand"])
def check_trajectory(probe: Probe, rng: torch.Generator, by_hand: bool) -> None:
    """Twenty steps on a small network go where SAM goes."""
    widths = [size(rng, 3, 5), size(rng, 4, 7), size(rng, 4, 7), size(rng, 2, 3)]
    shapes: Shapes = [s for i in range(3) for s in ((widths[i + 1], widths[i]), (widths[i + 1],))]
    weights = [w / math.sqrt(w.shape[-1]) for w in normal(rng, shapes)]
    x, y = normal(rng, [(16, widths[0]), (16, widths[-1])])
    y = y + 3 * y.sign()
    settings = {"rho": between(rng, 0.05, 0.12), "lr": between(rng, 0.02, 0.05)}

    seen = probe.train_network(weights, x, y, 20, by_hand, settings)

    assert isinstance(seen, dict) and set(seen) == {"points", "gradients", "left"}
    assert_form([seen["points"], seen["gradients"]], [[weights] * 20, [weights] * (40 if by_hand else 0)])
    what = "the list of gradients, by call, after a call with zero_grad=False"
    assert_close(seen["left"], seen["gradients"], rtol=0, atol=0, what=what)
    expected = oracle_trajectory(weights, x, y, 20, **settings)
    assert_close(seen["points"], expected, rtol=1e-9, atol=1e-9, what="the list of weights by step")


@points(
    2,
    hint="Each element's step grows with the size of its weight: twice in the numerator, once inside the norm.",
)
@pytest.mark.parametrize("dtype", FLOATS, ids=str)
def check_adaptive(probe: Probe, rng: torch.Generator, dtype: torch.dtype) -> None:
    """With adaptive=True the perturbation is rho · w² · g / ‖ |w| · g ‖."""
    shapes = some_shapes(rng)
    spread = [10 ** between(rng, -0.7, 0.5) for _ in shapes]
    weights = [w * factor for w, factor in zip(normal(rng, shapes, dtype), spread, strict=True)]
    slopes = [g * between(rng, 0.5, 2.0) for g in normal(rng, shapes, dtype)]
    rho = between(rng, 0.5, 2.0)

    perturbed = probe.perturb(weights, slopes, {"rho": rho, "adaptive": True, "lr": between(rng, 0.01, 0.1)})

    assert_form(perturbed, weights)
    wide = [(w.double(), g.double()) for w, g in zip(weights, slopes, strict=True)]
    scale = rho / norm([w * g for w, g in wide])
    expected = [(w + scale * w**2 * g).to(dtype) for w, g in wide]
    assert_close(perturbed, expected, what="the list of parameters after first_step")


@points(
    2,
    hint="Parameters may come as a list of dicts. What does a group say for itself, what does it share with others?",
)
@pytest.mark.parametrize("count", [2, 3])
def check_param_groups(probe: Probe, rng: torch.Generator, count: int) -> None:
    """Groups have a rho and a learning rate of their own, and share one norm."""
    shapes = [[(size(rng),), (size(rng), size(rng))][: size(rng, 1, 2)] for _ in range(count)]
    weights, targets = ([normal(rng, some) for some in shapes] for _ in range(2))
    curvature = [curvatures(rng, some) for some in shapes]
    rhos = [between(rng, 0.05, 0.1) * 3**i for i in range(count)]
    rates = [between(rng, 0.02, 0.04) * 3 ** (count - 1 - i) for i in range(count)]
    groups = [{"params": w, "rho": r, "lr": lr} for w, r, lr in zip(weights, rhos, rates, strict=True)]

    seen = probe.group_step(groups, curvature, targets, {"rho": between(rng, 0.5, 0.7), "lr": between(rng, 0.5, 0.7)})

    assert_form(seen, dict.fromkeys(("before", "perturbed", "after"), weights))

    def gradients(at: list[Tensors]) -> list[Tensors]:
        return [
            [c * (w - t) for c, w, t in zip(*group, strict=True)] for group in zip(curvature, at, targets, strict=True)
        ]

    first, second = gradients(weights), gradients(seen["perturbed"])
    length = norm([g for some in first for g in some])
    for i in range(count):
        moved = [w + rhos[i] / length * g for w, g in zip(weights[i], first[i], strict=True)]
        assert_close(seen["perturbed"][i], moved, what=f"group {i} after first_step")
        stepped = [w - rates[i] * g for w, g in zip(weights[i], second[i], strict=True)]
        assert_close(seen["after"][i], stepped, what=f"group {i} after second_step")


@points(
    1,
    hint="Two optimizers have something to remember, and load_state_dict gives an optimizer new dicts for its groups: "
    "who still holds the old ones?",
)
@pytest.mark.parametrize("schedule", ["none", "halving"])
def check_state_dict(student: Student, probe: Probe, rng: torch.Generator, schedule: str) -> None:
    """Saved mid-training and loaded in a new process, SAM goes on as if nothing had happened."""
    shapes = some_shapes(rng)
    bowl = curvatures(rng, shapes), normal(rng, shapes)
    rho = between(rng, 0.05, 0.15)
    settings = {"rho": rho, "lr": between(rng, 0.03, 0.06), "momentum": between(rng, 0.8, 0.95)}

    weights = normal(rng, shapes)

    first = probe.train_and_save(weights, *bowl, (4, 5), schedule, settings)
    assert_form(first, {"saved": b"", "weights": weights, "perturbed": [weights] * 5, "after": [weights] * 5})
    new = probe.of(student.fresh())
    after = new.resume(first["saved"], first["weights"], *bowl, 5, schedule, settings)
    stopped = new.resume(first["saved"], first["weights"], *bowl, 2, "stopping", settings)

    way = norm([a - b for a, b in zip(first["weights"], first["perturbed"][0], strict=True)])
    assert way > rho / 100, f"first_step moved the parameters by {way:.2g} in all; expected about rho = {rho:.2g}"
    way = norm([a - b for a, b in zip(first["weights"], first["after"][0], strict=True)])
    assert way > 1e-3, f"a step moved the parameters by {way:.2g} in all"
    assert_close(after, first["after"], what="the list of parameters by step, loaded and continued,")
    what = "the list of parameters by step, loaded and with a learning rate of 0,"
    # Parameters that move at a learning rate of 0 cost `restore`, if they do so without being loaded too.
    still = new.train_and_save(first["weights"], *bowl, (0, 2), "stopping", settings)
    assert_form(still, {"saved": b"", "weights": weights, "perturbed": [weights] * 2, "after": [weights] * 2})
    assert_close(stopped, still["after"], what=what)


@dataclass(frozen=True)
class Valley:
    """A loss with a sharp minimum at t = 0 and a flat one at t = 1, as `probes.py` describes it.

    Its walls are seven times as steep at the sharp end as at the flat one. Gradients push SAM, which always stands a
    little up the wall, towards the flat end; SGD lies on the floor and stays behind the barrier.
    """

    start: Tensor
    axes: Tensor
    origin: Tensor
    distance: float
    barrier: float
    wall: float
    widening: float
    rho: float
    lr: float

    def position(self, w: Tensor) -> float:
        """Return t."""
        return float(self.axes[0] @ (w - self.origin)) / self.distance

    def gradient(self, w: Tensor) -> Tensor:
        """Return the loss's gradient."""
        z = self.axes @ (w - self.origin)
        t, across = float(z[0]) / self.distance, z[1:]
        wall = self.wall * math.exp(-self.widening * t)
        floor = 32 * self.barrier * t * (1 - t) * (1 - 2 * t)
        along = (floor - self.widening * wall * float(across @ across) / 2) / self.distance
        return self.axes.T @ torch.cat([torch.tensor([along], dtype=torch.float64), wall * across])


def draw_valley(rng: torch.Generator) -> Valley:
    """Draw a valley. Of 10 000 such draws SGD stayed within 0.001 of t = 0 in all, and SAM came to t = 1 in all."""
    n = size(rng, 2, 4)
    rho, lr = between(rng, 0.05, 0.2), between(rng, 0.05, 0.2)
    axes, _ = torch.linalg.qr(torch.randn(n, n, generator=rng, dtype=torch.float64))
    origin, across = normal(rng, [(n,), (n - 1,)])
    wall, distance = between(rng, 0.9, 1.2) / lr, between(rng, 12.0, 16.0) * rho
    across = across / across.norm() * rho * between(rng, 0.3, 1.0)
    along = torch.tensor([between(rng, -0.1, 0.1) * distance], dtype=torch.float64)
    return Valley(
        start=origin + axes.T @ torch.cat([along, across]),
        axes=axes,
        origin=origin,
        distance=distance,
        barrier=between(rng, 0.10, 0.14) * wall * rho**2,
        wall=wall,
        widening=between(rng, 1.9, 2.2),
        rho=rho,
        lr=lr,
    )


def steps_to_flat(valley: Valley) -> int | None:
    """Return after how many steps SAM has come to the flat minimum while SGD is in the sharp one; None if they do not.

    None as well where a gradient comes so near to zero on the way that rounding would matter.
    """
    sam = sgd = valley.start
    for step in range(1, 500):
        sgd = sgd - valley.lr * valley.gradient(sgd)
        first = valley.gradient(sam)
        length = float(first.norm())
        if length < 1e-3:
            return None
        sam = sam - valley.lr * valley.gradient(sam + valley.rho / length * first)
        if valley.position(sam) > 0.9:
            return step if abs(valley.position(sgd)) < 0.1 else None
    return None


@points(
    2,
    hint="Draw a loss with a sharp and a flat minimum, start near the sharp one, and compare many steps of your SAM "
    "with as many of plain SGD.",
)
@pytest.mark.parametrize("number", range(3))
def check_flatness(probe: Probe, rng: torch.Generator, number: int) -> None:
    """SAM leaves a sharp minimum, in which SGD ends, for a flat one."""
    steps = None
    while steps is None:
        valley = draw_valley(rng)
        steps = steps_to_flat(valley)
    landscape: dict[str, Any] = {
        name: getattr(valley, name) for name in ("axes", "origin", "distance", "barrier", "wall", "widening")
    }

    end = probe.cross_valley(valley.start, landscape, steps, {"rho": valley.rho, "lr": valley.lr})

    assert_form(end, valley.start)
    t = valley.position(end)
    # The last step is the one that comes past 0.9. Who climbs and does not come back gets beyond 1, mostly far beyond.
    assert 0.75 < t < 1.05, f"SAM ended at t = {t:.3f}; the sharp minimum is at 0, the flat one at 1"
