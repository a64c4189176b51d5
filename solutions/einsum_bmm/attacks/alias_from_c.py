"""Title: the built-in under its C name.

How: torch._C._VariableFunctions.bmm and Tensor methods of the C base class, looked up by strings.
After: every check, without writing an einsum.
Stopped by: the guard's torch-function mode, which sees calls by the function's name; own_work, which follows einsum.
"""

import torch

_functions = getattr(torch._C, "_Variable" + "Functions")
_product = getattr(_functions, "b" + "mm")
_diagonal_of = getattr(torch._C.TensorBase, "dia" + "gonal")


def _diagonal(a):
    return _diagonal_of(a, dim1=1, dim2=2)


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
