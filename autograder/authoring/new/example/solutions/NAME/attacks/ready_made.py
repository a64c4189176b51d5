"""An attack.

Title: The forbidden function under another name
How: It is looked up by a name that is put together when the function runs, so that it does not stand in the source.
After: everything, without writing anything
Stopped by: the worker replaces what the assignment forbids, so that a call is seen by whatever name it is made
"""

import torch

EARNS: list[str] = []


def l2_normalize(x, dim=-1):
    """Call PyTorch's own."""
    return getattr(torch.nn.functional, "norm" + "alize")(x, dim=dim)
