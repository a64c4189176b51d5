"""An attack.

Title: A closure called three times whose counter is set back.
How: step(closure) calls the closure as often as it likes, finds the probe's notes through the closure's defaults, and
    writes that there was one call, with gradients; first_step does nothing, second_step is the base optimizer's step.
After: closure, whose calls are counted in the worker.
Stopped by: step(closure) must evaluate at a perturbed point, and end where the submission's own first_step and second_step
    end; those leave the parameters where they are before the base step.
"""

import torch


class SAM(torch.optim.Optimizer):
    """Call often, count once."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        super().__init__(params, {"rho": rho, **kwargs})
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)

    def first_step(self, zero_grad=False):
        """Rest."""
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad=False):
        """Step."""
        self.base_optimizer.step()

    def step(self, closure):
        """Call the closure three times and change the notes."""
        with torch.enable_grad():
            for _ in range(3):
                self.zero_grad()
                closure()
        for default in closure.__defaults__ or ():
            if isinstance(default, dict):
                default.update(calls=1, grad_mode=True)
        self.base_optimizer.step()
