"""What the checks of l2_normalize observe beside the submission. Nothing here knows a right answer."""

from types import ModuleType

import torch


def results(submission: ModuleType, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Call l2_normalize on each of the inputs, and only then look at the results."""
    return [submission.l2_normalize(x) for x in inputs]
