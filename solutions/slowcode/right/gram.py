"""The expansion x² - 2xy + y² held at zero by a clamp, einsum, index_put, and one padded product for the bags."""

import torch
from torch.nn import functional


def batch_features(xs):
    """Use cos² = 1 - sin²."""
    sine = torch.stack(xs).sin()
    return sine + 1 - sine * sine


def pairwise_sq_dists(x, y):
    """Expand the square."""
    squares = x.square().sum(1)[:, None] + y.square().sum(1)[None]
    return (squares - 2 * x @ y.T).clamp(min=0)


def causal_attention(q, k, v):
    """Give what lies ahead a weight of zero."""
    scores = torch.einsum("btd,bsd->bts", q, k) * q.shape[-1] ** -0.5
    before = torch.ones_like(scores).tril()
    weights = functional.softmax(scores, -1) * before
    return torch.einsum("bts,bsd->btd", weights / weights.sum(-1, keepdim=True), v)


def confusion_matrix(pred, target, num_classes):
    """Add a one at each pair of labels."""
    matrix = pred.new_zeros(num_classes, num_classes)
    return matrix.index_put_((target, pred), pred.new_ones(()), accumulate=True)


def bag_means(table, ids, lengths):
    """Average by one batched product with weights that are zero past the end."""
    weights = (torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(-1)).to(table.dtype)
    weights = weights / lengths.clamp(min=1).unsqueeze(-1)
    return torch.bmm(weights.unsqueeze(1), table[ids]).squeeze(1)
