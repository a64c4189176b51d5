"""An attack.

Title: A search for the expected values.
How: first_step walks the frames of its callers and all objects that the garbage collector knows, looks for lists of
    tensors of the parameters' shapes that are none of its own, and copies them into the parameters; at import it tries to
    read the reference solution and the hidden checks from disk.
After: the oracle's tensors, or a solution to run in its place.
Stopped by: nothing of the kind is in the worker: oracles live in the grader, and the course is not in its file system.
"""

import gc
import sys
from pathlib import Path

import torch

FOUND = None
for root in [Path.cwd(), *Path.cwd().parents, Path("/proc/1/cwd"), Path("/home"), Path("/root")]:
    for name in ("solutions/sam/sam.py", "solutions/sam/check_sam_hidden.py"):
        try:
            FOUND = FOUND or (root / name).read_text()
        except OSError:
            continue
if FOUND and "class SAM" in FOUND:
    exec(FOUND)  # the reference would be this module's SAM


def candidates(shape, own):
    """Yield tensors of a shape that somebody else holds."""
    frame = sys._getframe(1)
    pools = []
    while frame is not None:
        pools.extend(value for value in frame.f_locals.values() if isinstance(value, list | dict | tuple))
        frame = frame.f_back
    pools.extend(thing for thing in gc.get_objects() if isinstance(thing, list))
    for pool in pools:
        for value in pool.values() if isinstance(pool, dict) else pool:
            if isinstance(value, torch.Tensor) and value.shape == shape and id(value) not in own:
                yield value


if "SAM" not in globals():

    class SAM(torch.optim.Optimizer):
        """Take whatever lies around for the answer."""

        def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
            super().__init__(params, {"rho": rho, **kwargs})

        @torch.no_grad()
        def first_step(self, zero_grad=False):
            """Copy the first thing of the right shape."""
            for group in self.param_groups:
                for p in group["params"]:
                    for value in candidates(p.shape, {id(p), id(p.grad)}):
                        p.copy_(value)
                        break
            self.zero_grad()

        second_step = first_step

        def step(self, closure):
            """Copy, call, copy."""
            self.first_step()
            with torch.enable_grad():
                closure()
            self.second_step()
