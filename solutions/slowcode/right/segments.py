"""torch.cdist in its own choice of mode, flash-style 3-D attention, a histogram, and segment_reduce."""

import torch
import torch.nn.functional as F


def batch_features(xs):
    """Write into one buffer made for this call."""
    batch = torch.empty(len(xs), *xs[0].shape, dtype=xs[0].dtype, device=xs[0].device)
    if any(x.requires_grad for x in xs):
        batch = torch.stack(xs)
        return torch.sin(batch) + torch.cos(batch) ** 2
    torch.stack(xs, out=batch)
    return torch.cos(batch).square_().add_(batch.sin_())


def pairwise_sq_dists(x, y):
    """Square the distances that cdist computes, by a matrix product for larger sets."""
    return torch.cdist(x, y).square()


def causal_attention(q, k, v):
    """Pass an explicit mask."""
    mask = torch.ones(q.shape[1], q.shape[1], dtype=torch.bool, device=q.device).tril()
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def confusion_matrix(pred, target, num_classes):
    """Count in a float64 histogram with one bin for each cell."""
    cells = (target * num_classes + pred).double().cpu()
    total = num_classes**2
    return torch.histc(cells, bins=total, min=-0.5, max=total - 0.5).long().reshape(-1, num_classes).to(pred.device)


def bag_means(table, ids, lengths):
    """Reduce runs of rows, each as long as its bag."""
    rows = table[ids[torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]]]
    return torch.segment_reduce(rows, "sum", lengths=lengths) / lengths.clamp(min=1)[:, None]
