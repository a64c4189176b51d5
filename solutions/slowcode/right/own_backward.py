"""Forwards without a graph, and gradients by hand in torch.autograd.Function."""

import math

import torch
from torch.autograd import Function


class Features(Function):
    """sin(x) + cos(x)², which has the derivative cos(x) (1 - 2 sin(x))."""

    @staticmethod
    def forward(ctx, *xs):
        """Stack the images first."""
        batch = torch.stack(xs)
        ctx.save_for_backward(batch)
        return torch.sin(batch) + torch.cos(batch) ** 2

    @staticmethod
    def backward(ctx, grad):
        """Hand each image its share."""
        (batch,) = ctx.saved_tensors
        return (grad * torch.cos(batch) * (1 - 2 * torch.sin(batch))).unbind(0)


class Distances(Function):
    """Squared distances."""

    @staticmethod
    def forward(ctx, x, y):
        """Broadcast."""
        ctx.save_for_backward(x, y)
        return (x.unsqueeze(1) - y).pow_(2).sum(-1)

    @staticmethod
    def backward(ctx, grad):
        """Collect 2 (x - y) from both sides."""
        x, y = ctx.saved_tensors
        return 2 * (grad.sum(1, keepdim=True) * x - grad @ y), 2 * (grad.sum(0).unsqueeze(1) * y - grad.T @ x)


class Attention(Function):
    """Causal attention."""

    @staticmethod
    def forward(ctx, q, k, v):
        """Mask by a comparison of positions."""
        at = torch.arange(q.shape[1], device=q.device)
        scores = (q @ k.mT).div_(math.sqrt(q.shape[2])).masked_fill_(at > at[:, None], -math.inf)
        weights = scores.softmax(-1)
        ctx.save_for_backward(q, k, v, weights)
        return weights @ v

    @staticmethod
    def backward(ctx, grad):
        """Go back through the product, the softmax and the scores."""
        q, k, v, weights = ctx.saved_tensors
        through = weights * (grad @ v.mT)
        scores = (through - weights * through.sum(-1, keepdim=True)) / math.sqrt(q.shape[2])
        return scores @ k, scores.mT @ q, weights.mT @ grad


class Means(Function):
    """Means of bags."""

    @staticmethod
    def forward(ctx, table, ids, lengths):
        """Count how often each bag holds each row: the means are one matrix product."""
        kept = torch.arange(ids.shape[1], device=ids.device) < lengths.unsqueeze(1)
        share = kept.to(table.dtype) / lengths.clamp(min=1).unsqueeze(1)
        weights = table.new_zeros(len(ids), len(table)).scatter_add_(1, ids, share)
        ctx.save_for_backward(weights)
        return weights @ table

    @staticmethod
    def backward(ctx, grad):
        """Go back through the product; ids and lengths have no gradient."""
        (weights,) = ctx.saved_tensors
        return weights.T @ grad, None, None


def batch_features(xs):
    """Apply."""
    return Features.apply(*xs)


def pairwise_sq_dists(x, y):
    """Apply."""
    return Distances.apply(x, y)


def causal_attention(q, k, v):
    """Apply."""
    return Attention.apply(q, k, v)


def confusion_matrix(pred, target, num_classes):
    """Compare with every class, and multiply."""
    classes = torch.arange(num_classes, device=pred.device)
    rows, columns = (labels.unsqueeze(1) == classes for labels in (target, pred))
    return (rows.T.float() @ columns.float()).round().long()


def bag_means(table, ids, lengths):
    """Apply."""
    return Means.apply(table, ids, lengths)
