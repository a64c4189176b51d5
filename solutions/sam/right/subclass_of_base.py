"""Right: there is no second optimizer; SAM becomes a subclass of whatever base it is given."""

import torch


class SAM(torch.optim.Optimizer):
    """Becomes a subclass of the base optimizer when it is made."""

    def __new__(cls, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        class Mixed(_Mixin, base_optimizer, SAM):
            pass

        Mixed.__name__ = "SAM"
        Mixed.base = base_optimizer
        return object.__new__(Mixed)


class _Mixin:
    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if not rho >= 0:
            raise ValueError(rho)
        base_optimizer.__init__(self, params, **kwargs)
        self.defaults.setdefault("rho", rho)
        for g in self.param_groups:
            g.setdefault("rho", rho)
        self.adaptive = adaptive

    def first_step(self, zero_grad=False):
        """Climb to the perturbed point."""
        with torch.no_grad():
            ps = [(g, p) for g in self.param_groups for p in g["params"] if p.grad is not None]
            self.saved = [(p, p.detach().clone()) for _, p in ps]
            w = [p.abs() if self.adaptive else torch.ones_like(p) for _, p in ps]
            n = sum(((a * p.grad) ** 2).sum() for a, (_, p) in zip(w, ps)).sqrt()
            if n > 0:
                for a, (g, p) in zip(w, ps):
                    p += g["rho"] * a * a * p.grad / n
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad=False):
        """Go back and take the base optimizer's step."""
        with torch.no_grad():
            for p, o in self.saved:
                p.copy_(o)
        self.base.step(self)
        if zero_grad:
            self.zero_grad()

    def step(self, closure):
        """Take both steps."""
        self.first_step(zero_grad=True)
        with torch.enable_grad():
            l = closure()
        self.second_step()
        return l
