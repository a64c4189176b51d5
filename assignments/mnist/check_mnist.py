"""Checks for mnist. `probe` keeps the submission's model in its worker; `training` is one run for several checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from autograder import Credit, Probe, Speed, Student, assert_close, assert_unchanged, points
from autograder.checks.comparison import describe
from autograder.datasets.drawn_digits import draw_digits

if TYPE_CHECKING:
    from fixtures import Training, World

# Two equal trainings, timed once side by side on a busy machine, differ by less than this factor from their mean.
NOISE = 1.2
# To look at every image once takes about this share of the baseline's time.
FLOOR = 0.02


def digits(rng: torch.Generator, count: int) -> torch.Tensor:
    """Draw so many digits, (count, 28, 28) uint8."""
    return draw_digits(torch.randint(10, (count,), generator=rng), rng)


def noncontiguous(rng: torch.Generator, count: int) -> list[torch.Tensor]:
    """Return digits whose bytes lie in memory in several ways, each (N, 28, 28) and not contiguous."""
    canvas = torch.zeros(count, 40, 40, dtype=torch.uint8)
    canvas[:, 6:34, 6:34] = digits(rng, count)
    return [
        digits(rng, count).transpose(1, 2),
        digits(rng, 2 * count)[::2],
        canvas[:, 5:33, 7:35],
        digits(rng, count).permute(1, 2, 0).contiguous().permute(2, 0, 1),
        digits(rng, 1).expand(count, 28, 28),
    ]


def assert_labels(answer: Any, count: int) -> torch.Tensor:
    """Assert that predict returned `count` labels in the right form, and return them."""
    right = isinstance(answer, torch.Tensor) and answer.dtype == torch.int64 and answer.shape == (count,)
    assert right, f"predict() of {count} images gave {describe(answer)}; expected an int64 tensor of shape ({count},)"
    assert answer.device.type == "cpu", f"predict() returned labels on {answer.device}; expected them on the CPU"
    assert 0 <= int(answer.min()) <= int(answer.max()) <= 9, "predict() returned labels that are not from 0 to 9"
    return answer


def differing(answer: torch.Tensor, expected: torch.Tensor) -> int:
    """Return how many labels differ beyond one in fifty, where rounding may decide between two equal scores."""
    return int((answer != expected).sum()) - len(expected) // 50


@points(2)
def check_interface(student: Student, probe: Probe, rng: torch.Generator) -> None:
    """The model gives scores, predict gives labels, for any batch and mode; predict leaves model and images alone."""
    assert probe.build(), "build_model() returned something that is no torch.nn.Module"
    few, many = int(torch.randint(2, 40, (), generator=rng)), int(torch.randint(200, 300, (), generator=rng))

    probe.mode(training=False)
    for count in (1, few, many):
        answer = probe.scores(torch.rand(count, 1, 28, 28, generator=rng))
        right = isinstance(answer, torch.Tensor) and answer.is_floating_point() and answer.shape == (count, 10)
        assert right, f"the model returned {describe(answer)}; expected floating-point scores of shape ({count}, 10)"

    state = probe.state()
    sets = [digits(rng, count) for count in (1, few, many)]
    labels = [assert_labels(probe.predict(images), len(images)) for images in sets]
    assert_unchanged(student)
    # Where predict draws random numbers, its labels differ from call to call; that is free.
    free = 2 * max(0, differing(probe.predict(sets[2]), labels[2]))

    def assert_same(answer: Any, expected: torch.Tensor, when: str) -> None:
        wrong = differing(assert_labels(answer, len(expected)), expected)
        assert wrong <= free, f"predict() gives other labels {when}: {wrong} of {len(expected)} differ"
        assert_unchanged(student)

    assert_same(probe.predict_twice(sets[2], digits(rng, many)), labels[2], "once it has been called again")
    for images in noncontiguous(rng, many):
        expected = assert_labels(probe.predict(images.contiguous()), many)
        assert_same(probe.predict(images), expected, "for images that are not contiguous")

    probe.mode(training=True)
    for images, expected in zip(sets, labels, strict=True):
        assert_same(probe.predict(images), expected, "when the model is in training mode")
    assert_close(probe.state(), state, rtol=0, atol=0, what="the model's weights and buffers after predict()")


@points(3)
def check_learns(new_probe: Callable[..., Probe], world: World, device: torch.device) -> None:
    """Trained on 2000 images, it classifies more than 90 % of fresh ones right."""
    probe = new_probe()
    probe.stage(*world.training(2000))
    probe.train(device, world.seed())
    right = world.share_right(probe, *world.test(5000))
    assert right > 0.9, f"{right:.1%} of fresh images are right after training on 2000; expected more than 90 %"


@points(3, needs="accuracy")
def check_speed(training: Training, speed: Speed, credit: Credit, grading: Any) -> None:
    """Training takes little more time than the baseline's."""
    training.assert_within_budget()
    ratio, bounds = training.ratio, speed.threshold
    assert bounds is not None, "course.yml has no thresholds for speed on this device"
    if ratio < FLOOR:
        grading.flags.append(f"speed: {training.words}, too little to be a training")
        raise AssertionError(f"{training.words}: too little to be a training; your instructor must review it")
    text = f"{training.words}; full credit is at {bounds.full_at:g}, none at {bounds.zero_at:g}"
    credit(ratio, full_at=bounds.full_at, zero_at=bounds.zero_at, low=ratio / NOISE, high=ratio * NOISE, text=text)
