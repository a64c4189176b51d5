# %% [markdown]
# # Make the given code fast
#
# The five functions below are right, and slow: each takes one step of Python, with a few small tensor operations in
# it, for every list element, pair of points, pair of positions, label or id. Rewrite the bodies so that PyTorch's own
# loops do the work. Names, arguments and results stay as they are.
#
# `README.md` explains why such code is slow, and what is graded. `autograde check slowcode` runs the checks here.

# %%
"""Five slow functions to make fast: same arguments, same results, a fraction of the time."""

import math

import torch
from torch import Tensor

# %% [markdown]
# ## 1. Features of a batch
#
# A data loader hands over a list of images. The features of one image are sin(x) + cos(x)², element by element.


# %%
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


# %% [markdown]
# ## 2. Squared distances
#
# The squared Euclidean distance of every point of one set to every point of another: what k-means, nearest
# neighbours and Gaussian kernels start from.


# %%
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


# %% [markdown]
# ## 3. Causal attention
#
# Attention as a language model uses it: a position looks at itself and at what came before it, never ahead.


# %%
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


# %% [markdown]
# ## 4. Confusion matrix
#
# How often a classifier took one class for another.


# %%
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


# %% [markdown]
# ## 5. Means of bags
#
# A bag holds the ids of some rows of a table, such as the words of a sentence, and is represented by the mean of
# those rows. Bags differ in length, so that their ids come padded to the longest one.


# %%
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
