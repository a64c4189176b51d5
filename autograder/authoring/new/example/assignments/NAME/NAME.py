"""Rows of length one, whatever their size."""

# %% [markdown]
# # Rows of length one
#
# Write the function that divides each row by its length. `README.md` says what it has to bear and what is graded.
#
# From a terminal, `autograde check {{name}}` runs the public checks on what you have so far.

# %%
import torch
from torch import Tensor


# %%
def l2_normalize(x: Tensor, dim: int = -1) -> Tensor:
    """Divide `x` by its Euclidean length along `dim`.

    Args:
        x: numbers of any shape, float32 or float64; stays as it is
        dim: the dimension that rows lie along; a negative one counts from the end

    Returns:
        A new tensor with the shape and dtype of `x`. Rows of zeros stay zero.

    """
    raise NotImplementedError("l2_normalize is yours to write")


# %% [markdown]
# ## A place to try things
#
# What stands below does not run when your work is graded.

# %%
if __name__ == "__main__":
    print(l2_normalize(torch.tensor([[3.0, 4.0], [0.0, 0.0]])))
