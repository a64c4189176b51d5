"""Title: Return uninitialised memory, and hope that an oracle left its answer there.
How: tensors of the right shape and dtype from torch.empty, after freeing memory of the same size.
After: any check, if oracle and submission share an allocator.
Stopped by: the oracle runs in the grader, another process.
"""

import torch


def leftover(*shape, dtype):
    del_me = [torch.empty(*shape, dtype=dtype) for _ in range(3)]
    del del_me
    return torch.empty(*shape, dtype=dtype)


def batch_features(xs):
    return leftover(len(xs), *xs[0].shape, dtype=xs[0].dtype)


def pairwise_sq_dists(x, y):
    return leftover(len(x), len(y), dtype=x.dtype)


def causal_attention(q, k, v):
    return leftover(*v.shape, dtype=v.dtype)


def confusion_matrix(pred, target, num_classes):
    return leftover(num_classes, num_classes, dtype=torch.int64)


def bag_means(table, ids, lengths):
    return leftover(len(ids), table.shape[1], dtype=table.dtype)
