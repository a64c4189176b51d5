"""`student.f(x)` is a call of the submission's `f`: values and gradients cross, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from harness import Lab
from torch.autograd.gradcheck import GradcheckError

from autograder import Probe, StudentError, assert_close, assert_unchanged
from autograder.checks.student import Student
from autograder.verdicts import Crashed
from autograder.wire.values import Opaque

MATHS = """
import torch

def cube(x):
    return x ** 3

def mixed(x, y):
    return {"sum": (x + y).sin(), "list": [x * y, 3], "none": None, "flag": (x > 0)}

def pair(x, y):
    return x.exp(), y.exp()

def affine(parts, scale=None):
    return parts["weights"][0] @ parts["x"] + parts["weights"][1] * scale

def detached(x):
    return x.detach() * 2

def half(x):
    return x.clone(), x.detach().clone()

def no_graph_inside(x):
    with torch.no_grad():
        return x * 2

def stop():
    return torch.is_grad_enabled()

class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2 * x * grad

class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return 2.001 * x * grad

class Broken(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * x

    @staticmethod
    def backward(ctx, grad):
        raise ValueError("no backward")

class Stingy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        return grad, None

def wrong(x):
    return Wrong.apply(x)

def square(x):
    return Square.apply(x)

def broken(x):
    return Broken.apply(x)

def stingy(x, y):
    return Stingy.apply(x, y)
"""


def leaf(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(1)).requires_grad_()


@pytest.fixture
def maths(lab: Lab) -> Student:
    return lab.student(MATHS)


# -- gradients -------------------------------------------------------------------------------------------------------


def test_gradcheck_and_gradgradcheck_run_across_the_boundary(any_lab: Lab) -> None:
    maths = any_lab.student(MATHS)
    x = leaf(2, 3)

    assert torch.autograd.gradcheck(maths.square, (x,), rtol=1e-5, atol=1e-7)
    assert torch.autograd.gradgradcheck(maths.square, (x,), rtol=1e-5, atol=1e-7)
    assert torch.autograd.gradcheck(maths.pair, (leaf(2), leaf(3)))


def test_gradcheck_sees_a_gradient_that_is_a_thousandth_off(maths: Student) -> None:
    with pytest.raises(GradcheckError):
        torch.autograd.gradcheck(maths.wrong, (leaf(2),), rtol=1e-5, atol=1e-7)


def test_gradients_of_every_order_agree_with_those_in_this_process(maths: Student) -> None:
    x = leaf(3)
    ours, theirs = [x**3], [maths.cube(x)]

    for _ in range(4):
        for chain in (ours, theirs):
            (gradient,) = torch.autograd.grad(chain[-1].sum(), x, create_graph=True, allow_unused=True)
            chain.append(gradient)

    for one, other in zip(theirs[:4], ours[:4], strict=True):
        assert_close(one.detach(), other.detach())


def test_gradients_reach_tensors_inside_containers_and_keywords(maths: Student) -> None:
    weights, bias, x = leaf(2, 3), leaf(2), leaf(3)
    scale = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)

    out = maths.affine({"weights": [weights, bias], "x": x}, scale=scale)
    gradients = torch.autograd.grad(out.sum(), [weights, bias, x, scale])

    expected = torch.autograd.grad((weights @ x + bias * scale).sum(), [weights, bias, x, scale])
    assert_close(list(gradients), list(expected))


def test_outputs_inside_containers_are_differentiable(maths: Student) -> None:
    x, y = leaf(3), leaf(3)

    out = maths.mixed(x, y)

    assert (out["list"][1], out["none"]) == (3, None)
    assert (out["flag"].dtype, out["flag"].requires_grad) == (torch.bool, False)
    gradients = torch.autograd.grad((out["sum"] * out["list"][0]).sum(), [x, y])
    expected = torch.autograd.grad(((x + y).sin() * (x * y)).sum(), [x, y])
    assert_close(list(gradients), list(expected))


def test_an_output_may_go_unused(maths: Student) -> None:
    x, y = leaf(3), leaf(2)

    first, _ = maths.pair(x, y)
    gradients = torch.autograd.grad(first.sum(), [x, y], allow_unused=True)

    assert_close(gradients[0], x.exp().detach())
    assert gradients[1] is None or not gradients[1].any()


def test_a_gradient_that_is_none_counts_as_none(maths: Student) -> None:
    x, y = leaf(3), leaf(3)

    gradients = torch.autograd.grad(maths.stingy(x, y).sum(), [x, y], allow_unused=True)

    assert_close(gradients[0], torch.ones(3, dtype=torch.float64))
    assert gradients[1] is None


def test_only_results_that_require_grad_do(maths: Student) -> None:
    x = leaf(3)

    attached, detached = maths.half(x)

    assert (attached.requires_grad, detached.requires_grad) == (True, False)
    assert not maths.detached(x).requires_grad
    assert not maths.no_graph_inside(x).requires_grad


def test_without_grad_mode_results_are_detached(maths: Student) -> None:
    x = leaf(3)

    with torch.no_grad():
        result, mode = maths.cube(x), maths.stop()

    assert (result.requires_grad, mode) == (False, False)
    assert maths.stop() is True
    assert not maths.cube(x.detach()).requires_grad


def test_the_same_tensor_twice_collects_both_gradients(maths: Student) -> None:
    x = leaf(3)

    (gradient,) = torch.autograd.grad(sum(part.sum() for part in maths.pair(x, x)), x)

    assert_close(gradient, 2 * x.exp().detach())


def test_backward_accumulates_as_everywhere(maths: Student) -> None:
    x = leaf(3)

    for _ in range(2):
        maths.cube(x).sum().backward()

    assert_close(x.grad, 6 * x.detach() ** 2)


def test_what_backward_raises_is_the_submissions_error(maths: Student) -> None:
    x = leaf(3)
    result = maths.broken(x)

    with pytest.raises(StudentError) as caught:
        result.sum().backward()

    assert (caught.value.type_name, caught.value.message) == ("ValueError", "no backward")
    assert caught.value.traceback.endswith('in backward: raise ValueError("no backward")')


def test_float32_gradients_keep_their_dtype(maths: Student) -> None:
    x = leaf(3, dtype=torch.float32)

    (gradient,) = torch.autograd.grad(maths.square(x).sum(), x)

    assert_close(gradient, 2 * x.detach())


# -- values ----------------------------------------------------------------------------------------------------------

LOOK = """
import collections, dataclasses, torch

def geometry(x):
    return list(x.shape), list(x.stride()), x.is_contiguous(), x.storage_offset()

def same(x):
    return x

def kinds(*values, **named):
    return [type(value).__name__ for value in [*values, *named.values()]]

def exotic(name):
    Sly = type("Sly", (torch.Tensor,), {})
    Pair = collections.namedtuple("Pair", "a b")
    return {
        "subclass": lambda: torch.ones(2).as_subclass(Sly),
        "parameter": lambda: torch.nn.Parameter(torch.ones(2)),
        "sparse": lambda: torch.eye(2).to_sparse(),
        "nested": lambda: torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]),
        "quantized": lambda: torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        "meta": lambda: torch.ones(2, device="meta"),
        "function": lambda: exotic,
        "module": lambda: torch.nn.Linear(1, 1),
        "set": lambda: {1},
        "ordered": lambda: collections.OrderedDict(a=1),
        "namedtuple": lambda: Pair(1, 2),
        "str": lambda: type("Str", (str,), {})("x"),
        "large": lambda: 1 << 64,
        "keys": lambda: {1: 2},
        "list": lambda: [torch.ones(2)],
        "size": lambda: torch.ones(2).shape,
    }[name]()

