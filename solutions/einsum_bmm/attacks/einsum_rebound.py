"""Title: torch.einsum rebound to a forbidden product.

How: torch.einsum and torch.functional.einsum are replaced by a function that calls torch.matmul.
After: own_work, if it only looks whether torch.einsum was called.
Stopped by: the forbidden call is seen where it is made; own_work follows the operator behind the name.
"""

import torch


def _fake(equation, a, b=None):
    return torch.matmul(a, b) if b is not None else torch.diagonal(a, dim1=1, dim2=2)


torch.einsum = torch.functional.einsum = _fake


def _product(a, b):
    return torch.einsum("bnk,bkm->bnm", a, b)


def _diagonal(a):
    return torch.einsum("bii->bi", a)


def _trace(a):
    return _diagonal(a).sum(-1)


def _squeeze(x):
    return x[:, 0, 0]


def bmm(a, b):
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise ValueError
    return _product(a, b)


def bilinear(x, w, y):
    if len(x) != len(y) or w.shape != (x.shape[1], y.shape[1]):
        raise ValueError
    return _squeeze(_product(x[:, None, :], _product(w.expand(len(x), *w.shape), y[:, :, None])))


def trace(a):
    if a.shape[1] != a.shape[2]:
        raise ValueError
    return _trace(a)


def diagonal(a):
    if a.shape[1] != a.shape[2]:
        raise ValueError
    return _diagonal(a)


def attention(q, k, v):
    if not len(q) == len(k) == len(v) or q.shape[2] != k.shape[2] or k.shape[1] != v.shape[1]:
        raise ValueError
    return _product(torch.softmax(_product(q, k.transpose(1, 2)) / q.shape[2] ** 0.5, -1), v)


def chain(a, b, c, d):
    return _product(a[None], _product(b[None], _product(c[None], d[None])))[0]
