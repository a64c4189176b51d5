"""Title: Keep every result by the content of its arguments.
How: the given code runs once for each content; the same content again is a look-up.
After: confusion_speed, if a timed call brings values that an earlier call had.
Stopped by: fresh values in every timed call.
"""

import torch

RESULTS = {}

EARNS = ["confusion"]


def slow(pred, target, num_classes):
    counts = torch.zeros(num_classes, num_classes, dtype=torch.int64)
    for i in range(len(target)):
        counts[target[i].item(), pred[i].item()] += 1
    return counts


def confusion_matrix(pred, target, num_classes):
    key = pred.numpy().tobytes(), target.numpy().tobytes(), num_classes
    if key not in RESULTS:
        RESULTS[key] = slow(pred, target, num_classes)
    return RESULTS[key].clone()
