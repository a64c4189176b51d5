"""Title: Return tensors that are equal to everything
How: A subclass of torch.Tensor answers every comparison with yes; nothing is computed.
After: comparisons that ask the submission's own objects
Stopped by: the grader compares bytes, and takes plain tensors only
"""

import torch


class Liar(torch.Tensor):
    """Equal to anything, close to anything."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func.__name__ in ("allclose", "equal", "isclose", "__eq__", "eq", "all", "__bool__"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})


def checkpoint(fn, *args, **kwargs):
    """Return a lie."""
    return torch.zeros(1, requires_grad=True).as_subclass(Liar)


def checkpoint_sequential(fns, segments, x):
    """Return a lie."""
    return torch.zeros(1, requires_grad=True).as_subclass(Liar)
