"""What the checks of mnist share: the digits that a check hands over, and the one training that three checks judge."""

import ast
import os
import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import pytest
import torch

from autograder import Probe, Student, StudentError
from autograder.checks.comparison import describe
from autograder.checks.pictures import Pictures
from autograder.datasets.mnist import MnistData, mnist

# The time budget of a training by device, in multiples of the baseline's training.
BUDGET = {"cpu": 120.0, "cuda": 120.0, "mps": 120.0}
# A worker that trains and then predicts may take so many budgets before it is ended.
LIMIT = 1.5
MODULE_BYTES, LITERAL_BYTES = 64 << 10, 8 << 10
# Predictions are asked for in parts, so that `predict` need not hold 10 000 images at once.
PART = 500
# What `predict` may take for all test images before it counts as training, in multiples of the baseline's training: for
# each image as much as some four hundred forward passes of the baseline.
PREDICTING = 25.0
# So many mistakes are drawn.
SHOWN = 24

Images = torch.Tensor
Labels = torch.Tensor


# -- the digits ------------------------------------------------------------------------------------------------------

WAYS: dict[str, Callable[[Images], Images]] = {
    "mirrored": lambda images: images.flip(2),
    "upside down": lambda images: images.flip(1),
    "turned left": lambda images: images.rot90(1, (1, 2)),
    "turned right": lambda images: images.rot90(-1, (1, 2)),
}
# The way that undoes each.
BACK = {**dict(zip(WAYS, WAYS, strict=True)), "turned left": "turned right", "turned right": "turned left"}


@dataclass(frozen=True)
class World:
    """The digits as one check sees them: under other labels, mirrored or turned, alike in training and test.

    Attributes:
        data: The digits as they are.
        rng: Draws what is left to chance.
        names: (10,) int64: the label that each digit has here; none keeps its own.
        way: How the images are mirrored or turned; a key of `WAYS`.
    """

    data: MnistData
    rng: torch.Generator
    names: torch.Tensor
    way: str

    @staticmethod
    def draw(data: MnistData, rng: torch.Generator) -> "World":
        """Draw a world."""
        names = torch.arange(10)
        while bool((names == torch.arange(10)).any()):
            names = torch.randperm(10, generator=rng)
        return World(data, rng, names, list(WAYS)[int(torch.randint(len(WAYS), (), generator=rng))])

    def training(self, count: int | None = None) -> tuple[Images, Labels]:
        """Return so many training images, drawn at random, and their labels; without `count` all of them."""
        images, labels = self.data.train_images, self.data.train_labels
        if count is not None:
            chosen = torch.randperm(len(images), generator=self.rng)[:count]
            images, labels = images[chosen], labels[chosen]
        return WAYS[self.way](images).contiguous(), self.names[labels]

    def test(self, count: int | None = None) -> tuple[Images, Labels]:
        """Return so many test images in a random order, and their labels; without `count` all of them."""
        order = torch.randperm(len(self.data.test_images), generator=self.rng)[:count]
        images, labels = self.data.test_images[order], self.data.test_labels[order]
        return WAYS[self.way](images).contiguous(), self.names[labels]

    def seed(self) -> int:
        """Draw a seed for `train`."""
        return int(torch.randint(2**31, (), generator=self.rng))

    def faded(self, images: Images) -> Images:
        """Return the images with each grey value changed by up to a tenth of it; the background stays 0."""
        whole = 0.95 + 0.1 * torch.rand(len(images), 1, 1, generator=self.rng)
        pixel = 0.955 + 0.09 * torch.rand(images.shape, generator=self.rng)
        return (images * (whole * pixel)).clamp(max=255).to(torch.uint8)

    def moved(self, images: Images) -> Images:
        """Return the images, each moved by its own two distances of up to two pixels; what comes in is 0."""
        count, size = len(images), images.shape[-1]
        padded = torch.nn.functional.pad(images, (2, 2, 2, 2))
        down, right = torch.randint(5, (2, count, 1), generator=self.rng) + torch.arange(size)
        return padded[torch.arange(count)[:, None, None], down[:, :, None], right[:, None, :]]

    def back(self, images: Images) -> Images:
        """Return images of this world as people know them."""
        return WAYS[BACK[self.way]](images).contiguous()

    def digits(self, labels: torch.Tensor) -> torch.Tensor:
        """Return the digits that labels of this world stand for, (N,) int64; -1 for what is no label."""
        same = labels.reshape(-1, 1) == self.names
        return torch.where(same.any(1), same.int().argmax(1), -1)

    def predictions(self, probe: Probe, images: Images) -> torch.Tensor:
        """Return the labels that the model kept by a probe predicts, (N,) float64."""
        return torch.cat([as_labels(probe.predict(part), len(part)) for part in images.split(PART)])

    def share_right(self, probe: Probe, images: Images, labels: Labels) -> float:
        """Return the share of the images that the model kept by a probe classifies right."""
        return float((self.predictions(probe, images) == labels).double().mean())


