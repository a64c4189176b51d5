"""Squares the elements as they are."""

import torch
from torch import Tensor

FAILS = ["extremes"]


def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its length along `dim`."""
    length = torch.linalg.vector_norm(x, dim=dim, keepdim=True)
    return x / torch.where(length > 0, length, 1.0)
