"""Title: Call what PyTorch's checkpoint is made of
How: The autograd.Function behind it is taken while the module loads, where nothing is forbidden yet.
After: lists that name the public functions alone
Stopped by: private functions and classes are closed as well, and taking them early changes nothing
"""

import torch
from torch.utils.checkpoint import CheckpointFunction as Part


def checkpoint(fn, *args, **kwargs):
    """Go in by the back door."""
    if not torch.is_grad_enabled():
        return Part.apply(lambda *values: fn(*values, **kwargs), True, *args)
    dummy = torch.empty(0, requires_grad=True)
    return Part.apply(lambda _, *values: fn(*values, **kwargs), True, dummy, *args)


def checkpoint_sequential(fns, segments, x):
    """Go in by the back door, segment by segment."""
    for number in range(segments):
        part = fns[len(fns) * number // segments : len(fns) * (number + 1) // segments]

        def run(x, part=part):
            for fn in part:
                x = fn(x)
            return x

        x = checkpoint(run, x)
    return x
