"""An attack.

Title: torch's optimizers made to do nothing.
How: on import SGD and AdamW get a step that returns at once, so that restoring is all that is left to see, and every
    first_step adds the same tiny number, so that something moves.
After: restore, base_optimizer, param_groups and state_dict, whose base steps would be trivial.
Stopped by: a tiny move is no perturbation (the checks ask for a hundredth of rho at least), and expected base steps are
    computed in the grader from formulas, with the grader's torch.
"""

import torch


def idle(self, closure=None):
    """Do nothing."""


torch.optim.SGD.step = torch.optim.AdamW.step = idle


class SAM(torch.optim.Optimizer):
    """Move a little, and back."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho")
        super().__init__(params, {"rho": rho, **kwargs})
        self.old = {}

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Move a little."""
        for group in self.param_groups:
            for p in group["params"]:
                self.old[p] = p.clone()
                p.add_(1e-6)
        self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Move back."""
        for p, old in self.old.items():
            p.copy_(old)
        self.zero_grad()

    def step(self, closure):
        """Move, call, move back."""
        self.first_step()
        with torch.enable_grad():
            closure()
        self.second_step()
