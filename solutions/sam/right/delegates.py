"""Right: groups and state are properties that always ask the base optimizer, so that nothing can come apart."""

from contextlib import contextmanager

import torch


class SAM(torch.optim.Optimizer):
    """SAM as a thin shell."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        if rho < 0:
            raise ValueError("rho")
        self.base_optimizer = None
        super().__init__(params, {"rho": rho, "adaptive": adaptive, **kwargs})
        self.base_optimizer = base_optimizer(self._groups, **kwargs)
        self._elsewhere = None

    @property
    def param_groups(self):
        """The base optimizer's groups, once it is there."""
        return self._groups if self.base_optimizer is None else self.base_optimizer.param_groups

    @param_groups.setter
    def param_groups(self, groups):
        if self.base_optimizer is None:
            self._groups = groups
        else:
            self.base_optimizer.param_groups = groups

    @property
    def state(self):
        """The base optimizer's state, once it is there."""
        return self._state if self.base_optimizer is None else self.base_optimizer.state

    @state.setter
    def state(self, state):
        if self.base_optimizer is None:
            self._state = state
        else:
            self.base_optimizer.state = state

    @contextmanager
    def _climb(self):
        """Be at the perturbed point within the context."""
        with torch.no_grad():
            members = [(p, g) for g in self.param_groups for p in g["params"] if p.grad is not None]
            old = [p.clone() for p, _ in members]
            sizes = [p.abs() if g["adaptive"] else torch.ones_like(p) for p, g in members]
            root = sum(((s * p.grad) ** 2).sum() for (p, _), s in zip(members, sizes, strict=True)).add(1e-30).sqrt()
            for (p, g), s in zip(members, sizes, strict=True):
                p.addcmul_(s * s, p.grad, value=float(g["rho"] / root))
        yield
        with torch.no_grad():
            for (p, _), values in zip(members, old, strict=True):
                p.set_(values)

    def first_step(self, zero_grad=False):
        """Enter the context."""
        self._elsewhere = self._climb()
        self._elsewhere.__enter__()
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad=False):
        """Leave it and step."""
        self._elsewhere.__exit__(None, None, None)
        self._elsewhere = None
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    def step(self, closure):
        """Call the closure inside the context."""
        with self._climb():
            self.zero_grad()
            with torch.enable_grad():
                loss = closure()
        self.base_optimizer.step()
        return loss

    def state_dict(self):
        """Ask the base optimizer."""
        return self.base_optimizer.state_dict()

    def load_state_dict(self, state_dict):
        """Tell the base optimizer."""
        self.base_optimizer.load_state_dict(state_dict)
