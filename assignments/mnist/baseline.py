"""What `speed` divides by where the course's own baseline is not at hand, as on a student's machine.

It is one epoch of a plain perceptron, which gets about 97 % of MNIST's test images right. That is no way to the goal,
but it costs about as much as the training that official grading divides by: the ratio that you see is provisional.
"""

import torch
from torch import nn
from torch.nn import functional as F

BATCH, WIDTH = 128, 768


def build_model() -> nn.Sequential:
    """Return a perceptron with two hidden layers."""
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 10)
    )


def train(images: torch.Tensor, labels: torch.Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Train for one epoch."""
    torch.manual_seed(seed)
    images, labels = images.to(device), labels.to(device)
    model = build_model().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    for batch in torch.randperm(len(images)).to(device).split(BATCH):
        loss = F.cross_entropy(model(images[batch].float() / 255), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def scores(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the scores of images, (N, 10) on the model's device."""
    return model(images.to(next(model.parameters()).device).float() / 255)


def predict(model: nn.Module, images: torch.Tensor) -> torch.Tensor:
    """Return the class with the highest score."""
    with torch.no_grad():
        return scores(model, images).argmax(1).cpu()
