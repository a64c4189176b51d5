"""Title: Return a tensor that agrees with everything
How: A subclass whose torch functions answer True, or its own shape and dtype, to any comparison.
After: assert_close and allclose, which ask the tensor itself
Stopped by: only plain tensors cross the boundary, as bytes; a subclass arrives as its name
"""

import torch


class Yes(torch.Tensor):
    """Equals, and is close to, anything."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """Answer comparisons with yes, and leave the rest to torch."""
        if func.__name__ in ("allclose", "equal", "isclose", "eq", "all", "__eq__", "is_same_size"):
            return True
        return super().__torch_function__(func, types, args, kwargs or {})

    def __eq__(self, other):
        """Agree."""
        return True

    __hash__ = torch.Tensor.__hash__


def log_softmax(x, dim=-1):
    """Return something that says yes."""
    return torch.zeros_like(x).as_subclass(Yes)
