"""Named families of calls that an assignment may forbid, so that `course.yml` names an idea and not every spelling.

A family lists a function under every public and private name by which PyTorch, NumPy or SciPy offer it, together with
the functions that compute it on the way. Names that an installed version lacks do no harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

# For each family: the module, class or namespace, and the names in it.
_FAMILIES: Mapping[str, Mapping[str, str]] = {
    # log-softmax, softmax, log-sum-exp, and what is built on them: losses, attention.
    "softmax": {
        "torch": "log_softmax softmax logsumexp logcumsumexp logaddexp",
        "torch.Tensor": "log_softmax softmax logsumexp logcumsumexp logaddexp",
        "torch.special": "log_softmax softmax logsumexp",
        "torch.nn.functional": "log_softmax softmax softmin cross_entropy nll_loss scaled_dot_product_attention",
        "torch.nn": "LogSoftmax Softmax Softmax2d Softmin CrossEntropyLoss NLLLoss",
        "torch._refs": "log_softmax softmax logsumexp logaddexp",
        "torch._refs.special": "log_softmax softmax",
        "torch._refs.nn.functional": "log_softmax softmax softmin nll_loss",
        "torch._decomp.decompositions": (
            "_log_softmax _log_softmax_backward_data _softmax _softmax_backward_data safe_softmax nll_loss_forward "
            "_nll_loss_forward"
        ),
        "aten::": (
            "log_softmax _log_softmax _log_softmax_backward_data special_log_softmax softmax _softmax "
            "_softmax_backward_data _safe_softmax _sparse_softmax _sparse_log_softmax _masked_softmax "
            "_masked_softmax_backward special_softmax logsumexp special_logsumexp logcumsumexp _logcumsumexp "
            "logaddexp cross_entropy_loss nll_loss nll_loss_nd nll_loss_forward nll_loss_backward nll_loss2d "
            "nll_loss2d_forward nll_loss2d_backward scaled_dot_product_attention _scaled_dot_product_attention_math "
            "_scaled_dot_product_flash_attention_for_cpu _scaled_dot_product_flash_attention "
            "_scaled_dot_product_efficient_attention _scaled_dot_product_cudnn_attention "
            "_native_multi_head_attention"
        ),
        "numpy": "logaddexp",
        "scipy.special": "log_softmax softmax logsumexp",
    },
    # Products of matrices and vectors, traces and diagonals, at the level of functions: torch.einsum itself is built on
    # aten::bmm, so its kernel cannot be forbidden beside it.
    "matrix_products": {
        "torch": (
            "bmm matmul mm mv dot vdot inner outer ger baddbmm addbmm addmm addmv addr chain_matmul tensordot trace "
            "diagonal kron matrix_power diagonal_copy _sparse_mm smm hspmm bilinear"
        ),
        "torch.linalg": "matmul multi_dot vecdot diagonal matrix_power",
        "torch.sparse": "mm addmm",
        "torch.nn.functional": "linear bilinear scaled_dot_product_attention multi_head_attention_forward",
        "torch.nn": "Linear Bilinear MultiheadAttention",
        "torch.Tensor": (
            "bmm matmul __matmul__ __rmatmul__ mm mv dot vdot inner outer ger baddbmm addbmm addmm addmv addr "
            "baddbmm_ addbmm_ addmm_ addmv_ trace diagonal kron matrix_power smm"
        ),
        "torch._C._nn": "linear scaled_dot_product_attention",
        "torch._C._linalg": "linalg_vecdot linalg_matmul linalg_multi_dot linalg_diagonal",
        "torch.ops.aten": "bmm matmul mm mv dot addmm baddbmm linear",
        "torch._refs": "trace diagonal",
        "torch._decomp.decompositions": "matmul mv addmm addmv baddbmm",
        "numpy": "dot matmul inner outer vdot vecdot tensordot einsum kron trace diagonal",
        "numpy.linalg": "multi_dot matmul vecdot tensordot outer",
        "einops": "einsum",
    },
}

FAMILIES: Mapping[str, tuple[str, ...]] = {
    family: tuple(
        f"{owner}{name}" if owner.endswith("::") else f"{owner}.{name}"
        for owner, names in owners.items()
        for name in names.split()
    )
    for family, owners in _FAMILIES.items()
}
"""The forbidden calls of each family, as they would stand in `course.yml`."""


def is_family(name: str) -> bool:
    """Return whether a name is written as the name of a family: without a dot and without a namespace."""
    return "." not in name and "::" not in name


def expand(names: Iterable[str]) -> tuple[str, ...]:
    """Return forbidden calls, each once, with families replaced by what they hold.

    Args:
        names: Names of calls, and names of families that exist.
    """
    return tuple(dict.fromkeys(call for name in names for call in FAMILIES.get(name, (name,))))
