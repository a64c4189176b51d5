"""The slow code's own steps, vectorised by torch.vmap; NumPy where no gradient is at stake."""

import math

import numpy as np
import torch
from torch import vmap
from torch.nn.functional import embedding_bag


def batch_features(xs):
    """Map one image's formula over the stack."""
    return vmap(lambda x: x.sin() + x.cos() ** 2)(torch.stack(tuple(xs), dim=0))


def pairwise_sq_dists(x, y):
    """Map over both sets; vmap refuses an empty one."""
    if 0 in (len(x), len(y)):
        return x.new_zeros(len(x), len(y))
    return vmap(lambda point: (point - y).square().sum(-1))(x)


def causal_attention(q, k, v):
    """Map over the batch."""
    past = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool, device=q.device).tril()

    def one(q, k, v):
        scores = torch.where(past, q @ k.T / math.sqrt(q.shape[-1]), -math.inf)
        return scores.softmax(-1) @ v

    return vmap(one)(q, k, v)


def confusion_matrix(pred, target, num_classes):
    """Let NumPy add at repeated places."""
    counts = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(counts, (target.cpu().numpy(), pred.cpu().numpy()), 1)
    return torch.from_numpy(counts).to(pred.device)


def bag_means(table, ids, lengths):
    """Take the flat form of embedding_bag, whose mean of nothing is zero."""
    kept = torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
    return embedding_bag(ids[kept], table, lengths.cumsum(0) - lengths, mode="mean")
