"""Assignment 2: products, traces and attention, written as einsum."""

# %% [markdown]
# # Contractions with einsum
#
# Six functions, one notation. Each is a sum of products over named indices, and `torch.einsum` computes them all.
# `README.md` explains the notation, how attention comes out of it, and why the order of a chain matters.
#
# From a terminal, `autograde check einsum_bmm` runs the public checks on what you have so far.

# %%
import torch
from torch import Tensor

# %% [markdown]
# ## A product for each element of a batch
#
# Note what `torch.einsum` does with a dimension of size one, and what `torch.bmm` does with it.


# %%
def bmm(a: Tensor, b: Tensor) -> Tensor:
    """Multiply two batches of matrices.

    Args:
        a: (B, N, K)
        b: (B, K, M)

    Returns:
        (B, N, M): the product of each pair.

    """
    raise NotImplementedError("bmm is yours to write")


def bilinear(x: Tensor, w: Tensor, y: Tensor) -> Tensor:
    """Evaluate a bilinear form: sum x_i w_ij y_j over i and j, for each element of the batch.

    Args:
        x: (B, I)
        w: (I, J), shared by the whole batch
        y: (B, J)

    Returns:
        (B,)

    """
    raise NotImplementedError("bilinear is yours to write")


# %% [markdown]
# ## The same index twice


# %%
def trace(a: Tensor) -> Tensor:
    """Sum the diagonal of each matrix of a batch.

    Args:
        a: (B, N, N)

    Returns:
        (B,)

    """
    raise NotImplementedError("trace is yours to write")


def diagonal(a: Tensor) -> Tensor:
    """Return the diagonal of each matrix of a batch.

    Args:
        a: (B, N, N)

    Returns:
        (B, N)

    """
    raise NotImplementedError("diagonal is yours to write")


# %% [markdown]
# ## Attention
#
# `torch.softmax` is at your disposal.


# %%
def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Average the values of the keys, weighted by how well each key fits the query.

    Args:
        q: (B, Q, D), the queries
        k: (B, K, D), the keys
        v: (B, K, V), one value for each key

    Returns:
        (B, Q, V): softmax(q kᵀ / sqrt(D)) v, the softmax over the keys.

    """
    raise NotImplementedError("attention is yours to write")


# %% [markdown]
# ## Four matrices, five orders


# %%
def chain(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    """Multiply four matrices in whichever order takes the fewest multiplications.

    Args:
        a: (I, J)
        b: (J, K)
        c: (K, L)
        d: (L, M)

    Returns:
        (I, M)

    """
    raise NotImplementedError("chain is yours to write")


# %% [markdown]
# ## A place to try things
#
# What stands below does not run when your work is graded, so compare with PyTorch here as much as you like.

# %%
if __name__ == "__main__":
    torch.manual_seed(0)
    a, b = torch.randn(3, 4, 5), torch.randn(3, 5, 6)
    print((bmm(a, b) - torch.bmm(a, b)).abs().max())
