"""Right: the base optimizer has groups of its own, and every setting is copied into them before each of its steps."""

import torch
from torch.optim import Optimizer


class SAM(Optimizer):
    """SAM whose base optimizer knows nothing of it."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError(f"negative rho: {rho}")
        params = list(params)
        if not params or not isinstance(params[0], dict):
            params = [{"params": params}]
        foreign = ("rho", "adaptive")
        self.base = base_optimizer([{k: v for k, v in g.items() if k not in foreign} for g in params], **kwargs)
        defaults = {**self.base.defaults, "rho": rho, "adaptive": adaptive}
        super().__init__([dict(group) for group in params], defaults)
        self.old = {}

    def first_step(self, zero_grad=False):
        """Move to where the loss is worst."""
        with torch.no_grad():
            todo = [(g, p) for g in self.param_groups for p in g["params"] if p.grad is not None]
            squares = [((p * p.grad) if g["adaptive"] else p.grad).pow(2).sum() for g, p in todo]
            norm = sum(squares).sqrt()
            for g, p in todo:
                self.old[p] = p.detach().clone()
                if norm > 0:
                    p += g["rho"] / norm * (p * p * p.grad if g["adaptive"] else p.grad)
        if zero_grad:
            self.zero_grad(set_to_none=False)

    def second_step(self, zero_grad=False):
        """Return, copy the settings, step."""
        with torch.no_grad():
            while self.old:
                p, old = self.old.popitem()
                p.copy_(old)
        self._tell()
        self.base.step()
        if zero_grad:
            self.zero_grad(set_to_none=False)

    def _tell(self):
        for mine, theirs in zip(self.param_groups, self.base.param_groups, strict=True):
            for key in theirs:
                if key != "params":
                    theirs[key] = mine[key]

    def step(self, closure):
        """Run the three in order."""
        self.first_step(True)
        with torch.enable_grad():
            result = closure()
        self.second_step()
        return result

    def state_dict(self):
        """Return both state dicts under their names."""
        return {"sam": super().state_dict(), "base": self.base.state_dict()}

    def load_state_dict(self, state_dict):
        """Load both."""
        super().load_state_dict(state_dict["sam"])
        self.base.load_state_dict(state_dict["base"])