def as_labels(answer: Any, count: int) -> torch.Tensor:
    """Return predicted labels as (count,) float64, in whatever form they came: `interface` alone judges the form.

    Raises:
        AssertionError: If they are not `count` numbers.
    """
    if not isinstance(answer, torch.Tensor) or answer.numel() != count or answer.is_complex():
        raise AssertionError(f"predict() returned {describe(answer)}; expected {count} labels")
    return answer.detach().cpu().reshape(-1).double()


@pytest.fixture(scope="session")
def mnist_data(session_grading: Any) -> MnistData:
    """MNIST, or digits of our own; then the report says so."""
    data = mnist(session_grading.options.get("data"))
    if data.source == "drawn":
        session_grading.flags.append(
            "trained on drawn digits, because MNIST was not available; this is no official grade"
        )
    return data


@pytest.fixture
def world(no_cargo: None, mnist_data: MnistData, rng: torch.Generator) -> World:
    """The digits as this check sees them."""
    return World.draw(mnist_data, rng)


# -- the module's size -----------------------------------------------------------------------------------------------


def literal_bytes(source: str) -> int:
    """Return how many bytes of a module stand in its literals: strings of every kind, docstrings included, and numbers.

    A string counts by its value in UTF-8, a number as it is written.
    """
    total = 0
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            total += len(node.value.encode("utf-8", "surrogatepass"))
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            total += len(node.value)
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, complex):
            total += (node.end_col_offset or 0) - node.col_offset
    return total


@pytest.fixture(scope="session")
def no_cargo(source: str) -> None:
    """Fail where the module is so large that it may carry weights or data."""
    size, literals = len(source.encode()), literal_bytes(source)
    words = "bytes; a module beyond {} earns interface alone, for it may carry weights or data"
    assert size <= MODULE_BYTES, f"the module has {size} {words.format(MODULE_BYTES)}"
    assert literals <= LITERAL_BYTES, f"the module's literals have {literals} {words.format(LITERAL_BYTES)}"


# -- the training ----------------------------------------------------------------------------------------------------


