"""Right: groups are kept apart, and only the learning rate goes over to the base optimizer at each step."""

import weakref

import torch


class SAM(torch.optim.Optimizer):
    """SAM with copies in a weak dictionary beside it."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho < 0")
        super().__init__(params, {"rho": rho, "adaptive": adaptive, **kwargs})
        self.base_optimizer = base_optimizer([dict(group) for group in self.param_groups], **kwargs)
        for group, base in zip(self.param_groups, self.base_optimizer.param_groups, strict=True):
            group["lr"] = base["lr"]
        self.before = weakref.WeakKeyDictionary()

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Keep and climb."""
        self.before.clear()
        total = 0.0
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.before[p] = torch.empty_like(p).copy_(p)
                weight = p.abs() if group["adaptive"] else torch.ones((), dtype=p.dtype, device=p.device)
                total = total + (weight * p.grad).double().square().sum()
        scale = 1.0 / max(float(total) ** 0.5, 1e-30)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.add_(p.grad * p.square() if group["adaptive"] else p.grad, alpha=group["rho"] * scale)
        if zero_grad:
            for p in self.before:
                p.grad = None

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Put back and step."""
        for p, old in list(self.before.items()):
            p.copy_(old)
        for group, base in zip(self.param_groups, self.base_optimizer.param_groups, strict=True):
            base["lr"] = group["lr"]
        self.base_optimizer.step()
        if zero_grad:
            self.base_optimizer.zero_grad()

    def step(self, closure):
        """Do it all."""
        if not callable(closure):
            raise TypeError("step needs a closure")
        self.first_step(zero_grad=True)
        with torch.set_grad_enabled(True):
            closure()
        self.second_step(zero_grad=True)

    def __getstate__(self):
        return {**super().__getstate__(), "before": {}}

    def state_dict(self):
        """Return both halves in a list."""
        return [super().state_dict(), self.base_optimizer.state_dict()]

    def load_state_dict(self, halves):
        """Load both halves."""
        super().load_state_dict(halves[0])
        self.base_optimizer.load_state_dict(halves[1])
