"""Forgets rows of zeros, which become nan."""

import torch
from torch import Tensor

FAILS = ["extremes"]


def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its length along `dim`."""
    scaled = x / x.detach().abs().amax(dim, keepdim=True)
    return scaled / torch.linalg.vector_norm(scaled, dim=dim, keepdim=True)
