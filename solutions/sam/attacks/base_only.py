"""An attack.

Title: SAM that runs the base optimizer only.
How: first_step does nothing, second_step is the base optimizer's step, and step(closure) calls the closure once.
After: the points of everything that does not measure the perturbation: restoring, base optimizers, closures, saving.
Stopped by: each of these checks asks whether first_step moved the parameters at all before it looks at anything else.
"""

import torch


class SAM(torch.optim.Optimizer):
    """The base optimizer under another name."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho")
        super().__init__(params, {"rho": rho, **kwargs})
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups

    def first_step(self, zero_grad=False):
        """Do nothing."""
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad=False):
        """Step."""
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    def step(self, closure):
        """Step on the closure's gradients."""
        self.zero_grad()
        with torch.enable_grad():
            closure()
        self.base_optimizer.step()

    def state_dict(self):
        """Return the base optimizer's."""
        return self.base_optimizer.state_dict()

    def load_state_dict(self, state_dict):
        """Load the base optimizer's."""
        self.base_optimizer.load_state_dict(state_dict)
        self.param_groups = self.base_optimizer.param_groups
