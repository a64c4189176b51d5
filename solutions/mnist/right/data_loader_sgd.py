"""Right, in other ways than the reference: torch's DataLoader with workers, SGD with Nesterov momentum and OneCycleLR.

The images are normalised as everybody does it, the layers are a plain `Sequential` in the usual memory format, the seed
goes through `fork_rng`, a progress bar is printed, and the model comes back in training mode.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

SLOW = True

MEAN, DEVIATION = 0.1307, 0.3081
STEPS = 120


def build_model() -> nn.Module:
    """Return a convolutional network that halves the image early."""
    return nn.Sequential(
        nn.Conv2d(1, 24, 5, stride=2, padding=2, bias=False),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.Conv2d(24, 48, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(48),
        nn.ReLU(),
        nn.Conv2d(48, 64, 3, padding=1, bias=False),
        nn.MaxPool2d(2),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(64 * 3 * 3, 10),
    )


def prepare(images: Tensor) -> Tensor:
    """Normalise images, (N, 28, 28) uint8, to (N, 1, 28, 28) float."""
    return ((images.float() / 255 - MEAN) / DEVIATION).unsqueeze(1)


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Train for one epoch, or for as many as make enough steps."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = build_model().to(device)
        loader = DataLoader(TensorDataset(images, labels), 128, shuffle=True, num_workers=2, drop_last=True)
        epochs = math.ceil(STEPS / len(loader))
        optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.15, total_steps=epochs * len(loader))
        for epoch in range(epochs):
            for step, (x, y) in enumerate(loader):
                down, right = torch.randint(-1, 2, (2,)).tolist()
                x = prepare(x.to(device).roll((down, right), (1, 2)))
                loss = F.cross_entropy(model(x), y.to(device), label_smoothing=0.05)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                schedule.step()
                if step % 50 == 0:
                    print(f"\repoch {epoch + 1}: {step / len(loader):4.0%}, loss {loss.item():.3f}", end="")
            print()
    return model


@torch.inference_mode()
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return the class with the highest score, in pieces of 100 images."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    labels = [model(prepare(piece.to(device))).max(dim=1).indices.cpu() for piece in images.split(100)]
    model.train(was_training)
    return torch.cat(labels)
