"""The weights are cut off the graph: only the values get gradients."""

import math

import torch

FAILS = ["causal_attention"]


def batch_features(xs):
    batch = torch.stack(xs)
    return batch.sin() + batch.cos() ** 2


def pairwise_sq_dists(x, y):
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2


def causal_attention(q, k, v):
    length = q.shape[1]
    ahead = torch.ones(length, length, dtype=torch.bool, device=q.device).triu(1)
    scores = q @ k.mT / math.sqrt(q.shape[2])
    weights = scores.masked_fill(ahead, -math.inf).softmax(-1)
    return weights.detach() @ v


def confusion_matrix(pred, target, num_classes):
    cells = target * num_classes + pred
    return torch.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def bag_means(table, ids, lengths):
    counted = torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(1)
    return (table[ids] * counted.unsqueeze(2)).sum(1) / lengths.clamp(min=1).unsqueeze(1)
