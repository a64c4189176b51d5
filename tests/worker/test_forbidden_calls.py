"""A forbidden call is seen where it runs, whatever it is called, and nowhere else."""

from __future__ import annotations

import warnings

import pytest
import torch
from harness import Lab

from autograder.checks.forbidden_names import forbidden_leaves, standing_names
from autograder.checks.student import Student
from autograder.verdicts import Forbidden, StudentError

NAMES = (
    "torch.log_softmax",
    "torch.Tensor.log_softmax",
    "torch.logsumexp",
    "torch.Tensor.logsumexp",
    "torch.special.log_softmax",
    "torch.nn.functional.log_softmax",
    "torch.nn.functional.cross_entropy",
    "torch.nn.LogSoftmax",
    "torch._refs.log_softmax",
    "torch._refs.logsumexp",
    "torch._decomp.decompositions._log_softmax",
    "aten::log_softmax",
    "aten::_log_softmax",
    "aten::logsumexp",
    "aten::_log_softmax_backward_data",
    "numpy.logaddexp",
)

WAYS = {
    "plainly": "torch.log_softmax(x, 0)",
    "as a method": "x.log_softmax(0)",
    "as an unbound method": "torch.Tensor.log_softmax(x, 0)",
    "by a method of the base class": "torch._C.TensorBase.log_softmax(x, 0)",
    "of the functional module": "F.log_softmax(x, 0)",
    "under an alias of the module": "T.log_softmax(x, 0)",
    "under an alias from import": "alias(x, 0)",
    "under a name of one's own": "kept(x, 0)",
    "kept as a default": "default(x)",
    "by getattr": "getattr(torch, 'log_' + 'softmax')(x, 0)",
    "of torch.special": "torch.special.log_softmax(x, 0)",
    "of the operator": "torch.ops.aten.log_softmax.int(x, 0)",
    "of the packet": "torch.ops.aten._log_softmax(x, 0, False)",
    "of the kept operator": "operator(x, 0, False)",
    "of torch._C": "torch._C._VariableFunctions.log_softmax(x, 0)",
    "of the references": "torch._refs.log_softmax(x, 0)",
    "of the references, imported before": "reference(x, 0)",
    "of the decompositions": "torch._decomp.decompositions._log_softmax(x, 0, False)",
    "of the table of decompositions": "torch._decomp.decomposition_table[torch.ops.aten._log_softmax.default](x, 0, False)",
    "as a module": "torch.nn.LogSoftmax(0)(x)",
    "as a module made before": "module(x)",
    "inside another loss": "F.cross_entropy(x[None], torch.tensor([0]))",
    "inside a distribution": "torch.distributions.Categorical(logits=x).log_prob(torch.tensor(0))",
    "by exec": "run('torch.log_softmax(x, 0)', x)",
    "in compiled code": "scripted(x)",
    "in a thread": "in_thread(lambda: torch.log_softmax(x, 0))",
    "in a thread by the operator": "in_thread(lambda: torch.ops.aten._log_softmax(x, 0, False))",
    "without torch-function modes": "unseen(x)",
    "swallowing the exception": "swallow(x)",
    "in vmap": "torch.func.vmap(lambda row: row.log_softmax(0))(x[None])",
    "by numpy": "torch.from_numpy(numpy.logaddexp(x.detach().numpy(), 0))",
    "by a reduction of numpy": "torch.tensor(numpy.logaddexp.reduce(x.detach().numpy()))",
}

SOURCE = """
import threading
import numpy, torch
import torch as T
import torch.nn.functional as F
import torch._refs
from torch import log_softmax as alias
from torch._refs import log_softmax as reference

kept = torch.log_softmax
operator = torch.ops.aten._log_softmax
module = torch.nn.LogSoftmax(0)

@torch.jit.script
def scripted(x):
    return x.log_softmax(0)

def default(x, function=torch.log_softmax):
    return function(x, 0)

def run(code, x):
    scope = dict(torch=torch, x=x)
    exec("result = " + code, scope)
    return scope["result"]

def in_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    threading.excepthook = lambda *args: None
    thread.start()
    thread.join()
    return results[0] if results else torch.zeros(3)

def unseen(x):
    with torch._C.DisableTorchFunction():
        return torch.log_softmax(x, 0)

def swallow(x):
    try:
        return torch.log_softmax(x, 0)
    except BaseException:
        return x - x.exp().sum().log()

def f(x):
    return %s
"""


