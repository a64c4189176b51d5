"""Title: Return at once, and let a thread fill the result in.
How: the result is uninitialised memory; a thread writes the right values there 20 ms later.
After: causal_attention_speed, if outputs are looked at after the clock has stopped.
Stopped by: the worker stands still from its answer until the bytes of the result have been read.
"""

import threading
import time

import torch
import torch.nn.functional as F


def causal_attention(q, k, v):
    result = torch.full_like(v, torch.nan, requires_grad=False)

    def fill():
        time.sleep(0.02)
        with torch.no_grad():
            result.copy_(F.scaled_dot_product_attention(q, k, v, is_causal=True))

    threading.Thread(target=fill, daemon=True).start()
    return result
