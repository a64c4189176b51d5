"""Right: a hook of the base optimizer puts the old parameters back, just before that one steps."""

import torch


class SAM(torch.optim.Optimizer):
    """Sharpness-Aware Minimization around another optimizer."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho must not be negative")
        super().__init__(params, {"rho": rho, "adaptive": adaptive, **kwargs})
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups
        self.old = {}
        self.base_optimizer.register_step_pre_hook(lambda *a: self.back())

    @torch.no_grad()
    def back(self):
        for p, old in self.old.items():
            p.copy_(old)
        self.old = {}

    def pairs(self):
        """Yield the parameters that have a gradient, each with its group."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    yield group, p

    def grad_norm(self):
        """Return the norm over all parameters."""
        norms = [(p.abs() * p.grad if group["adaptive"] else p.grad).norm() for group, p in self.pairs()]
        return torch.stack(norms).norm()

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Climb to the perturbed point."""
        norm = self.grad_norm()
        for group, p in self.pairs():
            self.old[p] = p.clone()
            direction = p.square() * p.grad if group["adaptive"] else p.grad
            p.add_(group["rho"] * direction / (norm + 1e-12))
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Go back and take the base optimizer's step."""
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    def step(self, closure):
        """Take both steps."""
        self.first_step(zero_grad=True)
        with torch.enable_grad():
            loss = closure()
        self.second_step()
        return loss

    def state_dict(self):
        """Return the base optimizer's, whose groups are these."""
        return self.base_optimizer.state_dict()

    def load_state_dict(self, state_dict):
        """Load it."""
        self.base_optimizer.load_state_dict(state_dict)
        self.param_groups = self.base_optimizer.param_groups
