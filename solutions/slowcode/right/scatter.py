"""Sums by scatter_add and running sums; masks kept by their size, and scratch memory written before it is read."""

import functools
import math

import torch


@functools.cache
def scratch(number, shape, dtype, device):
    """Return memory to stack in."""
    return torch.empty(number, *shape, dtype=dtype, device=device)


@functools.cache
def ahead(length, device):
    """Return which positions lie ahead: a constant of the length alone."""
    return torch.ones(length, length, dtype=torch.bool, device=device).triu(1)


def batch_features(xs):
    """Stack in scratch memory where no graph needs the batch later."""
    if any(x.requires_grad for x in xs):
        batch = torch.stack(xs)
    else:
        batch = scratch(len(xs), xs[0].shape, xs[0].dtype, xs[0].device)
        torch.stack(xs, out=batch)
    return torch.addcmul(batch.sin(), batch.cos(), batch.cos())


def pairwise_sq_dists(x, y):
    """Expand the square in one addmm, and let relu cut off what rounding puts below zero."""
    squares = (x * x).sum(-1, keepdim=True) + (y * y).sum(-1)
    return torch.addmm(squares, x, y.mT, alpha=-2).relu()


def causal_attention(q, k, v):
    """Take the softmax over scores that are minus infinity ahead."""
    scores = torch.bmm(q / math.sqrt(q.size(-1)), k.mT)
    return torch.bmm(scores.masked_fill(ahead(q.size(1), q.device), -math.inf).softmax(-1), v)


def confusion_matrix(pred, target, num_classes):
    """Scatter ones into the flat matrix."""
    flat = torch.zeros(num_classes * num_classes, dtype=torch.int64, device=pred.device)
    flat.scatter_add_(0, target * num_classes + pred, torch.ones_like(pred))
    return flat.view(num_classes, num_classes)


def bag_means(table, ids, lengths):
    """Pick each bag's running sum at its own end."""
    sums = torch.nn.functional.pad(table[ids].cumsum(1), (0, 0, 1, 0))
    ends = lengths[:, None, None].expand(-1, 1, table.size(1))
    return sums.gather(1, ends).squeeze(1) / lengths.clamp(min=1).unsqueeze(1)
