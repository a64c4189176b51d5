"""Right, in other ways than the reference: lazy layers, targets as vectors, dropout.

The seed reaches the layers through a generator of its own and `torch.manual_seed`, what is drawn is drawn by Python's
`random`, a thread prepares batches ahead and is never told to end, and the model returns bfloat16 scores.
"""

import queue
import random
import threading

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOW = True

BATCH = 125


class Net(nn.Module):
    """Lazy convolutions behind a space-to-depth layer."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.LazyConv2d(32, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.LazyBatchNorm2d(),
            nn.SiLU(),
            nn.LazyConv2d(48, 3, padding=1, bias=False),
            nn.LazyBatchNorm2d(),
            nn.SiLU(),
            nn.LazyConv2d(64, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.LazyBatchNorm2d(),
            nn.SiLU(),
            nn.Flatten(),
            nn.Dropout(0.05),
            nn.LazyLinear(10),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return a score for each class."""
        return self.body(x).bfloat16()


def build_model() -> nn.Module:
    """Return the network before its layers know their sizes."""
    return Net()


def batches(images: Tensor, labels: Tensor, epochs: int, chance: random.Random, line: "queue.Queue") -> None:
    """Put prepared batches into a line, then wait for ever."""
    targets = 0.9 * torch.eye(10)[labels] + 0.01
    for _ in range(epochs):
        order = list(range(len(images)))
        chance.shuffle(order)
        for start in range(0, len(order) - BATCH + 1, BATCH):
            chosen = torch.tensor(order[start : start + BATCH])
            move = chance.choice((-1, 0, 1)), chance.choice((-1, 0, 1))
            line.put((images[chosen].roll(move, (1, 2)).unsqueeze(1).float() / 255, targets[chosen]))
    threading.Event().wait()


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Train with Adam under one cycle of rates."""
    chance = random.Random(seed)
    torch.manual_seed(seed)
    model = build_model()
    model.eval()(images[:2].unsqueeze(1).float())
    model.train()
    model.to(device)
    epochs = max(1, 130 * BATCH // len(images))
    steps = epochs * (len(images) // BATCH)
    line: queue.Queue = queue.Queue(maxsize=4)
    threading.Thread(target=batches, args=(images, labels, epochs, chance, line), daemon=True).start()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 8e-3, total_steps=steps)
    for _ in range(steps):
        x, target = line.get()
        loss = F.cross_entropy(model.body(x.to(device)), target.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return model


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return the class whose score is highest, computed by the layers themselves."""
    model.eval()
    device = next(model.parameters()).device
    with torch.no_grad():
        return model.body(images.to(device)[:, None] / 255.0).double().argmax(-1).to("cpu")
