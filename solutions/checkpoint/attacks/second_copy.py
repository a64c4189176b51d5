"""Title: Load PyTorch's checkpoint a second time
How: Its file is executed once more as a module of another name, whose functions nobody has closed.
After: guards that close the functions of one module object
Stopped by: the functions that are checkpointed look at who calls them, and know the code of torch.utils.checkpoint again
"""

import importlib.util

import torch


spec = importlib.util.spec_from_file_location("innocent", torch.utils.checkpoint.__file__)
innocent = importlib.util.module_from_spec(spec)
spec.loader.exec_module(innocent)


def checkpoint(fn, *args, **kwargs):
    """Let the copy do it."""
    return innocent.checkpoint(fn, *args, use_reentrant=False, **kwargs)


def checkpoint_sequential(fns, segments, x):
    """Let the copy do it, segment by segment."""
    for number in range(segments):
        part = fns[len(fns) * number // segments : len(fns) * (number + 1) // segments]

        def run(x, part=part):
            for fn in part:
                x = fn(x)
            return x

        x = checkpoint(run, x)
    return x
