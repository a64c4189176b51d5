"""slowcode, by noor."""

import math

import torch
import torch.nn.functional as F


def batch_features(xs):
    """Concatenate, then compute in place on the copy."""
    batch = torch.cat(xs).reshape(len(xs), *xs[0].shape)
    return batch.cos().square() + batch.sin()


def pairwise_sq_dists(x, y):
    """Broadcast to (N, M, D)."""
    return ((x[:, None] - y[None]) ** 2).sum(-1)


def causal_attention(q, k, v):
    """Mask the scores, then take the softmax by hand."""
    length = q.shape[1]
    scores = q @ k.transpose(1, 2) / math.sqrt(q.shape[2])
    scores = scores + torch.full((length, length), -math.inf, dtype=q.dtype, device=q.device).triu(1)
    weights = (scores - scores.amax(-1, keepdim=True)).exp()
    return weights @ v / weights.sum(-1, keepdim=True)


def confusion_matrix(pred, target, num_classes):
    """Multiply one-hot matrices, in float64, which holds every count exactly."""
    rows, columns = (F.one_hot(labels, num_classes).double() for labels in (target, pred))
    return (rows.T @ columns).long()


def bag_means(table, ids, lengths):
    """Gather every row, padding included, and mask it away."""
    mask = torch.arange(ids.shape[1], device=ids.device)[None] < lengths[:, None]
    return (table[ids] * mask[..., None]).sum(1) / lengths.clamp_min(1)[:, None]
