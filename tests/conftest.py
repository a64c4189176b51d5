"""Share one forkserver for each sandbox level among all tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from harness import TOKEN, Lab
from hypothesis import HealthCheck, settings

from autograder.report.text import CI_VARIABLES
from autograder.sandbox.levels import best_level, missing
from autograder.sandbox.start import LEVELS, Sandbox, make_sandbox

if TYPE_CHECKING:
    from exchange_world import World

PRELOAD = ("numpy", "torchvision")

# Other work on the machine must not fail a test.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def _no_ci_service() -> Iterator[None]:
    """Show texts as on a person's terminal, also where a CI service runs these tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in CI_VARIABLES:
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def at_level() -> Iterator[Callable[[str], Sandbox]]:
    """Return the sandbox of a level, or skip with the reason why this machine has none."""
    sandboxes: dict[str, Sandbox] = {}

    def start(level: str) -> Sandbox:
        if missing(level):
            pytest.skip(f"no level {level} here: {missing(level)}")
        if level not in sandboxes:
            sandboxes[level] = make_sandbox(level, PRELOAD if level == best_level() else ())
        return sandboxes[level]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CI_TOKEN", TOKEN)
        yield start
    for sandbox in sandboxes.values():
        sandbox.close()


@pytest.fixture
def lab(at_level: Callable[[str], Sandbox], tmp_path: Path) -> Iterator[Lab]:
    """A course whose submissions run at the strongest level that this machine has."""
    with Lab(tmp_path / "course", at_level(best_level())).ending() as lab:
        yield lab


@pytest.fixture(params=LEVELS)
def any_lab(request: pytest.FixtureRequest, at_level: Callable[[str], Sandbox], tmp_path: Path) -> Iterator[Lab]:
    """The same at each level that this machine has."""
    with Lab(tmp_path / "course", at_level(request.param)).ending() as lab:
        yield lab


@pytest.fixture
def official(at_level: Callable[[str], Sandbox], tmp_path: Path) -> Iterator[Lab]:
    """The same at level namespaces."""
    with Lab(tmp_path / "course", at_level("namespaces")).ending() as lab:
        yield lab


@pytest.fixture(scope="module")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A class that was graded, once for a module: it takes seconds."""
    from graded_world import make_graded

    return make_graded(tmp_path_factory.mktemp("graded"))


@pytest.fixture
def world(graded_class: World, tmp_path: Path) -> World:
    """A graded class that a test may change, where a module has no world of its own."""
    from graded_world import copy_of

    return copy_of(graded_class, tmp_path / "world")
