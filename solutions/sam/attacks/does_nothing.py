"""An attack.

Title: An optimizer that never moves anything.
How: every method returns at once, so that "the same as before" and "no nan" hold wherever they are asked for.
After: restore, edge_cases, closure and state_dict, whose two sides are then equal.
Stopped by: equality counts only where the parameters were seen to move in between.
"""

import torch


class SAM(torch.optim.Optimizer):
    """Rest."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho")
        super().__init__(params, {"rho": rho, **kwargs})

    def first_step(self, zero_grad=False):
        """Rest."""
        self.zero_grad()

    second_step = first_step

    def step(self, closure):
        """Call the closure and rest."""
        with torch.enable_grad():
            closure()
