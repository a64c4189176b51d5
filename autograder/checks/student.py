"""Call a submission as if it were a module, and differentiate through the calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch

from autograder.sandbox.start import WorkerHandle
from autograder.verdicts import Crashed
from autograder.wire import frames, values

if TYPE_CHECKING:
    from autograder.checks.launcher import Launcher

_last_call = ""


def note_call(name: str) -> None:
    """Let a function be the one that messages name."""
    global _last_call
    _last_call = name


def last_call() -> str:
    """Return the name of the function that was called last, for messages."""
    return _last_call


class Student:
    """The submission, in a worker of its own.

    ``student.f(x)`` calls the submission's ``f``. Where grad mode is on and an argument requires grad, the result is
    part of the grader's graph: forward and vector-Jacobian products run in the worker, so that
    ``torch.autograd.gradcheck(student.f, ...)`` runs here. The result is a plain tensor of its own, whatever the
    submission returned; what is no plain value comes back as ``values.Opaque``.

    Attributes:
        worker: The worker.
        changed: The arguments that the last call changed in place, such as ``["argument 1"]``.
    """

    def __init__(self, worker: WorkerHandle, workers: Launcher) -> None:
        self.worker = worker
        self.changed: list[str] = []
        self._workers = workers

    def __getattr__(self, name: str) -> Remote:
        if name.startswith("__"):
            raise AttributeError(name)
        return Remote(self, "submission", name)

    def fresh(self) -> Student:
        """Return the same submission in a new worker; it ends with the check."""
        return self._workers.student(self)

    @property
    def cpu_time_s(self) -> float:
        """The CPU seconds that the worker has used so far, read from outside."""
        return self.worker.process.cpu_time_s()

    @property
    def output(self) -> str:
        """What the worker printed so far."""
        return self.worker.output


class Probe:
    """The functions of ``probes.py``, run beside the submission in its worker.

    ``probe.f(x)`` calls ``f(submission, x)`` there. Values and gradients cross as for ``Student``.
    """

    def __init__(self, student: Student) -> None:
        self._student = student

    def __getattr__(self, name: str) -> Remote:
        if name.startswith("__"):
            raise AttributeError(name)
        return Remote(self._student, self._student._workers.probes_role(name), name)

    def of(self, student: Student) -> Probe:
        """Return the probes beside another worker's submission."""
        return Probe(student)