def guarded(lab: Lab, source: str) -> Student:
    return lab.student(source, forbidden=NAMES)


@pytest.mark.parametrize("way", WAYS)
def test_a_forbidden_call_is_seen_however_it_is_made(lab: Lab, way: str) -> None:
    student = guarded(lab, SOURCE % WAYS[way])

    with pytest.raises(Forbidden, match="^called .*, which this assignment forbids$") as caught:
        student.f(torch.ones(3))

    assert caught.value.verdict == "forbidden"
    assert student.worker.forbidden


BACKWARD = """
import torch

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return %s

def f(x):
    return F.apply(x)
"""


@pytest.mark.parametrize(
    "call",
    [
        "torch.log_softmax(x, 0)",
        "x.logsumexp(0) * grad",
        "torch.ops.aten._log_softmax(x, 0, False)",
        "torch._refs.log_softmax(x, 0)",
        "torch.autograd.functional.vjp(lambda y: y.log_softmax(0), x, grad)[1]",
    ],
)
def test_a_forbidden_call_in_backward_is_seen(lab: Lab, call: str) -> None:
    student = guarded(lab, BACKWARD % call)
    result = student.f(torch.ones(3, requires_grad=True))

    with pytest.raises(Forbidden):
        result.sum().backward()


def test_backward_through_the_built_in_is_seen(lab: Lab) -> None:
    student = guarded(lab, "import torch\nkeep = []\ndef f(x):\n    return x.log_softmax(0)")

    with pytest.raises(Forbidden):
        student.f(torch.ones(3, requires_grad=True))


HARMLESS = '''
"""About torch.log_softmax and F.log_softmax."""
import torch
import torch.nn.functional as F
from torch import log_softmax

# torch.log_softmax(x, 0) would do
NOTE = "torch.log_softmax(x, 0)"
assert torch.allclose(torch.log_softmax(torch.zeros(2), 0), F.log_softmax(torch.zeros(2), 0))
EXPECTED = torch.ones(2).log_softmax(0)

class LogSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        return grad * 1

def logsumexp(x):
    return x.exp().sum().log()

class Mine:
    def log_softmax(self, x):
        return x - logsumexp(x)

def unused(x):
    return torch.log_softmax(x, 0)

def f(x):
    assert "log_softmax" in NOTE
    return LogSoftmax.apply(Mine().log_softmax(x)) + 0 * EXPECTED.sum() + 0 * x.softmax(0)
'''


def test_names_that_do_not_run_and_calls_while_loading_do_not_count(lab: Lab) -> None:
    student = guarded(lab, HARMLESS)
    x = torch.randn(4, requires_grad=True)

    result = student.f(x)
    result.sum().backward()

    assert torch.allclose(result, torch.log_softmax(x, 0), atol=1e-6)
    assert student.worker.failure is None


def test_a_check_keeps_its_points_where_another_made_the_call(lab: Lab) -> None:
    source = "import torch\ndef echo(x):\n    return x.clone()\ndef twice(x):\n    return torch.mul(x, 2)\n"

    report = lab.grade(source, forbidden=["torch.mul", "aten::mul"])

    assert [(check.verdict, check.score) for check in report.checks] == [("passed", 2.0), ("forbidden", 0.0)]
    assert report.check("twice").message == "called torch.mul, which this assignment forbids"
    assert report.flags == ()


def test_a_call_that_is_swallowed_in_one_case_costs_the_whole_check(lab: Lab) -> None:
    checks = '''
    import pytest, torch
    from autograder import assert_close, points

    @points(1)
    @pytest.mark.parametrize("n", [1, 2, 3])
    def check_echo(student, n):
        """Echo in several sizes."""
        assert_close(student.echo(torch.ones(n)), torch.ones(n))
    '''
    source = """
import torch

def echo(x):
    try:
        if len(x) == 1:
            torch.relu(x)
    except RuntimeError:
        pass
    return x
"""

    report = lab.grade(source, checks, forbidden=["torch.relu"])

    assert report.check("echo").verdict == "forbidden"
    assert report.check("echo").message == "[1] called torch.relu, which this assignment forbids"


