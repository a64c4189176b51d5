"""An attack.

Title: Tensors that are equal to everything.
How: Tensor.detach and Tensor.clone are replaced, so that what is observed is of a subclass that answers every
    comparison with yes.
After: all comparisons of parameters.
Stopped by: subclasses do not cross to the grader; it compares bytes that it rebuilt as plain tensors.
"""

import torch


class Agreeable(torch.Tensor):
    """Say yes."""

    def __eq__(self, other):
        return True

    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __eq__
    __hash__ = torch.Tensor.__hash__


_clone = torch.Tensor.clone


def agreeable_clone(self, *args, **kwargs):
    """Return a copy that agrees with everybody."""
    return _clone(self, *args, **kwargs).as_subclass(Agreeable)


class SAM(torch.optim.Optimizer):
    """Do nothing but spoil the observations."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho")
        super().__init__(params, {"rho": rho, **kwargs})
        torch.Tensor.clone = agreeable_clone

    def first_step(self, zero_grad=False):
        """Rest."""
        self.zero_grad()

    second_step = first_step

    def step(self, closure):
        """Call the closure."""
        with torch.enable_grad():
            closure()
