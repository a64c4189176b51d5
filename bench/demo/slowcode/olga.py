"""slowcode, by olga."""

import torch
import torch.nn.functional as F



def batch_features(xs):
    return torch.stack([x.sin() + x.cos() ** 2 for x in xs])


def pairwise_sq_dists(x, y):
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2


def causal_attention(q, k, v):
    heads = (x.unsqueeze(1) for x in (q, k, v))
    return F.scaled_dot_product_attention(*heads, is_causal=True).squeeze(1)


def confusion_matrix(pred, target, num_classes):
    cells = target * num_classes + pred
    return torch.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def bag_means(table, ids, lengths):
    counted = torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(1)
    return (table[ids] * counted.unsqueeze(2)).sum(1) / lengths.clamp(min=1).unsqueeze(1)
