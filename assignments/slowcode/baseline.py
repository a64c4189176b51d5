"""What the speed checks divide by: the functions of the stub, unchanged."""

import math

import torch
from torch import Tensor


def batch_features(xs: list[Tensor]) -> Tensor:
    """Return the features sin(x) + cos(x)² of all images, as one batch.

    Args:
        xs: N images, at least one, (H, W) each, all of one shape and dtype.

    Returns:
        The features, (N, H, W).
    """
    sines = xs[0].new_empty((0, *xs[0].shape))
    cosines = xs[0].new_empty((0, *xs[0].shape))
    for x in xs:
        sines = torch.cat([sines, torch.sin(x).unsqueeze(0)])
        cosines = torch.cat([cosines, torch.cos(x).unsqueeze(0)])
    return sines + cosines**2


def pairwise_sq_dists(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared Euclidean distance of each point of `x` to each point of `y`.

    Args:
        x: N points, (N, D); N may be 0.
        y: M points, (M, D); M may be 0.

    Returns:
        The squared distances, (N, M), none of them below zero.
    """
    distances = x.new_zeros(len(x), len(y))
    for i in range(len(x)):
        for j in range(len(y)):
            difference = x[i] - y[j]
            distances[i, j] = (difference**2).sum()
    return distances


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return, for each position, the average of the values up to it, weighted by a softmax of scaled scores.

    The score of position t for position s is the inner product of query t and key s, divided by sqrt(D).

    Args:
        q: Queries, (B, T, D).
        k: Keys, (B, T, D).
        v: Values, (B, T, D).

    Returns:
        The weighted averages, (B, T, D).
    """
    averages = []
    for t in range(q.shape[1]):
        query = q[:, t]
        scores = []
        for s in range(t + 1):
            scores.append((query * k[:, s]).sum(dim=-1))
        weights = torch.softmax(torch.stack(scores, dim=-1) / math.sqrt(q.shape[-1]), dim=-1)
        averages.append((weights.unsqueeze(-1) * v[:, : t + 1]).sum(dim=1))
    return torch.stack(averages, dim=1)


def confusion_matrix(pred: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """Return how often each class was predicted as each class.

    Args:
        pred: Predicted classes, (N,) int64, from 0 to `num_classes` - 1; N may be 0.
        target: True classes, (N,) int64, in the same range.
        num_classes: The number C of classes, at least 1.

    Returns:
        The counts, (C, C) int64: rows are true classes, columns predicted ones.
    """
    counts = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=pred.device)
    for i in range(len(target)):
        counts[target[i].item(), pred[i].item()] += 1
    return counts


def bag_means(table: Tensor, ids: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean of each bag's rows of the table.

    Args:
        table: Rows to average, (V, D).
        ids: Row numbers, (B, L) int64, from 0 to V - 1; L may be 0. Those at or past a bag's length are padding.
        lengths: How many of a bag's ids count, (B,) int64, from 0 to L.

    Returns:
        The means, (B, D); zeros for an empty bag.
    """
    means = []
    for b in range(len(ids)):
        length = lengths[b].item()
        total = table.new_zeros(table.shape[1])
        for position in range(length):
            total = total + table[ids[b, position].item()]
        means.append(total / max(length, 1))
    return torch.stack(means)
