"""pad_sequence, addmm held at zero by abs, baddbmm with a finite mask, a sparse matrix, and weighted embedding_bag."""

import torch
from torch.nn.functional import embedding_bag, softmax
from torch.nn.utils.rnn import pad_sequence


def batch_features(xs):
    """Pad images that are all of one height."""
    batch = pad_sequence(xs, batch_first=True)
    return torch.sin(batch) + torch.cos(batch).pow(2)


def pairwise_sq_dists(x, y):
    """Expand the square, and turn over what rounding puts below zero."""
    squares = (x * x).sum(1, keepdim=True) + (y * y).sum(1)
    return torch.addmm(squares, x, y.T, alpha=-2).abs()


def causal_attention(q, k, v):
    """Add the scores to a mask whose entries are finite."""
    batch, length, width = q.shape
    lowest = torch.full((length, length), torch.finfo(q.dtype).min, dtype=q.dtype, device=q.device)
    scores = torch.baddbmm(lowest.triu(1).expand(batch, -1, -1), q, k.transpose(1, 2), alpha=width**-0.5)
    return torch.bmm(softmax(scores, -1), v)


def confusion_matrix(pred, target, num_classes):
    """Let a sparse matrix add up its repeated places."""
    cells = torch.stack((target, pred))
    return torch.sparse_coo_tensor(cells, torch.ones_like(pred), (num_classes, num_classes)).to_dense()


def bag_means(table, ids, lengths):
    """Weigh each id by its bag's length, or by nothing; embedding_bag wants at least one."""
    if ids.shape[1] == 0:
        return table.new_zeros(len(ids), table.shape[1])
    counted = (torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(1)).to(table.dtype)
    weights = counted / lengths.clamp(min=1).unsqueeze(1)
    return embedding_bag(ids.contiguous(), table, per_sample_weights=weights, mode="sum")
