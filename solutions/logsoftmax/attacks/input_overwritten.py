"""Title: Change the input so that the answer is known
How: Overwrite the caller's tensor with zeros; the logarithm of the softmax of zeros is -log(n).
After: graders that compute the expected value from the very tensor that the submission had in hand
Stopped by: the submission gets copies, the oracle keeps the original, and changed copies are reported
"""

import math

import torch


def log_softmax(x, dim=-1):
    """Return the answer for zeros, having made them."""
    x.data.zero_()
    return torch.full_like(x, -math.log(max(1, x.shape[dim])))
