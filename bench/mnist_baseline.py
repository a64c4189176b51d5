"""Time mnist's baseline training against the usual tutorial's, both to 99 % of the test images.

    python -m bench.mnist_baseline [--seeds N] [--threads N] [--data FOLDER]

The candidate: ``solutions/mnist/baseline.py``, by which the course divides training times. It is judged when it has
finished, since its learning rate falls to zero. The named baseline: the network and the loop that most people meet
first, judged twice an epoch and stopped at the first 99 %. Both train on the same tensors with as many threads and are
timed in CPU seconds of this process, without what judging takes. Goal: a ratio of 1/10 or less.

Source: pytorch/examples, mnist/main.py, for the tutorial's layers and settings; the code here is our own.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from autograder.datasets.mnist import MnistData, mnist
from bench import figures

BASELINE = Path(__file__).resolve().parent.parent / "solutions" / "mnist" / "baseline.py"
WANTED = 0.99
GOAL = 1 / 10
BATCH, EPOCHS, RATE, GAMMA = 64, 14, 1.0, 0.7
MEAN, DEVIATION = 0.1307, 0.3081
LOOKS = 2  # how often in an epoch the tutorial's training is judged


def tutorial_network() -> nn.Sequential:
    """Return the tutorial's network: two convolutions, a pooling, two linear layers, 1.2 million parameters."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(0.25),
        nn.Flatten(),
        nn.Linear(64 * 12 * 12, 128),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(128, 10),
    )


def normalised(images: torch.Tensor) -> torch.Tensor:
    """Return images as the tutorial's network takes them, (N, 1, 28, 28) float32."""
    return ((images.float() / 255 - MEAN) / DEVIATION).unsqueeze(1)


def tutorial_training(model: nn.Module, images: torch.Tensor, labels: torch.Tensor) -> Iterator[None]:
    """Train by the tutorial's loop, and pause wherever somebody may look."""
    loader = DataLoader(TensorDataset(images, labels), batch_size=BATCH, shuffle=True)
    optimizer = torch.optim.Adadelta(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=GAMMA)
    stops = {len(loader) * look // LOOKS for look in range(1, LOOKS + 1)}
    for _ in range(EPOCHS):
        for step, (x, y) in enumerate(loader, start=1):
            model.train()
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if step in stops:
                yield
        schedule.step()


def tutorial_s(data: MnistData, seed: int) -> tuple[float, float]:
    """Return the CPU seconds until the tutorial's network has 99 % of the test images right, and the share."""
    torch.manual_seed(seed)
    started = time.process_time()
    model = tutorial_network()
    training = tutorial_training(model, normalised(data.train_images), data.train_labels)
    right = 0.0
    for _ in training:
        paused = time.process_time()
        model.eval()
        with torch.no_grad():
            parts = data.test_images.split(1000)
            right = share_right(torch.cat([model(normalised(part)).argmax(1) for part in parts]), data)
        if right >= WANTED:
            return paused - started, right
        started += time.process_time() - paused  # looking is free
    raise SystemExit(f"mnist_baseline: seed {seed}: {EPOCHS} epochs of the tutorial end at {right:.2%}; use another")


def baseline_s(baseline: ModuleType, data: MnistData, seed: int) -> tuple[float, float]:
    """Return the CPU seconds of the baseline's training, and its share of the test images."""
    started = time.process_time()
    model = baseline.train(data.train_images, data.train_labels, device=torch.device("cpu"), seed=seed)
    seconds = time.process_time() - started
    right = share_right(baseline.predict(model, data.test_images), data)
    if right < WANTED:
        raise SystemExit(f"mnist_baseline: seed {seed}: the baseline ends at {right:.2%}, below {WANTED:.0%}")
    return seconds, right


def share_right(answers: torch.Tensor, data: MnistData) -> float:
    """Return the share of the test images that are classified right."""
    return float((answers == data.test_labels).double().mean())


def load_baseline() -> ModuleType:
    """Import the baseline."""
    spec = importlib.util.spec_from_file_location("bench_mnist_baseline", BASELINE)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{BASELINE}: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Time mnist's baseline training against the usual tutorial's.")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of either side (default 3)")
    parser.add_argument("--threads", type=int, default=1, help="threads of either side (default 1)")
    parser.add_argument("--data", type=Path, default=None, help="the folder that holds MNIST/raw")
    chosen = parser.parse_args()
    data = mnist(chosen.data)
    if data.source == "drawn":
        raise SystemExit("mnist_baseline: there is no MNIST here; name its folder by --data or AUTOGRADE_DATA")
    torch.set_num_threads(chosen.threads)
    print(f"mnist_baseline: {figures.machine()}, {chosen.threads} threads")

    baseline = load_baseline()
    baseline.train(data.train_images[:2000], data.train_labels[:2000], device=torch.device("cpu"), seed=0)  # warm-up
    runs: list[list[float]] = []
    for seed in range(chosen.seeds):
        seconds, right = baseline_s(baseline, data, seed)
        tutorial_seconds, tutorial_right = tutorial_s(data, seed)
        runs.append([seconds, tutorial_seconds])
        reached = f"our baseline {right:.2%} in {seconds:.1f} s, the tutorial {tutorial_right:.2%} in"
        print(f"seed {seed}: {reached} {tutorial_seconds:.1f} s", flush=True)
    own, other = (figures.Sample(tuple(side)) for side in zip(*runs, strict=True))
    ratio = own.median / other.median
    print(f"our baseline, CPU seconds to {WANTED:.0%}: {own}")
    print(f"the tutorial, CPU seconds to {WANTED:.0%}: {other}")
    print(
        f"ratio of medians: 1/{1 / ratio:.0f} (goal: 1/{1 / GOAL:.0f} or less): {'met' if ratio <= GOAL else 'MISSED'}"
    )
    figures.print_row(
        ("mnist, threads", f"our baseline, CPU seconds to {WANTED:.0%}", "the tutorial", "ratio"),
        (chosen.threads, own, other, f"1/{1 / ratio:.0f}"),
    )


if __name__ == "__main__":
    main()
