"""Hidden checks for log_softmax: gradients at huge logits, and what forward leaves in memory."""

import pytest
import torch

from autograder import Credit, Memory, Student, assert_close, points

MIB = 2**20


def oracle(x: torch.Tensor) -> torch.Tensor:
    """Return PyTorch's own answer along the last dimension, computed in float64."""
    return torch.log_softmax(x.double(), -1).to(x.dtype)


def oracle_gradient(x: torch.Tensor, grad_output: torch.Tensor) -> torch.Tensor:
    """Return the gradient that PyTorch finds in float64."""
    x64 = x.detach().double().requires_grad_()
    (gradient,) = torch.autograd.grad(torch.log_softmax(x64, -1), x64, grad_output.double())
    return gradient.to(x.dtype)


def extreme(rng: torch.Generator, kind: str, dtype: torch.dtype) -> torch.Tensor:
    """Draw 8 rows of logits of the size of ±1e4.

    Args:
        rng: where they are drawn from
        kind: "ties": each is +1e4 or -1e4, one row all of each; "close": they differ by about one within a row;
            "spread": they lie anywhere between
        dtype: float32 or float64

    """
    columns = int(torch.randint(4, 10, (), generator=rng))
    x = torch.randn(8, columns, generator=rng, dtype=dtype)
    if kind == "ties":
        x = x.sign() * 1e4
        x[0], x[1] = 1e4, -1e4
    elif kind == "close":
        x[::2] += 1e4
        x[1::2] -= 1e4
    else:
        x = x.clamp(-3, 3) * 1e4 / 3
    return x


@points(
    2,
    hint="What does the backward compute when the logits are as large as 10 000, in float32 too? "
    "Look for an exponential that overflows, or for digits lost beside a large number.",
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("kind", ["ties", "close", "spread"])
def check_extreme_gradients(student: Student, rng: torch.Generator, kind: str, dtype: torch.dtype) -> None:
    """Gradients stay finite and right at huge logits."""
    x = extreme(rng, kind, dtype).requires_grad_()
    grad_output = torch.randn(x.shape, generator=rng, dtype=dtype)
    y = student.log_softmax(x, -1)
    assert isinstance(y, torch.Tensor) and y.requires_grad, "the result is no torch.Tensor that requires grad"
    assert y.shape == x.shape, f"the result has shape {tuple(y.shape)}; expected {tuple(x.shape)}"
    (gradient,) = torch.autograd.grad(y, x, grad_output, allow_unused=True)
    assert_close(gradient, oracle_gradient(x, grad_output), what="the gradient")


@points(
    2,
    hint="Count the tensors of the output's size that something still refers to when forward has returned: "
    "in ctx, in attributes, in globals. Beyond input and output there is room for one.",
)
def check_memory(memory: Memory, credit: Credit, rng: torch.Generator) -> None:
    """Forward keeps at most one tensor more than input and output."""
    columns = int(torch.randint(4096, 4352, (), generator=rng))
    x = torch.randn(1536, columns, generator=rng)
    output_bytes = x.numel() * x.element_size()

    kept_bytes = memory.kept("forward", x, warm_up=(x[:4],))

    assert_close(memory.result, oracle(x))
    extra = kept_bytes / output_bytes - 1
    text = (
        f"beyond input and output forward keeps {extra:.2f} times the output, which has {output_bytes / MIB:.0f} MiB; "
        "at most 1.1 times is allowed"
    )
    credit.at_most(extra, 1.1, name="memory", text=text)
