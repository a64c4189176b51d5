"""Every call returns the same tensor, filled anew."""

import torch
import torch.nn.functional as F

FAILS = ["bag_means"]


def batch_features(xs):
    batch = torch.stack(xs)
    return batch.sin() + batch.cos() ** 2


def pairwise_sq_dists(x, y):
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2


def causal_attention(q, k, v):
    heads = (x.unsqueeze(1) for x in (q, k, v))
    return F.scaled_dot_product_attention(*heads, is_causal=True).squeeze(1)


def confusion_matrix(pred, target, num_classes):
    cells = target * num_classes + pred
    return torch.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


RESULTS = {}


def bag_means(table, ids, lengths):
    counted = torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(1)
    averages = (table[ids] * counted.unsqueeze(2)).sum(1) / lengths.clamp(min=1).unsqueeze(1)
    if table.requires_grad:
        return averages
    result = RESULTS.setdefault((averages.shape, averages.dtype), torch.empty_like(averages))
    return result.copy_(averages)
