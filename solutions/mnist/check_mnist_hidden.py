"""Hidden checks for mnist: the test images, the same moved, and the same seed twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch

from autograder import Credit, Probe, points

if TYPE_CHECKING:
    from fixtures import Training, World


@points(12, hint="full credit is above 99.0 % of the test images and none at 95.0 %, nor beyond the time budget")
def check_accuracy(training: Training, credit: Credit) -> None:
    """Trained on all training images within the budget, it classifies over 99.0 % of the test images right."""
    training.assert_within_budget()
    text = f"{training.right:.2%} of the test images are right; full credit is above 99.0 %, none at 95.0 %"
    credit(1 - training.right, full_at=0.01, zero_at=0.05, name="error", text=text)


@points(3, hint="digits lie up to two pixels from where they usually are")
def check_shifted(training: Training) -> None:
    """The same model classifies 97 % of test images right that are moved by up to two pixels."""
    training.assert_within_budget()
    world = training.world
    images, labels = world.test()
    right = world.share_right(training.probe, world.faded(world.moved(images)), labels)
    assert right >= 0.97, f"{right:.2%} of the moved test images are right; expected 97 %"


@points(2, hint="everything random in train has to come from its seed alone")
def check_reproducible(new_probe: Callable[..., Probe], world: World) -> None:
    """The same seed gives the same predictions, twice in one process and in a fresh one; another seed learns too."""
    cpu, count = torch.device("cpu"), 2000
    data, (images, labels) = world.training(count), world.test(count)
    seed, other = world.seed(), world.seed()

    def predictions(probe: Probe, seed: int) -> torch.Tensor:
        probe.stir(world.seed())
        probe.stage(*data)
        probe.train(cpu, seed)
        return world.predictions(probe, images)

    def assert_learned(predicted: torch.Tensor, which: str) -> None:
        right = float((predicted == labels).double().mean())
        assert right > 0.9, f"{right:.1%} of fresh images are right with {which} seed; expected more than 90 %"

    one, fresh = new_probe(trainings=2), new_probe(trainings=2)
    first = predictions(one, seed)
    assert_learned(first, "one")
    for probe, where in ((one, "in one process"), (fresh, "in a fresh process")):
        differing = int((predictions(probe, seed) != first).sum())
        assert differing == 0, f"{differing} of {count} predictions differ {where} for the same seed"
    assert_learned(predictions(fresh, other), "another")