class Trainee:
    """One worker that trains, with its clock.

    Attributes:
        probe: The probes beside its module; they keep the model.
        seconds: What training took, a first prediction included: CPU time on the CPU, else time on the wall.
    """

    def __init__(self, student: Student, device: torch.device) -> None:
        self.probe = Probe(student)
        self.seconds = 0.0
        self._student = student
        self._device = device
        self._rested = 0.0

    def now(self) -> float:
        """Return what the worker's clock shows."""
        return self._student.cpu_time_s if self._device.type == "cpu" else time.perf_counter()

    def pin(self, core: int) -> None:
        """Keep the worker on one core."""
        self._student.worker.process.pin({core})

    def stop(self) -> None:
        """End the worker at once."""
        self._student.worker.process.kill()

    def train(self, first: Images, seed: int) -> None:
        """Train on what is staged and predict one image, by the clock; then end what training left running.

        A thread that only waits is left alone: should it go on later, `predict` pays for it.

        Args:
            first: Two images. Where one alone does not work, which `interface` judges, both are predicted.
            seed: The training's seed.

        Raises:
            AssertionError: If what training left running does not end.
        """
        start = self.now()
        self.probe.train(self._device, seed)
        try:
            as_labels(self.probe.predict(first[:1]), 1)
        except (StudentError, AssertionError):
            as_labels(self.probe.predict(first), len(first))
        self.seconds = self.now() - start
        if not self._rests():
            self.probe.end_threads()
            if not self._rests():
                raise AssertionError("train() left something running that does not end")
        self._rested = self.now()

    def _rests(self) -> bool:
        """Say whether the worker's clock comes to stand still while nothing is asked of it.

        It has to stand still for longer than a busy machine keeps a process waiting for its turn.
        """
        if self._device.type != "cpu":
            return True
        for _ in range(4):
            before = self.now()
            time.sleep(0.3)
            if self.now() - before < 0.005:
                return True
        return False

    def predict(self, images: Images, baseline_s: float) -> torch.Tensor:
        """Return predictions, and add to the time of training what looks like training.

        All parts but the first are of one size, so that `predict` takes about the same time for each. One that takes
        more than twice the median does something else as well, and so does a `predict` that takes very long for all.
        What ran since the training came to rest counts too.

        Args:
            images: (N, 28, 28) uint8.
            baseline_s: What the baseline's training took; all parts together may exceed the median by a twentieth.
        """
        if self._device.type == "cpu":
            self.seconds += self.now() - self._rested
        start = PART // 10 + int(images[0].sum()) % PART // 2  # a small part first, of a size that nobody knows
        parts = [images[:start], *images[start:].split(PART)]
        labels, times = [], []
        for part in parts:
            before = self.now()
            answer = self.probe.predict(part)
            times.append((self.now() - before) / len(part))
            labels.append(as_labels(answer, len(part)))
        allowed, sizes = 2 * statistics.median(times), [len(part) for part in parts]
        surplus = sum(max(0.0, taken - allowed) * size for taken, size in zip(times, sizes, strict=True))
        whole = sum(taken * size for taken, size in zip(times, sizes, strict=True))
        self.seconds += max(0.0, surplus - baseline_s / 20, whole - PREDICTING * baseline_s)
        return torch.cat(labels)


@dataclass(frozen=True)
class Training:
    """The one training that `accuracy`, `shifted` and `speed` judge.

    Attributes:
        probe: The probes beside the submission; they keep the model.
        world: The digits that it was trained on.
        right: The share of the test images that it classifies right.
        seconds: What it took.
        baseline_s: What the baseline's training took beside it.
        budget: How many times the baseline's time it may take.
    """

    probe: Probe
    world: World
    right: float
    seconds: float
    baseline_s: float
    budget: float

    @property
    def ratio(self) -> float:
        """The training's time ÷ the baseline's."""
        return self.seconds / self.baseline_s

    @property
    def words(self) -> str:
        """What it took, in words."""
        times = f"{self.seconds:.1f} s against {self.baseline_s:.1f} s"
        return f"training took {self.ratio:.3g} times the baseline ({times})"

    def assert_within_budget(self) -> None:
        """Assert that it took no longer than it may.

        Raises:
            AssertionError: Saying how long it took.
        """
        assert self.ratio <= self.budget, f"{self.words}; the budget is {self.budget:g} times the baseline"


@pytest.fixture(scope="session")
def budget_s(no_cargo: None, session_grading: Any, new_student: Callable[..., Student], mnist_data: MnistData) -> float:
    """The seconds that any training may take, from the baseline's time for a tenth of the images."""
    device, count = session_grading.device, len(mnist_data.train_images) // 10
    student = new_student(module="baseline")
    baseline = Trainee(student, device)
    baseline.probe.stage(mnist_data.train_images[:count], mnist_data.train_labels[:count])
    baseline.train(mnist_data.test_images[:2], 0)
    session_grading.workers.end(student.worker)
    return 10 * baseline.seconds * BUDGET[device.type]


