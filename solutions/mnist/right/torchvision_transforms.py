"""Right, in other ways than the reference: torchvision's transforms turn, stretch and move the digits.

The model is a residual network with a global average at its end; settings live in module-level names in upper case, the
optimizer has one group for what is decayed and one for what is not, and gradients are clipped.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.transforms import v2

SLOW = True

BATCH, STEPS, RATE = 120, 150, 0.01
AUGMENT = v2.RandomAffine(degrees=4, translate=(0.04, 0.04), scale=(0.97, 1.03))
PREPARE = v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.13], [0.31])])


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return features of the same shape."""
        return F.relu(x + self.inner(x))


def build_model() -> nn.Module:
    """Return the network."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 4, stride=4, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        Residual(64),
        nn.AdaptiveMaxPool2d(2),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Train with decoupled weight decay on matrices alone."""
    torch.manual_seed(seed)
    model = build_model().to(device)
    matrices = [weight for weight in model.parameters() if weight.ndim > 1]
    vectors = [weight for weight in model.parameters() if weight.ndim == 1]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, fused=True)
    count = max(STEPS, len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=count, pct_start=0.2)
    order = iter(())
    for _ in range(count):
        chosen = next(order, None)
        if chosen is None:
            order = iter(torch.randperm(len(images)).split(BATCH))
            chosen = next(order)
        x = PREPARE(AUGMENT(images[chosen].unsqueeze(1).to(device)))
        loss = F.cross_entropy(model(x), labels[chosen].to(device), label_smoothing=0.1)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return the class with the highest score."""
    device = next(model.parameters()).device
    return model.eval()(PREPARE(images.unsqueeze(1).to(device))).argmax(1).cpu()
