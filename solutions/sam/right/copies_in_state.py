"""Right: the widespread layout, with old parameters in `state` and swapped by `.data`, but momentum saved as well."""

import torch


class SAM(torch.optim.Optimizer):
    """SAM around `base_optimizer`."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        assert rho >= 0.0, "expected a non-negative rho"
        super().__init__(params, dict(rho=rho, adaptive=adaptive, **kwargs))
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.param_groups = self.base_optimizer.param_groups
        self.defaults.update(self.base_optimizer.defaults)

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Climb."""
        length = self._length()
        for group in self.param_groups:
            factor = group["rho"] / (length + 1e-12)
            for w in group["params"]:
                if w.grad is None:
                    continue
                self.state[w]["before"] = w.data.clone()
                climb = w.grad * factor.to(w)
                w.add_(climb * w**2 if group["adaptive"] else climb)
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Come back and descend."""
        for group in self.param_groups:
            for w in group["params"]:
                if "before" in self.state.get(w, {}):
                    w.data = self.state[w].pop("before")
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def step(self, closure=None):
        """Both steps around one call of the closure."""
        assert closure is not None, "SAM needs a closure for the second forward and backward"
        closure = torch.enable_grad()(closure)
        self.first_step(zero_grad=True)
        closure()
        self.second_step()

    def _length(self):
        device = self.param_groups[0]["params"][0].device
        lengths = []
        for group in self.param_groups:
            for w in group["params"]:
                if w.grad is not None:
                    lengths.append(((w.abs() if group["adaptive"] else 1.0) * w.grad).norm(p=2).to(device))
        return torch.norm(torch.stack(lengths), p=2)

    def state_dict(self):
        """Put the base optimizer's state beside the usual."""
        return {**super().state_dict(), "base": self.base_optimizer.state_dict()}

    def load_state_dict(self, state_dict):
        """Load both, and let both look at the same groups again."""
        state_dict = dict(state_dict)
        self.base_optimizer.load_state_dict(state_dict.pop("base"))
        super().load_state_dict(state_dict)
        self.base_optimizer.param_groups = self.param_groups
