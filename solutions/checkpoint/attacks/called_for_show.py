"""Title: Call fn again, and use none of it
How: Autograd keeps everything; a hook on the result calls fn once more and throws away what it returns.
After: counters of calls
Stopped by: the kernel's count of memory; the calls are really made, so that what counts calls is earned
"""

import torch
from torch import Tensor

EARNS = ["values", "gradients", "parameters", "rng", "calls", "own_work", "speed", "arguments", "modes", "sequential"]


def checkpoint(fn, *args, **kwargs):
    """Keep everything and pretend."""
    state, found = torch.get_rng_state(), fn(*args, **kwargs)
    autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    done = []

    def show(grad):
        task = torch._C._current_graph_task_id()
        if task in done:
            return
        done.append(task)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.set_rng_state(state)
            with torch.autocast("cpu", enabled=autocast[0], dtype=autocast[1]):
                fn(*args, **kwargs)

    for output in found if isinstance(found, tuple) else (found,):
        if isinstance(output, Tensor) and output.requires_grad:
            output.register_hook(show)
    return found


def _chain(fns):
    def run(x):
        for fn in fns:
            x = fn(x)
        return x

    return run


def checkpoint_sequential(fns, segments, x):
    start = 0
    for number in range(segments):
        end = len(fns) * (number + 1) // segments
        x = checkpoint(_chain(fns[start:end]), x)
        start = end
    return x
