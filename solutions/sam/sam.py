"""The reference solution: SAM that shares groups and state with its base optimizer."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


class SAM(torch.optim.Optimizer):
    """Sharpness-Aware Minimization around another optimizer."""

    def __init__(
        self,
        params: Iterable[Any],
        base_optimizer: type[torch.optim.Optimizer],
        rho: float = 0.05,
        adaptive: bool = False,
        **kwargs: Any,
    ) -> None:
        """Set up groups with a `rho` each, and the base optimizer over the same groups."""
        if not rho >= 0:
            raise ValueError(f"rho is {rho}; expected at least 0")
        super().__init__(params, {"rho": rho, "adaptive": adaptive, **kwargs})
        self.base_optimizer = base_optimizer(self.param_groups, **kwargs)
        self.defaults.update(self.base_optimizer.defaults)
        self._kept: list[tuple[Tensor, Tensor]] = []
        self._share()

    def _share(self) -> None:
        """Look at the base optimizer's groups and state: what changes in one changes in the other."""
        self.param_groups = self.base_optimizer.param_groups
        self.state = self.base_optimizer.state

    @torch.no_grad()
    def first_step(self, zero_grad: bool = False) -> None:
        """Climb by rho along the gradient, and keep a copy of the old parameters."""
        self._kept = []
        directions = []
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    scale = p.abs() if group["adaptive"] else 1.0
                    directions.append((p, group["rho"] * scale, scale * p.grad))
        norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(x) for _, _, x in directions]))
        for p, scale, direction in directions:
            self._kept.append((p, p.clone()))
            p.add_(scale * direction / (norm + 1e-12))
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad: bool = False) -> None:
        """Go back, and let the base optimizer step from there."""
        for p, old in self._kept:
            p.copy_(old)
        self._kept = []
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()

    def step(self, closure: Callable[[], Any]) -> Any:
        """Take both steps; return what the closure returns."""
        self.first_step(zero_grad=True)
        with torch.enable_grad():
            loss = closure()
        self.second_step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the base optimizer's state and the groups, which hold `rho` too."""
        return self.base_optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what `state_dict` returned."""
        self.base_optimizer.load_state_dict(state_dict)
        self._share()
