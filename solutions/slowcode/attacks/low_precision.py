"""Title: Compute in half precision, under global flags that trade accuracy for time.
How: distances and attention in bfloat16, float32 products allowed to lose digits, denormal numbers flushed.
After: the speed of pairwise and causal_attention.
Stopped by: float64 oracles with the tolerance of the dtype, for the timed outputs too.
"""

import torch
import torch.nn.functional as F

torch.set_float32_matmul_precision("medium")
torch.set_flush_denormal(True)


def pairwise_sq_dists(x, y):
    a, b = x.bfloat16(), y.bfloat16()
    squares = a.square().sum(1)[:, None] + b.square().sum(1)
    return (squares - 2 * a @ b.T).clamp(min=0).to(x.dtype)


def causal_attention(q, k, v):
    return F.scaled_dot_product_attention(*(x.bfloat16() for x in (q, k, v)), is_causal=True).to(q.dtype)
