"""`assert_close` agrees with torch.testing about values, and says in one line what is off."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from autograder import assert_close
from autograder.checks.comparison import _PIECE
from autograder.wire.values import DTYPES, Opaque

NAN, INF = float("nan"), float("inf")


def words(actual: Any, expected: Any, **settings: Any) -> str:
    """Return the message of a comparison that fails."""
    with pytest.raises(AssertionError) as caught:
        assert_close(actual, expected, what="f()", **settings)
    return str(caught.value)


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        (None, "f() returned None; expected a torch.Tensor of shape (2,)"),
        ([1.0, 2.0], "f() returned a list of 2; expected a torch.Tensor of shape (2,)"),
        (1.5, "f() returned float; expected a torch.Tensor of shape (2,)"),
        (
            Opaque("Sly", "a subclass of torch.Tensor"),
            "f() returned Sly, a subclass of torch.Tensor; expected a torch.Tensor of shape (2,)",
        ),
        (Opaque("Linear"), "f() returned Linear; expected a torch.Tensor of shape (2,)"),
        (torch.ones(1), "f() has shape (1,); expected (2,)"),
        (torch.tensor(1.0), "f() has shape (); expected (2,)"),
        (torch.ones(2).double(), "f() has dtype torch.float64; expected torch.float32"),
        (torch.ones(2, dtype=torch.int64), "f() has dtype torch.int64; expected torch.float32"),
        (torch.ones(2, device="meta"), "f() is on meta; expected cpu"),
        (torch.tensor([1.0, 3.0]), "f() is 3 at [1]; expected 1 within 1.1e-05; 1 of 2 elements are off"),
        (torch.tensor([NAN, 1.0]), "f() is nan at [0]; expected 1; 1 of 2 elements are off"),
        (torch.tensor([INF, -INF]), "f() is inf at [0]; expected 1; 2 of 2 elements are off"),
    ],
)
def test_type_comes_first_then_shape_dtype_device_and_values(actual: Any, message: str) -> None:
    assert words(actual, torch.ones(2)) == message


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        (torch.tensor([1, 5]), torch.tensor([1, 2]), "f() is 5 at [1]; expected 2; 1 of 2 elements are off"),
        (torch.tensor([True]), torch.tensor([False]), "f() is True at [0]; expected False; 1 of 1 elements are off"),
        (torch.tensor(1.0), torch.tensor(2.0), "f() is 1; expected 2 within 1.3e-05; 1 of 1 elements are off"),
        (
            torch.tensor([[0.0, 1.0], [5.0, 9.0]]),
            torch.tensor([[0.0, 1.5], [5.0, 7.0]]),
            "f() is 9 at [1, 1]; expected 7 within 1.9e-05; 2 of 4 elements are off",
        ),
        (
            torch.tensor([1 + 1j]),
            torch.tensor([1 - 1j]),
            "f() is 1+1j at [0]; expected 1-1j within 1.2e-05; 1 of 1 elements are off",
        ),
        (torch.tensor([1.0]), torch.tensor([NAN]), "f() is 1 at [0]; expected nan; 1 of 1 elements are off"),
        (torch.tensor([-INF]), torch.tensor([INF]), "f() is -inf at [0]; expected inf; 1 of 1 elements are off"),
        (torch.tensor([3e38]), torch.tensor([INF]), "f() is 3e+38 at [0]; expected inf; 1 of 1 elements are off"),
        (
            torch.tensor([2**62 + 1]),
            torch.tensor([2**62]),
            "f() is 4611686018427387905 at [0]; expected 4611686018427387904; 1 of 1 elements are off",
        ),
    ],
)
def test_the_worst_element_is_shown_with_its_allowance(
    actual: torch.Tensor, expected: torch.Tensor, message: str
) -> None:
    assert words(actual, expected) == message


@pytest.mark.parametrize(
    ("actual", "expected", "message"),
    [
        (1, 2, "f() returned 1; expected 2"),
        (1.0, 1, "f() returned 1.0; expected 1"),
        (True, 1, "f() returned True; expected 1"),
        (1.0, 1.5, "f() returned 1.0; expected 1.5"),
        (NAN, 1.0, "f() returned nan; expected 1.0"),
        ("a" * 200, "b", f"f() returned '{'a' * 99}; expected 'b'"),
        (None, 1, "f() returned None; expected 1"),
        (torch.ones(1), 1.0, "f() returned a float32 tensor of shape (1,); expected 1.0"),
        ((1, 2), [1, 2], "f() returned a tuple of 2; expected a list of 2"),
        ([1], [1, 2], "f() returned a list of 1; expected a list of 2"),
        ([], [1], "f() returned a list of 0; expected a list of 1"),
        ([1, [2, 4]], [1, [2, 3]], "item 1 of item 1 of f() returned 4; expected 3"),
        (
            [torch.ones(1), torch.ones(2)],
            [torch.ones(1), torch.zeros(2)],
            "item 1 of f() is 1 at [0]; expected 0 within 1e-05; 2 of 2 elements are off",
        ),
    ],
)
def test_plain_values_are_compared_with_their_types(actual: Any, expected: Any, message: str) -> None:
    assert words(actual, expected) == message


def test_a_hint_follows_and_tolerances_may_be_given() -> None:
    one, other = torch.tensor([1.0]), torch.tensor([1.1])

    assert_close(one, other, atol=0.2)
    assert_close(one, other, rtol=0.1)
    assert_close(1.0, 1.1, atol=0.2)
    assert words(one, other, rtol=0, atol=0.01, hint="Look at the sign.") == (
        "f() is 1 at [0]; expected 1.1 within 0.01; 1 of 1 elements are off. Look at the sign."
    )


def test_equal_values_pass_whatever_their_kind() -> None:
    for value in (None, True, 3, 1.5, NAN, "x", [1, (2, None)], torch.tensor([NAN, INF, -INF, 0.0]), torch.ones(0, 3)):
        assert_close(value, value)


@pytest.mark.parametrize("dtype", DTYPES.values(), ids=str)
def test_every_dtype_is_compared(dtype: torch.dtype) -> None:
    zeros, ones = torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype)

    assert_close(ones, ones.clone())
    assert "3 of 3 elements are off" in words(zeros, ones)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64])
def test_the_tolerances_are_those_of_torch_testing(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    outcomes = set()

    for scale in (1e-3, 1.0, 1e3):
        for error in (1e-9, 1e-8, 1e-7, 1e-6, 2e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2):
            expected = torch.randn(5, dtype=torch.float64, generator=generator).to(dtype) * scale
            actual = expected + expected * torch.randn(5, dtype=torch.float64, generator=generator).to(dtype) * error
            theirs = ours = True
            try:
                torch.testing.assert_close(actual, expected, equal_nan=True)
            except AssertionError:
                theirs = False
            try:
                assert_close(actual, expected)
            except AssertionError:
                ours = False
            assert ours == theirs, (scale, error)
            outcomes.add(ours)
    assert outcomes == {True, False}


SPECIAL = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-7, 1.0 + 1e-4, NAN, INF, -INF, 3e38, 1e-45])


@given(st.lists(st.tuples(SPECIAL, SPECIAL), min_size=1, max_size=6))
def test_special_values_are_compared_as_torch_testing_does(pairs: list[tuple[float, float]]) -> None:
    actual, expected = (torch.tensor(side) for side in zip(*pairs, strict=True))
    try:
        torch.testing.assert_close(actual, expected, equal_nan=True)
    except AssertionError:
        words(actual, expected)
    else:
        assert_close(actual, expected)


def test_an_error_in_any_piece_of_a_large_tensor_is_found() -> None:
    expected = torch.zeros(3 * _PIECE + 5)
    for place in (0, _PIECE, 2 * _PIECE - 1, 3 * _PIECE + 4):
        actual = expected.clone()
        actual[place] = 1.0

        assert (
            words(actual, expected)
            == f"f() is 1 at [{place}]; expected 0 within 1e-05; 1 of {len(expected)} elements are off"
        )


def test_strides_and_graphs_do_not_matter() -> None:
    x = torch.arange(6.0).reshape(2, 3)

    assert_close(x.t().contiguous().t(), x)
    assert_close(x.clone().requires_grad_(), x)
