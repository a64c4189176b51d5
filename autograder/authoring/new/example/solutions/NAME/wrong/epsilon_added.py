"""Adds a small number to the length, so that no row divides by zero."""

import torch
from torch import Tensor

FAILS = ["values", "extremes"]


def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its length along `dim`."""
    length = torch.linalg.vector_norm(x, dim=dim, keepdim=True, dtype=torch.float64)
    return x / (length + 1e-5).to(x.dtype)
