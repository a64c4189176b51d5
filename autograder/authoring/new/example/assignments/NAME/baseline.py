"""What `speed` divides by: PyTorch's own function."""

import torch


def l2_normalize(x: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Return `x` divided by its length along `dim`."""
    return torch.nn.functional.normalize(x, dim=dim)