def zero(x, values=(), extra=None):
    if x is not None:
        x.zero_()
    for value in values:
        value.zero_()
    for value in (extra or {}).values():
        value.zero_()

def resize(x):
    x.resize_(1)

def retype(x):
    x.data = x.data.double()

buffer = torch.zeros(3)

def count():
    buffer.add_(1)
    return buffer

hits = 0

def hit():
    global hits
    hits += 1
    return hits
"""


@pytest.fixture
def look(lab: Lab) -> Student:
    return lab.student(LOOK)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: x,
        lambda x: x.t(),
        lambda x: x[::2, 1::3],
        lambda x: x[:, :1].expand(6, 5),
        lambda x: x[0, 0],
        lambda x: x[0, 0].expand(2, 3),
        lambda x: x[:0],
        lambda x: x.unfold(1, 3, 1),
        lambda x: x.reshape(2, 3, 5).permute(2, 0, 1),
        lambda x: x.diagonal(),
    ],
)
def test_inputs_arrive_with_their_strides(look: Student, make: object) -> None:
    x = make(torch.arange(30.0).reshape(6, 5))  # type: ignore[operator]

    shape, stride, contiguous, _ = look.geometry(x)

    assert (shape, stride, contiguous) == (list(x.shape), list(x.stride()), x.is_contiguous())
    assert torch.equal(look.same(x), x)
    assert look.same(x).is_contiguous()


def test_plain_values_cross_both_ways_as_what_they_are(look: Student) -> None:
    values = [None, True, 7, -(2**63), 2**64 - 1, 0.1, float("inf"), 1 - 2j, "é\n", b"\0\xff", [1, [2]], (3, (4,))]
    values += [{"a": [None]}, torch.float16, torch.device("cpu"), [], (), {}]

    for value in values:
        back = look.same(value)
        assert (type(back), back) == (type(value), value)
    assert look.kinds(1, 2.0, key="x") == ["int", "float", "str"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("subclass", "Sly, a subclass of torch.Tensor"),
        ("parameter", "Parameter, a subclass of torch.Tensor"),
        ("sparse", "Tensor, a tensor of layout torch.sparse_coo"),
        ("nested", "Tensor, a nested tensor"),
        ("quantized", "Tensor, a tensor of dtype torch.qint8"),
        ("meta", "Tensor, a tensor without data (device meta)"),
        ("function", "function"),
        ("module", "Linear"),
        ("set", "set"),
        ("ordered", "OrderedDict"),
        ("namedtuple", "Pair"),
        ("str", "Str"),
        ("large", "int, beyond 64 bits"),
        ("keys", "dict"),
        ("size", "Size"),
        ("list", "a list of 1"),
    ],
)
def test_what_is_no_plain_value_is_named_and_never_equal(look: Student, name: str, words: str) -> None:
    result = look.exotic(name)

    assert type(result) is (list if name == "list" else Opaque)
    with pytest.raises(AssertionError) as caught:
        assert_close(result, torch.ones(2))
    assert str(caught.value) == f"exotic() returned {words}; expected a torch.Tensor of shape (2,)"


def test_changed_arguments_are_named(look: Student) -> None:
    ones = torch.ones(2)

    look.zero(ones)
    assert look.changed == ["argument 1"]
    look.zero(None, [ones, ones])
    assert look.changed == ["argument 2[0]", "argument 2[1]"]
    look.zero(None, extra={"k": ones})
    assert look.changed == ["argument extra['k']"]
    look.resize(ones)
    assert look.changed == ["argument 1"]
    look.retype(ones)
    assert look.changed == ["argument 1"]
    with pytest.raises(AssertionError, match=r"^retype\(\) changed its inputs in place: argument 1$"):
        assert_unchanged(look)
    look.same(ones)
    assert look.changed == []
    assert_unchanged(look)
    assert torch.equal(ones, torch.ones(2))  # the grader's own tensor never changes


def test_a_signed_zero_and_nan_count_as_they_are(look: Student) -> None:
    look.zero(torch.tensor([-0.0]))
    assert look.changed == ["argument 1"]

    look.same(torch.tensor([float("nan")]))
    assert look.changed == []


def test_results_are_independent_of_later_calls(look: Student) -> None:
    first = look.count()
    second = look.count()

    assert (first.tolist(), second.tolist()) == ([1.0] * 3, [2.0] * 3)


def test_state_stays_in_a_worker_and_a_fresh_one_has_none(look: Student) -> None:
    assert [look.hit(), look.hit()] == [1, 2]

    assert look.fresh().hit() == 1
    assert look.hit() == 3


# -- errors ----------------------------------------------------------------------------------------------------------


def test_an_error_carries_class_bases_message_and_line(lab: Lab) -> None:
    student = lab.student("""
    class Base(ValueError):
        pass

    class Special(Base):
        pass

    def f(x):
        return g(x)

    def g(x):
        raise Special("x" * 10_000)
    """)

    with pytest.raises(StudentError) as caught:
        student.f(1)

    error = caught.value
    assert (error.type_name, error.message) == ("Special", "x" * 4000)
    assert error.mro == ("Special", "Base", "ValueError", "Exception", "BaseException", "object")
    assert error.traceback.splitlines() == [
        "echo.py, line 9, in f: return g(x)",
        'echo.py, line 12, in g: raise Special("x" * 10_000)',
    ]
    assert error.line == 12
    assert str(error) == "Special: " + "x" * 4000


def test_a_function_that_is_missing_is_named(lab: Lab) -> None:
    student = lab.student("class A:\n    pass")

    for call, path in ((student.f, "f"), (student.A.apply, "A.apply")):
        with pytest.raises(StudentError, match=f"^AttributeError: echo.py does not define {path}$"):
            call(1)


def test_a_wrong_signature_is_the_submissions_error(lab: Lab) -> None:
    student = lab.student("def f(x):\n    return x")

    with pytest.raises(StudentError, match=r"^TypeError: f\(\) takes 1 positional argument but 2 were given$"):
        student.f(1, 2)


def test_the_worker_lives_on_after_an_error(lab: Lab) -> None:
    student = lab.student("def f(x):\n    return 1 // x")

    with pytest.raises(StudentError):
        student.f(0)

    assert student.f(1) == 1


def test_attributes_that_python_itself_asks_for_are_no_calls(lab: Lab) -> None:
    student = lab.student("def f():\n    return 1")

    assert not hasattr(student, "__len__")
    assert not hasattr(student.f, "__wrapped__")
    assert student.f.__name__ == "f"


@pytest.mark.parametrize(
    ("header", "body", "words"),
    [
        ({"result": {"l": []}}, b"", "gradients are missing"),
        ({"result": None}, b"", "gradients are missing"),
        (
            {"result": {"l": [{"T": {"dtype": "float64", "shape": [1], "device": "cpu", "grad": False, "buffer": 0}}]}},
            bytes(64),
            "a gradient has the wrong shape",
        ),
    ],
    ids=["none", "another kind", "another shape"],
)
def test_a_malformed_gradient_is_a_crash(lab: Lab, header: dict[str, object], body: bytes, words: str) -> None:
    buffers = [8] if body else []
    student = lab.student(f"""
    import json, os, struct, torch

    class Forger(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, grad):
            text = json.dumps({{"serial": 3, "forbidden": [], "buffers": {buffers}, **{header!r}}}).encode()
            os.write(3, struct.pack("<4sIQ", b"agw1", len(text), {len(body)}) + text + {body!r})
            return grad

    f = Forger.apply
    """)
    x = leaf(3)
    result = student.f(x)

    with pytest.raises(Crashed, match=f"^the worker's answer is malformed: {words}$"):
        result.sum().backward()


# -- what the contract promises to a module --------------------------------------------------------------------------


def test_every_worker_draws_its_own_numbers_and_draws_them_again(lab: Lab) -> None:
    source = """
    import random, numpy, torch

    def draw():
        return [torch.rand(1).item(), random.random(), float(numpy.random.rand())]
    """
    workers = lab.workers(source)
    draws = []

    for workers.seed in (1, 2, 1):
        draws.append(workers.student().draw())

    assert draws[0] == draws[2]
    assert all(one != other for one, other in zip(draws[0], draws[1], strict=True))


def test_numpy_and_torchvision_are_there(any_lab: Lab) -> None:
    student = any_lab.student("""
    import numpy, torch, torchvision
    from torchvision import datasets, models, transforms

    def use(x):
        model = models.resnet18(weights=None, num_classes=3).eval()
        data = datasets.FakeData(size=2, image_size=(3, 32, 32), transform=transforms.ToTensor())
        with torch.no_grad():
            scores = model(torch.stack([image for image, _ in data]))
        return list(scores.shape), float(numpy.asarray(x).sum()), torch.from_numpy(numpy.ones(2))
    """)

    shape, total, ones = student.use(torch.ones(3))

    assert (shape, total, ones.tolist()) == ([2, 3], 3.0, [1.0, 1.0])


@pytest.mark.parametrize("arguments", ["num_workers=2, persistent_workers=True", "num_workers=2, prefetch_factor=4"])
def test_a_data_loader_with_workers_runs_in_one_process_and_says_so(any_lab: Lab, arguments: str) -> None:
    student = any_lab.student(f"""
    import torch
    from torch.utils.data import DataLoader, TensorDataset

    def total(x):
        loader = DataLoader(TensorDataset(x), batch_size=2, {arguments})
        return sum(batch.sum() for (batch,) in loader)
    """)

    total = student.total(torch.ones(5))
    student.worker.close()

    assert total.item() == 5.0
    assert student.output == "DataLoader: num_workers=0 is used, for a submission is one process\n"


def test_a_data_loader_without_workers_says_nothing(lab: Lab) -> None:
    student = lab.student("""
    from torch.utils.data import DataLoader

    def total(x):
        return sum(batch.sum() for batch in DataLoader(x, 2, False, None, None, 0))
    """)

    assert student.total(torch.ones(5)).item() == 5.0
    assert student.output == ""


def test_the_module_is_registered_and_lies_on_its_own_disk(lab: Lab) -> None:
    student = lab.student("""
    from __future__ import annotations

    import dataclasses, inspect, os, pickle, sys, typing, torch

    @dataclasses.dataclass
    class Point:
        x: typing.ClassVar[int] = 1
        y: "int" = 2

    @torch.jit.script
    def scripted(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    def registered():
        return sys.modules["echo"].registered is registered, __name__, os.path.basename(__file__)

    def source():
        return inspect.getsource(source)

    def pickled():
        return pickle.loads(pickle.dumps(Point(3))).y

    def hints():
        return str(typing.get_type_hints(scripted_twice)["x"])

    def scripted_twice(x: torch.Tensor) -> torch.Tensor:
        return scripted(x)

    ran = __name__ == "__main__"
    if __name__ == "__main__":
        raise SystemExit("not here")

    def main_ran():
        return ran
    """)

    assert student.registered() == (True, "echo", "echo.py")
    assert student.source() == "def source():\n    return inspect.getsource(source)\n"
    assert student.pickled() == 3
    assert student.hints() == "<class 'torch.Tensor'>"
    assert student.scripted_twice(torch.ones(2)).tolist() == [2.0, 2.0]
    assert student.main_ran() is False


def test_torch_compile_says_that_it_is_not_available(lab: Lab) -> None:
    student = lab.student("import torch\n\ndef f(x):\n    return torch.compile(torch.sin)(x)")

    with pytest.raises(StudentError, match="^RuntimeError: torch.compile is not available: there is no compiler"):
        student.f(torch.ones(1))


def test_a_submission_in_any_script_loads(lab: Lab) -> None:
    student = lab.student("# größer 数\r\nname = 'größer 数'\r\ndef f():\r\n    return name\r\n")

    assert student.f() == "größer 数"


# -- probes ----------------------------------------------------------------------------------------------------------


def test_probes_run_beside_the_submission_and_keep_their_state(lab: Lab) -> None:
    probes = """
    calls = []

    def twice(submission, x):
        calls.append(1)
        return submission.double(submission.double(x)), len(calls)
    """
    from textwrap import dedent

    workers = lab.workers("def double(x):\n    return 2 * x", probes={"probes": dedent(probes)})
    student = workers.student()
    probe = Probe(student)
    x = leaf(2)

    result, calls = probe.twice(x)
    (gradient,) = torch.autograd.grad(result.sum(), x)

    assert (calls, probe.twice(x)[1], probe.of(student.fresh()).twice(x)[1]) == (1, 2, 1)
    assert gradient.tolist() == [4.0, 4.0]


def test_probes_load_before_the_submission(lab: Lab) -> None:
    probes = "import torch\n_sin = torch.sin\ndef sin(submission, x):\n    return _sin(x)\n"
    workers = lab.workers("import torch\ntorch.sin = torch.cos\n", probes={"probes": probes})

    result = Probe(workers.student()).sin(torch.zeros(1))

    assert result.item() == 0.0


def test_hidden_probes_come_first_and_in_hidden_checks_only(lab: Lab) -> None:
    probes = {
        "probes_hidden": "def where(submission):\n    return 'hidden'\n",
        "probes": "def where(submission):\n    return 'public'\n\ndef other(submission):\n    return 'public'\n",
    }
    workers = lab.workers("import os\ndef files():\n    return sorted(os.listdir('.'))", probes=probes)

    public = workers.student()
    workers.hidden = True
    hidden = workers.student()

    assert (Probe(hidden).where(), Probe(hidden).other()) == ("hidden", "public")
    workers.hidden = False
    assert Probe(public).where() == "public"
    assert public.files() == ["echo.py", "probes.py"]


def test_a_probe_that_is_missing_is_an_error_of_the_course(lab: Lab) -> None:
    probe = Probe(lab.student("x = 1"))

    with pytest.raises(LookupError, match="^probes.py does not define nothing$"):
        probe.nothing()


def test_files_of_a_worker_are_its_own(any_lab: Lab, tmp_path: Path) -> None:
    source = """
    import os

    def write():
        with open("note", "w") as file:
            file.write("x")

    def files():
        return sorted(os.listdir("."))
    """
    one, other = any_lab.student(source), any_lab.student(source)

    one.write()

    assert (one.files(), other.files()) == (["echo.py", "note"], ["echo.py"])
