"""Everything in chunks that fit a budget of memory, so that small inputs are one chunk."""

import math

import torch
from torch import nn

BUDGET = 1 << 20


def chunks(total, cost):
    """Yield slices of at most BUDGET / cost elements that cover `total`; one at least."""
    step = max(1, BUDGET // max(1, cost))
    for start in range(0, max(1, total), step):
        yield slice(start, start + step)


def batch_features(xs):
    """Stack and compute."""
    parts = [torch.stack(xs[part]) for part in chunks(len(xs), xs[0].numel())]
    return torch.cat([part.sin() + part.cos().pow(2) for part in parts])


def pairwise_sq_dists(x, y):
    """Broadcast a chunk of rows at a time."""
    parts = chunks(x.size(0), y.numel())
    return torch.cat([(x[part].unsqueeze(1) - y).square().sum(2) for part in parts])


def causal_attention(q, k, v):
    """Attend from a chunk of queries to every key before its end."""
    results = []
    for part in chunks(q.size(1), q.size(0) * q.size(1)):
        query = q[:, part]
        end = part.start + query.size(1)
        scores = query @ k[:, :end].mT / math.sqrt(q.size(2))
        mask = torch.ones(query.size(1), end, dtype=torch.bool, device=q.device).triu(part.start + 1)
        results.append(nn.Softmax(-1)(scores.masked_fill(mask, float("-inf"))) @ v[:, :end])
    return torch.cat(results, 1)


def confusion_matrix(pred, target, num_classes):
    """Count the cells by sorting them."""
    cells, numbers = torch.unique(target * num_classes + pred, return_counts=True)
    matrix = torch.zeros(num_classes**2, dtype=torch.int64, device=pred.device)
    matrix[cells] = numbers
    return matrix.reshape(num_classes, num_classes)


def bag_means(table, ids, lengths):
    """Drop the padding, then add rows by the number of their bag."""
    kept = torch.arange(ids.size(1), device=ids.device) < lengths.unsqueeze(1)
    bag = torch.arange(ids.size(0), device=ids.device).repeat_interleave(lengths)
    sums = table.new_zeros(ids.size(0), table.size(1)).index_add(0, bag, table[ids[kept]])
    return sums / lengths.clamp(min=1).unsqueeze(1)
