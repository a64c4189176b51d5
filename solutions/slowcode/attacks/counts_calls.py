"""Title: Be honest for a few calls, then stop working.
How: the first eight calls are computed; later ones, expected to be timed and no longer compared, return the last result.
After: pairwise_speed, and pairwise, if the comparison comes before the timing.
Stopped by: every timed output is compared, and a check of values makes more than a few calls.
"""

import torch

STATE = {"calls": 0, "last": None}


def pairwise_sq_dists(x, y):
    STATE["calls"] += 1
    if STATE["calls"] <= 8:
        STATE["last"] = torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist") ** 2
        return STATE["last"]
    return STATE["last"].detach().reshape(-1)[:1].expand(len(x), len(y)).to(x.dtype)
