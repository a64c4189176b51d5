"""An attack.

Title: nan as a wildcard.
How: every parameter becomes nan, in the hope of a comparison that lets nan pass or is false both ways.
After: all comparisons of parameters.
Stopped by: nan equals only an expected nan, and none is ever expected here.
"""

import torch


class SAM(torch.optim.Optimizer):
    """Not a number, not an optimizer."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho")
        super().__init__(params, {"rho": rho, **kwargs})

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Make everything nan."""
        for group in self.param_groups:
            for p in group["params"]:
                p.fill_(torch.nan)
        self.zero_grad()

    second_step = first_step

    def step(self, closure):
        """Make everything nan around the closure."""
        self.first_step()
        with torch.enable_grad():
            closure()
        self.second_step()
