"""sam, by quentin."""

import math

import torch


class SAM(torch.optim.Optimizer):
    """SAM with plain Python arithmetic for its scalars."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho is below zero")
        params = list(params)
        self.base = base_optimizer(params, **kwargs)
        for group in self.base.param_groups:
            group.setdefault("rho", rho)
            group.setdefault("adaptive", adaptive)
        super().__init__(self.base.param_groups, self.base.defaults)
        self.param_groups = self.base.param_groups
        self.copies = []

    def _clear(self, zero_grad):
        if zero_grad:
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.grad = torch.zeros_like(p.grad)

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Climb."""
        scaled, squares = [], 0.0
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    scale = p.abs() if group["adaptive"] else torch.ones_like(p)
                    squares += float(torch.sum((scale * p.grad) ** 2))
                    scaled.append((p, group["rho"] * scale**2 * p.grad))
        self.copies = [(p, p.detach().clone(memory_format=torch.preserve_format)) for p, _ in scaled]
        for p, climb in scaled:
            p.data.add_(climb / math.sqrt(squares + 1e-12))
        self._clear(zero_grad)

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Descend."""
        for p, old in self.copies:
            p.data.copy_(old)
        self.base.step()
        self._clear(zero_grad)

    def step(self, closure):
        """Both."""
        self.first_step(zero_grad=True)
        with torch.enable_grad():
            closure()
        self.second_step()

    def state_dict(self):
        """Return the base optimizer's."""
        return self.base.state_dict()

    def load_state_dict(self, state_dict):
        """Load the base optimizer's."""
        self.base.load_state_dict(state_dict)
        self.param_groups = self.base.param_groups
