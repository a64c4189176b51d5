"""Hidden checks for checkpoint: what passes through it, the modes around it, and the sequential variant."""

from typing import Any

import pytest
import torch
from torch import Tensor

from autograder import Probe, Student, StudentError, assert_close, assert_unchanged, points


def normal(rng: torch.Generator, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Draw from N(0, 1)."""
    return torch.randn(shape, generator=rng, dtype=dtype)


def size(rng: torch.Generator, low: int = 2, high: int = 6) -> int:
    """Draw a size between `low` and `high`, both included."""
    return int(torch.randint(low, high + 1, (), generator=rng))


def near(actual: object, expected: Tensor) -> bool:
    """Tell what belongs together from what was mixed up; rounding is for others to judge."""
    shaped = isinstance(actual, Tensor) and actual.shape == expected.shape
    return shaped and torch.allclose(actual.to(expected.dtype), expected, rtol=1e-3, atol=1e-3)


def shuffled(rng: torch.Generator, shape: tuple[int, int], wanted: int) -> tuple[list[Any], list[int]]:
    """Return positional arguments of every kind in random order, and the places of those that are to require grad.

    The arguments to require grad have sizes of their own, so that a gradient in a wrong place has a wrong shape.
    """
    rows, columns = shape
    floats = [normal(rng, rows, columns), normal(rng, columns), normal(rng, rows, 1)][:wanted]
    others = [
        *(3, None, "words", True, 2.5, [1, 2], {"rate": 0.5}, torch.float16, None),
        *(torch.randint(0, 9, shape, generator=rng), normal(rng, rows, columns) > 0, normal(rng, rows, columns)),
    ]
    values = [*floats, *others]
    order = torch.randperm(len(values), generator=rng).tolist()
    return [values[place] for place in order], sorted(order.index(number) for number in range(wanted))


@points(
    2,
    hint="Which of the arguments are tensors, and which of those may require grad at all? What does backward have to "
    "return in the places of the others? Whose tensors does the recomputation work on: the caller's, or its own?",
)
@pytest.mark.parametrize("wanted", [1, 2, 3])
def check_arguments(student: Student, probe: Probe, rng: torch.Generator, wanted: int) -> None:
    """Arguments of every kind reach fn, in forward and recomputation, and the caller's tensors stay as they are."""
    for _ in range(4):
        shape = (size(rng), size(rng))
        args, places = shuffled(rng, shape, wanted)
        kwargs = {
            "scale": normal(rng, *shape),
            "power": 2,
            "mask": torch.randint(0, 2, shape, generator=rng).bool(),
            "nothing": None,
            "mode": "sum",
        }

        found = probe.passed_through(args, kwargs, places, normal(rng, *args[places[0]].shape))

        assert_unchanged(student)
        assert found["seen"], "the function was never called"
        expected = (args, [[name, kwargs[name]] for name in sorted(kwargs)])
        for number, seen in enumerate(found["seen"]):
            which = "fn got in forward" if number == 0 else "fn got later"
            assert_close(seen, expected, rtol=0, atol=0, what=f"what {which}")
        for moment in ("forward", "grad"):
            state = f"(requires_grad, .grad) of the caller's tensors after {moment}"
            assert_close(found[moment], found["before"], rtol=0, atol=0, what=state)
        flags = [[needs_grad for needs_grad, _ in found[moment]] for moment in ("before", "backward")]
        assert flags[0] == flags[1], "requires_grad of the caller's tensors is another one after backward"
        extra = [gradient for needs_grad, gradient in found["backward"] if not needs_grad and gradient is not None]
        assert not extra, "backward left a gradient in a tensor that needs none"
        # Whether gradients are right is for their own check to judge: here they are compared with the submission's
        # own, for the same function of tensors alone.
        if found["plain"] is not None and all(isinstance(gradient, Tensor) for gradient in found["plain"]):
            same = all(map(near, found["gradients"], found["plain"]))
            assert same, "gradients are mixed up where other arguments stand between the tensors"


AUTOCAST = [None, torch.bfloat16, torch.float16]


@points(
    2,
    hint="Which states of the program does fn see in forward, and are they the same when it runs again? Look at grad "
    "mode and at autocast, its dtype included. What does your code hold on to when no backward can follow?",
)
@pytest.mark.parametrize("case", ["no_grad", "grad mode", "autocast"])
def check_modes(probe: Probe, rng: torch.Generator, device: torch.device, case: str) -> None:
    """no_grad needs one call and keeps nothing; the recomputation has the autocast state of the forward."""
    if case == "no_grad":
        for how in ("tensors", "a thing", "by keyword"):
            x, scale = normal(rng, size(rng), 3), normal(rng, 3)
            try:
                found = probe.without_grad(how, x, scale)
            except StudentError:
                if how == "tensors":
                    raise
                continue  # that such arguments pass through is for `arguments` to show
            assert found["calls"] == 1, f"under no_grad the function ran {found['calls']} times; expected once"
            assert found["modes"] == [False, False], "under no_grad the grad mode is another one after checkpoint"
            assert not any(found["alive"]), "under no_grad arguments are kept alive after checkpoint has returned"
    elif case == "grad mode":
        modes = probe.grad_modes(normal(rng, size(rng), 3))
        assert modes == [True, True], "the grad mode is another one after checkpoint, or after backward"
    else:
        for forward in AUTOCAST:
            for backward in AUTOCAST:
                x, w = (normal(rng, 4, 4, dtype=torch.float32).to(device) for _ in range(2))
                states = probe.autocast_states(x, w, forward, backward)
                assert states, "the function was never called"
                wrong = [state for state in states if state != forward]
                assert not wrong, f"autocast: {wrong[0]} during recomputation; {forward} in forward"


def oracle_sequential(x: Tensor, weights: list[Tensor], vector: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Return the result of the functions in probes.py, and the gradients of the input and the parameters."""
    x, leaves = x.detach().requires_grad_(), [weight.detach().requires_grad_() for weight in weights]
    y = x
    for weight in leaves:
        y = (y @ weight).sin() + y
    gradient, *parameters = torch.autograd.grad(y, [x, *leaves], vector)
    return y.detach(), gradient, parameters


def runs(order: list[int]) -> list[list[int]]:
    """Split the order in which backward called the functions into runs of neighbours, each run once."""
    found: list[list[int]] = []
    for place in order:
        if found and place == found[-1][-1] + 1:
            found[-1].append(place)
        else:
            found.append([place])
    return [run for number, run in enumerate(found) if run not in found[:number]]


@points(
    2,
    hint="How many runs are there for, say, 5 functions and 4 segments, and how long is each? Which of them does "
    "backward compute anew?",
)
@pytest.mark.parametrize("count", [1, 2, 5, 7, "random"])
def check_sequential(probe: Probe, rng: torch.Generator, count: int | str) -> None:
    """checkpoint_sequential agrees for every number of segments, and makes exactly so many checkpointed runs."""
    length = size(rng, 8, 12) if isinstance(count, str) else count
    rows, width = size(rng), size(rng)
    weights = [normal(rng, width, width) / (2 * width**0.5) for _ in range(length)]
    x, vector = normal(rng, rows, width), normal(rng, rows, width)
    result, gradient, parameters = oracle_sequential(x, weights, vector)
    # Parameters without gradients cost the check of that name, unless it is checkpoint_sequential that loses them.
    judge_parameters = all(map(near, probe.sequential(0, x, weights, vector)["parameters"], parameters))

    for segments in range(1, length + 1):
        found = probe.sequential(segments, x, weights, vector)

        which = f"checkpoint_sequential() of {length} functions in {segments} segments"
        assert_close(found["result"], result, what=which)
        assert_close(found["gradient"], gradient, what=f"the gradient of {which}")
        if judge_parameters:
            assert_close(found["parameters"], parameters, what=f"the parameters' gradients of {which}")
        assert found["list_kept"] is True, f"{which} changed its list"
        parts = sorted(runs(found["order"]))
        covered = [place for part in parts for place in part] == list(range(length))
        assert covered, f"{which}: backward did not compute every function anew, run by run: {found['order']}"
        lengths = [len(part) for part in parts]
        assert len(lengths) == segments, f"{which} made {len(lengths)} runs"
        assert max(lengths) - min(lengths) <= 1, f"{which} made runs of lengths {lengths}"
