"""Right: horizontally fused operations over lists of tensors, and the norm in one call."""

import torch


class SAM(torch.optim.Optimizer):
    """SAM in a handful of foreach calls."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("expected rho >= 0")
        super().__init__(params, {"rho": rho, "adaptive": adaptive, **kwargs})
        self.base_optimizer = (
            base_optimizer(self.param_groups, foreach=True, **kwargs)
            if _fits(base_optimizer)
            else base_optimizer(self.param_groups, **kwargs)
        )
        self.param_groups = self.base_optimizer.param_groups
        self.backup = ([], [])

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Climb, list by list."""
        chosen, kept, norms, climbs = [], [], [], []
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            if not params:
                continue
            grads = [p.grad for p in params]
            if group["adaptive"]:
                grads = torch._foreach_mul(grads, torch._foreach_abs(params))
            norms += torch._foreach_norm(grads)
            if group["adaptive"]:
                grads = torch._foreach_mul(grads, torch._foreach_abs(params))
            climbs += torch._foreach_mul(grads, group["rho"])
            chosen += params
            kept += [p.clone() for p in params]
        norm = torch.linalg.vector_norm(torch.stack(norms)) + 1e-12
        torch._foreach_div_(climbs, norm.item())
        torch._foreach_add_(chosen, climbs)
        self.backup = (chosen, kept)
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Copy back, list by list."""
        if self.backup[0]:
            torch._foreach_copy_(*self.backup)
        self.backup = ([], [])
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def step(self, closure):
        """Both steps."""
        self.first_step(zero_grad=True)
        with torch.enable_grad():
            loss = closure()
        self.second_step()
        return loss

    def state_dict(self):
        """Return the base optimizer's."""
        return self.base_optimizer.state_dict()

    def load_state_dict(self, state_dict):
        """Load it into the base optimizer."""
        self.base_optimizer.load_state_dict(state_dict)
        self.param_groups = self.base_optimizer.param_groups


def _fits(base_optimizer):
    """Tell whether an optimizer has fused loops of its own."""
    return base_optimizer.__module__.startswith("torch.optim")
