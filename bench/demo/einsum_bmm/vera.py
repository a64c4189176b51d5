"""einsum_bmm, by vera."""

import torch
from torch import Tensor


def _agree(what: str, *pairs: tuple[int, int]) -> None:
    """Refuse sizes that differ: einsum would stretch an axis of size 1."""
    for one, other in pairs:
        assert one == other, what


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """Multiply (B, N, K) by (B, K, M)."""
    _agree("bmm", (a.shape[0], b.shape[0]), (a.shape[2], b.shape[1]))
    return torch.einsum("bnk,bkm->bnm", a, b)


def bilinear(x: Tensor, w: Tensor, y: Tensor) -> Tensor:
    """Return xᵀ w y for each row: (B, I), (I, J), (B, J) -> (B,)."""
    _agree("bilinear", (x.shape[0], y.shape[0]), (x.shape[1], w.shape[0]), (w.shape[1], y.shape[1]))
    return torch.einsum("bj,bj->b", torch.einsum("bi,ij->bj", x, w), y)


def trace(a: Tensor) -> Tensor:
    """Return the trace of each matrix: (B, N, N) -> (B,)."""
    _agree("trace", (a.shape[1], a.shape[2]))
    return torch.einsum("bii->b", a)


def diagonal(a: Tensor) -> Tensor:
    """Return the diagonal of each matrix: (B, N, N) -> (B, N)."""
    _agree("diagonal", (a.shape[1], a.shape[2]))
    return torch.einsum("bii->bi", a)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return softmax(q kᵀ / sqrt(D)) v: (B, Q, D), (B, K, D), (B, K, V) -> (B, Q, V)."""
    _agree("attention", (q.shape[0], k.shape[0]), (k.shape[0], v.shape[0]))
    _agree("attention", (q.shape[2], k.shape[2]), (k.shape[1], v.shape[1]))
    scores = torch.einsum("bqd,bkd->bqk", q, k) / q.shape[2] ** 0.5
    return torch.einsum("bqk,bkv->bqv", torch.softmax(scores, dim=-1), v)


def chain(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Multiply four matrices in the order that needs the fewest multiplications."""
    (i, j), k, (l, m) = a.shape, b.shape[1], d.shape
    two = lambda x, y: torch.einsum("xy,yz->xz", x, y)
    orders = [
        (i * j * k + i * k * l + i * l * m, lambda: two(two(two(a, b), c), d)),
        (j * k * l + i * j * l + i * l * m, lambda: two(two(a, two(b, c)), d)),
        (i * j * k + k * l * m + i * k * m, lambda: two(two(a, b), two(c, d))),
        (j * k * l + j * l * m + i * j * m, lambda: two(a, two(two(b, c), d))),
        (k * l * m + j * k * m + i * j * m, lambda: two(a, two(b, two(c, d)))),
    ]
    return min(orders, key=lambda order: order[0])[1]()
