"""A training that a timer carries on between the grader's requests.

Title: Training in a signal handler
How: `train` sets an interval timer and returns. Its handler interrupts whatever the process does, waiting for the
    next request included, and takes one step of the training each time.
After: work left running, SIGALRM.
Stopped by: a worker whose clock does not come to rest after the first prediction loses its training.
"""

import signal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

EARNS = ["interface"]
SLOW = True


def build_model() -> nn.Module:
    """Return a small perceptron."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Return at once and train by and by."""
    torch.manual_seed(seed)
    model = build_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def step(number: int, frame: object) -> None:
        with torch.enable_grad():
            batch = torch.randint(len(images), (128,))
            loss = F.cross_entropy(model(images[batch].float() / 255), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        signal.setitimer(signal.ITIMER_REAL, 0.01)

    signal.signal(signal.SIGALRM, step)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    return model


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return the class with the highest score."""
    with torch.no_grad():
        return model(images.float() / 255).argmax(1)