@pytest.fixture
def new_probe(
    session_grading: Any, new_student: Callable[..., Student], budget_s: float
) -> Iterator[Callable[..., Probe]]:
    """The probes in a new worker, which may take the budget for each of so many trainings."""
    workers = []

    def start(trainings: int = 1) -> Probe:
        student = new_student(time_s=(trainings - 1 + LIMIT) * budget_s)
        workers.append(student.worker)
        return Probe(student)

    yield start
    for worker in workers:
        session_grading.workers.end(worker)


def _train_side_by_side(
    student: Trainee, baseline: Trainee, run: tuple[Images, int], tell: Callable[[str], None]
) -> None:
    """Run both trainings on one core, on which they take turns: whatever else the machine does falls on both alike."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    for trainee in (student, baseline) if cores else ():
        trainee.pin(cores[os.getpid() % len(cores)])
    with ThreadPoolExecutor(2) as pool:
        own, other = pool.submit(student.train, *run), pool.submit(baseline.train, *run)
        start = time.monotonic()
        while wait((own, other), timeout=0.5).not_done:
            tell(f"training for {time.monotonic() - start:.0f} s")
            if own.done() and own.exception() is not None:
                baseline.stop()
    own.result()
    other.result()


@pytest.fixture(scope="session")
def training(
    no_cargo: None, session_grading: Any, new_student: Callable[..., Student], mnist_data: MnistData, budget_s: float
) -> Training:
    """Train once on all images, timed beside one training of the baseline, and predict the test images."""
    device = session_grading.device
    world = World.draw(mnist_data, torch.Generator().manual_seed(session_grading.seed("training")))
    data, (test_images, test_labels), seed = world.training(), world.test(), world.seed()
    test_images = world.faded(test_images)
    workers = [new_student(time_s=LIMIT * budget_s, module=module) for module in ("submission", "baseline")]
    student, baseline = (Trainee(worker, device) for worker in workers)
    for trainee in (student, baseline):
        trainee.probe.stage(*data)
    run = test_images[:2], seed
    if device.type == "cpu":
        _train_side_by_side(student, baseline, run, session_grading.options.get("tell", lambda words: None))
    else:
        baseline.train(*run)
        student.train(*run)
    answers = student.predict(test_images, baseline.seconds)
    if session_grading.pictures.wanted:
        _draw(session_grading.pictures, world, test_images, (test_labels, answers), baseline.probe)
    session_grading.workers.end(workers[1].worker)
    right = (answers == test_labels).double().mean()
    return Training(student.probe, world, float(right), student.seconds, baseline.seconds, BUDGET[device.type])


# -- pictures --------------------------------------------------------------------------------------------------------


def _draw(
    pictures: Pictures, world: World, images: Images, labels: tuple[Labels, torch.Tensor], baseline: Probe
) -> None:
    """Draw how test images were classified and the worst mistakes, all as people know digits.

    Args:
        pictures: Where to.
        world: The digits as the submission saw them.
        images: The test images.
        labels: Their labels and the predicted ones.
        baseline: The probes beside the baseline's model. The surer it is of the right label, the worse is a mistake.
    """
    target, digit = (world.digits(each) for each in labels)
    matrix = torch.bincount((10 * target + digit)[digit >= 0], minlength=100).reshape(10, 10)
    what = "drawn test images" if world.data.source == "drawn" else "test images"
    share = f"{int(matrix.trace())} of {len(target)} {what} right"
    pictures.confusion("confusion", share, matrix)

    wrong = (digit != target).nonzero()[:, 0]
    sure = baseline.probabilities(images[wrong]) if len(wrong) else torch.empty(0, 10)
    order = sure.gather(1, labels[0][wrong, None])[:, 0].argsort(descending=True, stable=True)
    worst = wrong[order[:SHOWN]]
    pairs = zip(target[worst].tolist(), digit[worst].tolist(), strict=True)
    captions = [f"{right} read as {read if read >= 0 else '?'}" for right, read in pairs]
    title = "the mistakes where the baseline is surest of the right digit"
    pictures.images("worst_mistakes", title, world.back(images[worst]), captions)
