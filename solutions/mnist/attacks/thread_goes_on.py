"""A training that goes on after `train` has returned.

Title: Training on a thread that outlives train
How: `train` starts a thread and returns the untrained model at once. `predict` answers for a single image, which the
    clock still covers, without waiting; for more than one it waits until the thread has trained.
After: work left on a thread, daemons, moving cost into an untimed call.
Stopped by: threads that `train` leaves running are ended after the first prediction, before the test images come.
"""

import threading

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EARNS = ["interface", "learns", "reproducible"]
SLOW = True

PENDING: list[threading.Thread] = []


def build_model() -> nn.Module:
    """Return a small convolutional network."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * 5 * 5, 10),
    )


def learn(model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> None:
    """Train for five hundred steps or more."""
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for _ in range(max(1, 500 * 64 // len(images))):
        for batch in torch.randperm(len(images), generator=generator).split(64):
            loss = F.cross_entropy(model(images[batch].unsqueeze(1).float() / 255), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Return at once and train later."""
    torch.manual_seed(seed)
    model = build_model()
    generator = torch.Generator().manual_seed(seed)
    thread = threading.Thread(target=learn, args=(model, images, labels, generator), daemon=True)
    PENDING.append(thread)
    thread.start()
    return model


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Wait for the training, unless this is the one image that is timed."""
    if len(images) > 1:
        while PENDING:
            PENDING.pop().join()
    with torch.no_grad():
        return model(images.unsqueeze(1).float() / 255).argmax(1)
