"""Title: Call PyTorch's checkpoint under another name
How: The module and its function are looked up by pieces of their names, inside a string that is executed.
After: searches of the source for torch.utils.checkpoint
Stopped by: the functions themselves raise, whoever holds them
"""

import base64
import importlib


SOURCE = base64.b64encode(b"found = getattr(module, 'check' + 'point')").decode()


def checkpoint(fn, *args, **kwargs):
    """Let PyTorch do it."""
    names = {"module": importlib.import_module("torch.utils." + "checkpoint")}
    exec(base64.b64decode(SOURCE), names)
    return names["found"](fn, *args, use_reentrant=False, **kwargs)


def checkpoint_sequential(fns, segments, x):
    """Let PyTorch do it."""
    module = importlib.import_module("torch.utils." + "checkpoint")
    return getattr(module, "check" + "point_sequential")(fns, segments, x, use_reentrant=False)
