"""Hands out the same memory again where no gradient is asked for."""

import torch
from torch import Tensor

FAILS = ["results_kept"]

BUFFERS: dict[tuple[torch.Size, torch.dtype], Tensor] = {}


def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its length along `dim`."""
    largest = x.detach().abs().amax(dim, keepdim=True)
    largest.masked_fill_(largest == 0, 1.0)
    if x.requires_grad:
        scaled = x / largest
        return scaled / torch.linalg.vector_norm(scaled, dim=dim, keepdim=True).clamp(min=1.0)
    buffer = BUFFERS.setdefault((x.shape, x.dtype), torch.empty(x.shape, dtype=x.dtype, device=x.device))
    torch.div(x, largest, out=buffer)
    buffer /= torch.linalg.vector_norm(buffer, dim=dim, keepdim=True).clamp(min=1.0)
    return buffer
