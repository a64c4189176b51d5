"""The caller's queries are scaled in place."""

import math

import torch
import torch.nn.functional as F

FAILS = ["causal_attention"]


def batch_features(xs):
    batch = torch.stack(xs)
    return batch.sin() + batch.cos() ** 2


def pairwise_sq_dists(x, y):
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2


def causal_attention(q, k, v):
    q /= math.sqrt(q.shape[2])
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0)


def confusion_matrix(pred, target, num_classes):
    cells = target * num_classes + pred
    return torch.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def bag_means(table, ids, lengths):
    counted = torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(1)
    return (table[ids] * counted.unsqueeze(2)).sum(1) / lengths.clamp(min=1).unsqueeze(1)