def test_everything_that_a_module_defines_may_be_forbidden(lab: Lab) -> None:
    student = lab.student(
        "import torch.utils.checkpoint as c\ndef f(x):\n    return c.checkpoint(lambda y: y * 2, x, use_reentrant=False)",
        forbidden=("torch.utils.checkpoint.*",),
    )

    with pytest.raises(Forbidden, match=r"torch\.utils\.checkpoint\.checkpoint"):
        student.f(torch.ones(1))


def test_a_name_that_this_torch_lacks_harms_nothing(lab: Lab) -> None:
    names = ("torch.nothing_of_the_kind", "nothing.of_the_kind", "aten::nothing_of_the_kind", "torch.relu")
    student = lab.student("import torch\ndef f(x):\n    return torch.relu(x)", forbidden=names)

    with pytest.raises(Forbidden):
        student.f(torch.ones(1))


def test_what_is_not_forbidden_still_works(lab: Lab) -> None:
    student = guarded(lab, "import torch\ndef f(x):\n    return x.exp().sum(0).log() + torch.nn.Softmax(0)(x)")

    assert student.f(torch.zeros(3)).shape == (3,)


def test_errors_of_the_submission_stay_its_errors(lab: Lab) -> None:
    student = guarded(lab, "def f(x):\n    raise RuntimeError('torch.log_softmax is forbidden in this assignment')")

    with pytest.raises(StudentError):
        student.f(1)


# -- names that stand there ------------------------------------------------------------------------------------------


def names(source: str) -> list[tuple[int, str]]:
    return sorted(standing_names(source, forbidden_leaves(NAMES)))


def test_names_are_found_where_they_stand_as_code() -> None:
    source = "import torch\nfrom torch import logsumexp as own\ny = torch.log_softmax\nz = getattr(y, 'log_softmax')\n"

    assert names(source) == [(2, "logsumexp"), (3, "log_softmax")]


def test_names_in_other_letters_are_the_same_names() -> None:
    assert names("torch.𝓁og_softmax") == [(1, "log_softmax")]


def test_helpers_of_ones_own_comments_and_strings_are_no_names() -> None:
    assert names("def logsumexp(x):\n    return x  # torch.log_softmax\n'log_softmax'\nlogsumexp(1)\n") == []


def test_a_name_that_no_check_saw_run_is_a_flag_and_costs_nothing(lab: Lab) -> None:
    source = "import torch\n\ndef echo(x):\n    return x\n\ndef twice(x):\n    return 2 * x\n\nf = torch.relu\n"

    report = lab.grade(source, forbidden=["torch.relu"])

    assert report.score == 3.0
    assert report.flags == ("line 9: the forbidden name relu stands there; no check saw it run",)


def test_the_guard_warns_nobody() -> None:
    from autograder.worker.forbidden_calls import Guard

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Guard().wrap(["torch.nothing_of_the_kind"])


@pytest.mark.parametrize("make", ["torch.jit.script(product)", "torch.jit.trace(torch.bmm, (a, a))"])
def test_a_product_inside_torchscript_is_seen_where_its_kernel_may_not_raise(lab: Lab, make: str) -> None:
    source = f"""
        import torch

        def product(a, b):
            return a @ b

        def f(a):
            return ({make})(a, a)
    """
    student = lab.student(source, forbidden=["torch.matmul", "torch.bmm", "torch.Tensor.matmul"])

    with pytest.raises(Forbidden, match="^called (matmul|bmm|torch.bmm), which this assignment forbids$"):
        student.f(torch.ones(2, 3, 3))


def test_a_script_of_what_is_allowed_runs(lab: Lab) -> None:
    source = """
        import torch

        @torch.jit.script
        def f(a, b):
            return torch.einsum("bij,bjk->bik", a, b)
    """
    student = lab.student(source, forbidden=["torch.matmul", "torch.bmm", "aten::logsumexp"])

    result = student.f(torch.ones(2, 3, 3), torch.ones(2, 3, 3))

    assert torch.equal(result, torch.full((2, 3, 3), 3.0))
