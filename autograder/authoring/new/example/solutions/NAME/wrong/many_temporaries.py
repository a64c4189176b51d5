"""Keeps every intermediate tensor until it returns, lengths in full size among them."""

from torch import Tensor

FAILS = ["memory"]


def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its length along `dim`."""
    largest = x.detach().abs().amax(dim, keepdim=True)
    scaled = x / largest.masked_fill_(largest == 0, 1.0)
    squares = scaled**2
    lengths = squares.sum(dim, keepdim=True).clamp(min=1.0).sqrt().expand(x.shape).contiguous()
    return scaled / lengths
