"""Goes through the rows in a Python loop."""

import itertools

import torch
from torch import Tensor

FAILS = ["speed"]


def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its length along `dim`."""
    y = torch.empty_like(x)
    source, target = x.movedim(dim, -1), y.movedim(dim, -1)
    for place in itertools.product(*map(range, source.shape[:-1])):
        largest = source[place].detach().abs().max()
        scaled = source[place] / (largest if largest > 0 else 1.0)
        target[place] = scaled / torch.linalg.vector_norm(scaled).clamp(min=1.0)
    return y
