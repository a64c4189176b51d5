"""Title: Return a tensor that claims to be equal to anything.
How: a subclass whose comparisons, differences and norms answer as a right result would.
After: every check of values, with no computation at all.
Stopped by: a result must be a plain tensor, and only its bytes cross to the grader.
"""

import torch


class Agreeable(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("allclose", "equal", "__eq__", "eq", "isclose", "all"):
            return True
        if name in ("sub", "__sub__", "rsub", "abs", "norm", "max"):
            return torch.zeros(())
        return super().__torch_function__(func, types, args, kwargs or {})

    def __eq__(self, other):
        return True

    __hash__ = torch.Tensor.__hash__


def batch_features(xs):
    return torch.zeros(len(xs), *xs[0].shape, dtype=xs[0].dtype).as_subclass(Agreeable)


def pairwise_sq_dists(x, y):
    return torch.zeros(len(x), len(y), dtype=x.dtype).as_subclass(Agreeable)


def causal_attention(q, k, v):
    return v.detach().clone().as_subclass(Agreeable)


def confusion_matrix(pred, target, num_classes):
    return torch.zeros(num_classes, num_classes, dtype=torch.int64).as_subclass(Agreeable)


def bag_means(table, ids, lengths):
    return torch.zeros(len(ids), table.shape[1], dtype=table.dtype).as_subclass(Agreeable)
