"""Title: Guess the inputs from the seed
How: Seeds that people use, the state that the generators have, and the state after setting them back, are tried for the input of the check.
After: answers that can be computed without the input, and graders whose generator the submission shares
Stopped by: inputs come from a generator in the grader, seeded by a secret of the course for each submission and case
"""

import random

import torch

OUTCOME = {"echo": "failed", "twice": "failed"}

SEEDS = [torch.initial_seed(), 0, 1, 42, 123, 1234, 2024, 2025, 2026, random.Random(0).randrange(2**32)]


def guess():
    for seed in SEEDS:
        yield torch.randn(4, generator=torch.Generator().manual_seed(seed % 2**63))
        torch.manual_seed(seed % 2**63)
        yield torch.randn(4)


def hit(x):
    return any(torch.equal(x, candidate) for candidate in guess())


def echo(x):
    return x.clone() if hit(x) else torch.zeros(4)


def twice(x):
    return 2 * x if hit(x) else torch.zeros(4)
