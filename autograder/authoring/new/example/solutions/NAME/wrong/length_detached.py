"""Takes the length for a constant, so that the gradient lacks its second term."""

import torch
from torch import Tensor

FAILS = ["gradcheck"]


def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its length along `dim`."""
    with torch.no_grad():
        largest = x.abs().amax(dim, keepdim=True)
        largest.masked_fill_(largest == 0, 1.0)
        length = torch.linalg.vector_norm(x / largest, dim=dim, keepdim=True).clamp(min=1.0)
    return x / largest / length
