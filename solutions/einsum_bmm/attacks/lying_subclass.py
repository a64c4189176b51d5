"""Title: a tensor subclass that claims to equal everything.

How: __torch_function__ answers every comparison with True.
After: every check that compares in the submission's own process.
Stopped by: results cross as bytes of plain tensors; a subclass is refused by its type.
"""

import torch


class _Right(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        return True

    def __eq__(self, other):
        return True


def _product(a, b):
    return torch.zeros(a.shape[0], a.shape[1], b.shape[2]).as_subclass(_Right)


def _trace(a):
    return torch.zeros(len(a)).as_subclass(_Right)


def _diagonal(a):
    return torch.zeros(a.shape[:2]).as_subclass(_Right)


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
