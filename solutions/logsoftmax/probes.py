"""What the hidden checks of log_softmax observe beside the submission. Nothing here knows a right answer."""

from types import ModuleType

import torch


def forward(submission: ModuleType, x: torch.Tensor) -> torch.Tensor:
    """Return log_softmax of `x` along its last dimension with the graph that a backward would need."""
    return submission.log_softmax(x.requires_grad_(), -1)
