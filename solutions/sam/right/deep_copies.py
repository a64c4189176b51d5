"""Right: deep copies of all parameters, gradients or not, and a perturbation in new storage."""

import copy

import torch


class SAM(torch.optim.Optimizer):
    """SAM that never writes into a parameter's memory on its way up and down."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        super().__init__(params, {"rho": rho, "adaptive": adaptive, **kwargs})
        if not all(group["rho"] >= 0 for group in self.param_groups) or rho < 0:
            raise ValueError("rho is negative")
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.kept = None

    def everything(self):
        """Return all parameters in order."""
        return [p for group in self.param_groups for p in group["params"]]

    def first_step(self, zero_grad=False):
        """Climb into new storage."""
        self.kept = copy.deepcopy([p.data for p in self.everything()])
        pieces = []
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    pieces.append((p.data.abs() * p.grad if group["adaptive"] else p.grad).detach().reshape(-1))
        norm = torch.cat(pieces).norm().clamp(min=torch.finfo(pieces[0].dtype).tiny)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    e = group["rho"] * (p.grad.detach() / norm)
                    p.data = p.data + (e * p.data * p.data if group["adaptive"] else e)
        if zero_grad:
            super().zero_grad()

    def second_step(self, zero_grad=False):
        """Swap the copies in."""
        for p, old in zip(self.everything(), self.kept, strict=True):
            p.data = old
        self.kept = None
        self.base_optimizer.step()
        if zero_grad:
            super().zero_grad()

    def step(self, closure):
        """Both steps."""
        self.first_step(zero_grad=True)
        with torch.enable_grad():
            value = closure()
        self.second_step()
        return value

    def state_dict(self):
        """Deep copies here too."""
        return copy.deepcopy(self.base_optimizer.state_dict())

    def load_state_dict(self, state_dict):
        """Share the groups anew."""
        self.base_optimizer.load_state_dict(copy.deepcopy(state_dict))
        self.param_groups = self.base_optimizer.param_groups
