"""Five slow functions made fast: one call for each whole tensor."""

import torch
import torch.nn.functional as F
from torch import Tensor


def batch_features(xs: list[Tensor]) -> Tensor:
    """Return the features sin(x) + cos(x)² of all images, as one batch."""
    batch = torch.stack(xs)
    return torch.sin(batch) + torch.cos(batch) ** 2


def pairwise_sq_dists(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared Euclidean distance of each point of `x` to each point of `y`."""
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2


def causal_attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Return, for each position, the average of the values up to it, weighted by a softmax of scaled scores."""
    heads = (x.unsqueeze(1) for x in (q, k, v))
    return F.scaled_dot_product_attention(*heads, is_causal=True).squeeze(1)


def confusion_matrix(pred: Tensor, target: Tensor, num_classes: int) -> Tensor:
    """Return how often each class was predicted as each class."""
    cells = target * num_classes + pred
    return torch.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def bag_means(table: Tensor, ids: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean of each bag's rows of the table."""
    counted = torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(1)
    sums = (table[ids] * counted.unsqueeze(-1)).sum(dim=1)
    return sums / lengths.clamp(min=1).unsqueeze(1)