class Remote:
    """A function in a worker, or an attribute on the way to one."""

    def __init__(self, student: Student, role: str, path: str) -> None:
        self._student = student
        self._role = role
        self._path = path
        self.__name__ = path

    def __getattr__(self, name: str) -> Remote:
        if name.startswith("__"):
            raise AttributeError(name)
        return Remote(self._student, self._role, f"{self._path}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it.

        Raises:
            StudentError: If the submission's code raised.
            CallFailed: If the worker is lost or made a forbidden call.
        """
        note_call(self._path)
        return Call(self._student.worker, self._student).run(f"{self._role}:{self._path}", args, kwargs)


class Call:
    """One call on its way through the worker."""

    def __init__(self, worker: WorkerHandle, student: Student) -> None:
        self.worker = worker
        self.student = student
        self.value: Any = None

    def run(self, target: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the target and return its result, attached to the graph where inputs require grad."""
        body = values.Body()
        header = {
            "target": target,
            "args": values.encode(args, body, keep_strides=True),
            "kwargs": values.encode(kwargs, body, keep_strides=True),
            "grad_mode": torch.is_grad_enabled(),
        }
        inputs = [tensor for tensor in body.tensors if tensor.requires_grad]
        header["watch"] = not inputs  # autograd itself refuses to change a leaf in place

        def request() -> tuple[int | None, list[tuple[torch.Tensor, bool]]]:
            answer, buffers = self.worker.request("call", body.buffers, **header)
            self.student.changed = _changed(answer.get("changed"), args, kwargs, self.worker)
            return self._read(answer, buffers)

        if not inputs or not torch.is_grad_enabled():
            request()
            return self.value
        outputs = _bridge(self, request, *inputs)
        return _replace(self.value, iter(outputs))

    def _read(self, answer: dict[str, Any], buffers: Sequence[torch.Tensor]) -> tuple[int | None, Any]:
        decoder = values.Decoder(buffers, device=self.student._workers.device)
        try:
            self.value = decoder.decode(answer.get("result"))
        except frames.WireError as error:
            raise self.worker.malformed(error) from error
        node = answer.get("node")
        if node is not None and type(node) is not int:
            raise self.worker.malformed(frames.WireError("a graph has no number"))
        return node, decoder.tensors

    def products(
        self, node: int, inputs: Sequence[torch.Tensor], grads: Sequence[torch.Tensor | None]
    ) -> list[torch.Tensor | None]:
        """Return the vector-Jacobian products of a graph in the worker, one for each input.

        Args:
            node: The number of the graph.
            inputs: Its inputs here, in the worker's order.
            grads: For each output the vector; None where the output needs none.
        """
        create_graph = torch.is_grad_enabled()
        body = values.Body()
        header = {
            "node": node,
            "grads": values.encode(list(grads), body, keep_strides=True),
            "create_graph": create_graph,
        }
        call = Call(self.worker, self.student)

        def request() -> tuple[int | None, list[tuple[torch.Tensor, bool]]]:
            answer, buffers = self.worker.request("vjp", body.buffers, **header)
            return call._read(answer, buffers)

        leaves = [grad for grad in grads if grad is not None and grad.requires_grad]
        if create_graph:
            outputs = _bridge(call, request, *inputs, *leaves)
            call.value = _replace(call.value, iter(outputs))
        else:
            request()
        return _checked_products(call.value, inputs, self.worker)


class _Bridge(torch.autograd.Function):
    """A node of the grader's graph whose forward and backward run in a worker."""

    @staticmethod
    def forward(ctx: Any, call: Call, request: Callable[[], Any], *inputs: torch.Tensor) -> Any:
        node, outputs = request()
        ctx.call, ctx.node, ctx.flags = call, node, [flag for _, flag in outputs]
        ctx.mark_non_differentiable(*(tensor for tensor, flag in outputs if not flag))
        ctx.save_for_backward(*inputs)
        return tuple(tensor for tensor, _ in outputs)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        if ctx.node is None:
            raise Crashed("the worker kept no graph for its result")
        wanted = [grad if flag else None for grad, flag in zip(grads, ctx.flags, strict=True)]
        return None, None, *ctx.call.products(ctx.node, ctx.saved_tensors, wanted)


_bridge: Callable[..., tuple[torch.Tensor, ...]] = _Bridge.apply


def _checked_products(value: Any, inputs: Sequence[torch.Tensor], worker: WorkerHandle) -> list[torch.Tensor | None]:
    if type(value) is not list or len(value) < len(inputs):
        raise worker.malformed(frames.WireError("gradients are missing"))
    for product, given in zip(value, inputs, strict=False):
        if product is None:
            continue
        if not isinstance(product, torch.Tensor):
            raise AssertionError("backward returned a gradient that is no plain torch.Tensor")
        if product.shape != given.shape:
            raise worker.malformed(frames.WireError("a gradient has the wrong shape"))
    return value[: len(inputs)]


def _replace(value: Any, tensors: Any) -> Any:
    """Put other tensors in the places of a value's tensors, in order."""
    if isinstance(value, torch.Tensor):
        return next(tensors)
    if isinstance(value, list | tuple):
        return type(value)(_replace(item, tensors) for item in value)
    if isinstance(value, dict):
        return {key: _replace(item, tensors) for key, item in value.items()}
    return value


def _changed(indices: Any, args: tuple[Any, ...], kwargs: dict[str, Any], worker: WorkerHandle) -> list[str]:
    names: list[str] = []

    def walk(value: Any, name: str) -> None:
        if isinstance(value, torch.Tensor):
            names.append(name)
        elif isinstance(value, list | tuple):
            for index, item in enumerate(value):
                walk(item, f"{name}[{index}]")
        elif isinstance(value, dict):
            for key, item in value.items():
                walk(item, f"{name}[{key!r}]")

    for index, value in enumerate(args):
        walk(value, f"argument {index + 1}")
    for key, value in kwargs.items():
        walk(value, f"argument {key}")
    if type(indices) is not list or not all(type(i) is int and 0 <= i < len(names) for i in indices):
        raise worker.malformed(frames.WireError("the changed arguments are malformed"))
    return [names[index] for index in indices]
