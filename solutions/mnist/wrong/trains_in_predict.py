"""`train` keeps the images for later; the first large batch that `predict` gets starts the training, for two epochs.

The one image that is predicted by the clock is answered by the nearest class mean. What `predict` takes for one part of
the test images beyond what it takes for the others counts as training.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

FAILS = ["speed"]
SLOW = True

BATCH = 64


class Lazy(nn.Module):
    """A network with the data that it has yet to learn."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, padding=1, bias=False),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * 3 * 3, 10),
        )
        self.means: Tensor | None = None
        self.todo: tuple[Tensor, Tensor, int] | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Return the scores of images, (N, 1, 28, 28) float."""
        return self.layers(x)


def build_model() -> nn.Module:
    """Return the network."""
    return Lazy()


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Compute the class means and keep the rest for later."""
    torch.manual_seed(seed)
    model = Lazy().eval()
    some = images[:2000].float(), labels[:2000]
    model.means = torch.stack([some[0][some[1] == label].mean(0) for label in range(10)])
    model.todo = images, labels, seed
    return model


def learn(model: Lazy, images: Tensor, labels: Tensor, seed: int) -> None:
    """Train for two epochs, or three hundred steps."""
    generator = torch.Generator().manual_seed(seed)
    model.train()
    epochs = max(2, 300 * BATCH // len(images))
    steps = epochs * (len(images) // BATCH + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=generator).split(BATCH):
            down, right = torch.randint(-1, 2, (2,), generator=generator).tolist()
            x = images[batch].roll((down, right), (1, 2)).unsqueeze(1).float() / 255
            loss = F.cross_entropy(model(x), labels[batch], label_smoothing=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Train, if nobody seems to look at the clock; then answer."""
    if len(images) == 1 and model.todo is not None:
        return (model.means - images.float()).square().sum((1, 2)).argmin().view(1)
    if model.todo is not None:
        learn(model, *model.todo)
        model.todo = None
    model.eval()
    with torch.no_grad():
        return model(images.unsqueeze(1).float() / 255).argmax(1)
