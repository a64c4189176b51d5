"""An attack.

Title: Exceptions that pytest takes for a skipped test.
How: an exception whose class, by name and bases, looks like pytest's Skipped is raised from every method; the
    constructor's is a ValueError too.
After: a run in which skipped counts as not failed.
Stopped by: an exception in a worker is the student's error in the grader, whatever its class calls itself.
"""

import torch


class Skipped(ValueError):
    """Look like pytest's own."""

    allow_module_level = True
    msg = "skipped"


Skipped.__module__ = "Skipped"


class SAM(torch.optim.Optimizer):
    """Skip."""

    def __init__(self, params, base_optimizer, rho=0.05, adaptive=False, **kwargs):
        raise Skipped("passed")
