"""Answer the grader's requests in a worker: load modules, call them, differentiate, run timed blocks.

The worker is not trusted. Whatever it says is a claim that the grader validates and judges.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import io
import linecache
import os
import random
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import torch

from autograder.wire import channel, frames, values
from autograder.worker import linux
from autograder.worker.accelerator import Accelerator, Modes
from autograder.worker.forbidden_calls import Guard, guard_for

_MAX_TEXT = 4000
_SUBMISSION, _PROBES = "submission", "probes"


def warm_up() -> None:
    """Touch, before any fork, what every worker would otherwise set up anew."""
    importlib.import_module("numpy.random")
    x = torch.ones(2, 2, requires_grad=True)
    torch.autograd.grad(x * 2, x, torch.ones(2, 2))  # its first call with a vector imports sympy: 0.4 s
    x.sum().backward()  # type: ignore[no-untyped-call]
    traceback.format_exc()


class WorkerHandle:
    """The state of one worker.

    Attributes:
        line: The channel to the grader.
        modules: The loaded modules by role: ``submission``, ``probes``, ``probes_hidden``.
        nodes: Graphs that the grader may differentiate: inputs and outputs by number.
        guard: Sees the calls that the assignment forbids.
        accelerator: The device beside the CPU that it computes on; None where there is none.
        device: Where inputs that say they are on an accelerator go.
    """

    def __init__(self, line: channel.Channel, accelerator: Accelerator | None = None) -> None:
        self.line = line
        self.accelerator = accelerator
        self.modes = Modes()
        self.modules: dict[str, Any] = {}
        self.nodes: dict[int, tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
        self.guard = Guard()
        self.device = accelerator.device if accelerator is not None else None
        self.staged: tuple[Callable[..., Any], list[tuple[Any, ...]]] | None = None
        self.held: list[Any] = []
        self._counter = 0

    def run(self) -> None:
        """Serve until the grader closes the channel."""
        operations: dict[str, Callable[..., dict[str, Any]]] = {
            "load": self._load,
            "guard": self._guard,
            "seed": self._seed,
            "call": self._call,
            "vjp": self._vjp,
            "collect": self._collect,
            "stage": self._stage,
            "settle": self._settle,
            "go": self._go,
            "fetch": self._fetch,
            "write": self._write,
            "memory": self._memory,
        }
        while True:
            header, buffers = self.line.receive()
            body, serial = values.Body(), header.pop("serial", None)
            try:
                answer = operations[header.pop("op")](buffers=buffers, body=body, **header)
            except BaseException as error:  # noqa: BLE001  # a submission may raise anything, SystemExit included
                body = values.Body()
                answer = {"error": self._describe(error), "spent": self._spent()}
            header = buffers = None  # type: ignore[assignment]  # a held frame would count as the submission's memory
            _flush()
            answer["forbidden"], answer["serial"] = self.guard.seen(), serial
            try:
                self.line.send(answer, body.buffers)
            except frames.WireError as error:  # raised before anything is written
                self.line.send({**answer, "result": None, "error": self._describe(error)})

    def _spent(self) -> bool:
        """Say whether the accelerator is of no more use: some of its errors stay until the process ends."""
        try:
            if self.accelerator is not None:
                self.accelerator.synchronize()
        except RuntimeError:
            return True
        return False

    def _describe(self, error: BaseException) -> dict[str, Any]:
        kind = type(error)
        try:
            message = str(error)[:_MAX_TEXT]
        except BaseException:  # noqa: BLE001  # the exception is the submission's own
            message = ""
        files = {module.__file__: module.__name__ for module in self.modules.values() if hasattr(module, "__file__")}
        lines, line_number = [], 0
        if isinstance(error, SyntaxError) and error.filename in files:
            line_number = error.lineno or 0
            lines.append(f"line {error.lineno}: {(error.text or '').rstrip()}")
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename in files:
                name = files[frame.filename]
                lines.append(f"{name}.py, line {frame.lineno}, in {frame.name}: {frame.line or ''}")
                if name not in (_PROBES, "probes_hidden"):
                    line_number = frame.lineno or 0
        return {
            "type": kind.__name__[:200],
            "mro": [base.__name__[:200] for base in kind.__mro__[:20]],
            "message": message,
            "traceback": "\n".join(lines[-12:])[:_MAX_TEXT],
            "line": line_number,
        }

    def _load(self, *, role: str, name: str, source: str, buffers: Any, body: Any) -> dict[str, Any]:
        path = os.path.join(os.getcwd(), f"{name}.py")
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(source)
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise ImportError(f"{name}.py cannot be loaded")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        self.modules[role] = types.SimpleNamespace(__file__=path, __name__=name)
        sys.dont_write_bytecode = True
        linecache.checkcache(path)
        spec.loader.exec_module(module)
        self.modules[role] = module
        if role != _SUBMISSION:
            # The submission shall not find the probes, and what it rebinds in them shall not be what is called.
            self.modules[role] = types.SimpleNamespace(**vars(module))
            del sys.modules[name]
        return {}

    def _seed(self, *, seed: int, buffers: Any, body: Any) -> dict[str, Any]:
        seed_everything(seed)
        return {}

    def _guard(self, *, names: list[str], active: bool, buffers: Any, body: Any) -> dict[str, Any]:
        self.guard = guard_for(tuple(names))
        if active:
            self.guard.activate(self.device.type if self.device is not None else "cpu")
        return {}

    def _target(self, target: str) -> Callable[..., Any]:
        role, _, path = target.partition(":")
        module = self.modules[role]
        found: Any = module
        for part in path.split("."):
            try:
                found = getattr(found, part)
            except AttributeError:
                raise AttributeError(f"{module.__name__}.py does not define {path}") from None
        if role == _SUBMISSION:
            return found  # type: ignore[no-any-return]
        submission = self.modules.get(_SUBMISSION)
        return lambda *args, **kwargs: found(submission, *args, **kwargs)

    def _arguments(self, buffers: Any, args: Any, kwargs: Any) -> tuple[Any, Any, list[torch.Tensor]]:
        self.modes.restore()
        decoder = values.Decoder(buffers, strict=False, device=self.device)
        decoded = decoder.decode(args), decoder.decode(kwargs)
        for tensor, grad in decoder.tensors:
            if grad:
                tensor.requires_grad_()
        return *decoded, [tensor for tensor, _ in decoder.tensors]

    def _call(
        self, *, target: str, args: Any, kwargs: Any, grad_mode: bool, watch: bool, buffers: Any, body: values.Body
    ) -> dict[str, Any]:
        positional, keywords, tensors = self._arguments(buffers, args, kwargs)
        before = [tensor.detach().clone() for tensor in tensors] if watch else []
        function = self._target(target)
        with torch.set_grad_enabled(grad_mode), self.guard.watching():
            result = function(*positional, **keywords)
        answer: dict[str, Any] = {"result": values.encode(result, body)}
        inputs = [tensor for tensor in tensors if tensor.requires_grad]
        if inputs:
            answer["node"] = self._remember(inputs, body.tensors)
        answer["changed"] = [i for i, old in enumerate(before) if not _same(tensors[i], old)]
        return answer

    def _remember(self, inputs: list[torch.Tensor], outputs: list[torch.Tensor]) -> int:
        self._counter += 1
        self.nodes[self._counter] = (inputs, list(outputs))
        return self._counter

    def _vjp(self, *, node: int, grads: Any, create_graph: bool, buffers: Any, body: values.Body) -> dict[str, Any]:
        (vectors,), _, leaves = self._arguments(buffers, {"t": [grads]}, None)
        inputs, outputs = self.nodes[node]
        pairs = [(out, grad) for out, grad in zip(outputs, vectors, strict=True) if grad is not None]
        leaves = [leaf for leaf in leaves if leaf.requires_grad]
        # torch.autograd.grad would hide what a custom backward calls from the guard's torch-function mode.
        with self.guard.watching(), torch.set_grad_enabled(create_graph):
            results = torch.autograd.Variable._execution_engine.run_backward(
                tuple(out for out, _ in pairs),
                tuple(grad for _, grad in pairs),
                True,
                create_graph,
                tuple(inputs),
                allow_unreachable=True,
                accumulate_grad=False,
            )
        answer: dict[str, Any] = {"result": values.encode(list(results), body)}
        if create_graph:
            answer["node"] = self._remember(inputs + leaves, body.tensors)
        return answer

    def _collect(self, *, trim: bool, buffers: Any, body: Any) -> dict[str, Any]:
        """Clear up before a measurement, and let no garbage collection fall into it."""
        self.held.clear()
        gc.collect()
        gc.disable()
        if trim:
            linux.trim_memory()
        return {}

    def _settle(self, *, buffers: Any, body: Any) -> dict[str, Any]:
        """Give back what unpacking the inputs left over."""
        gc.collect()
        linux.trim_memory()
        return {}

    def _stage(self, *, target: str, calls: Any, watch: bool, buffers: Any, body: Any) -> dict[str, Any]:
        self.modes.restore()
        decoder = values.Decoder(buffers, strict=False, device=self.device)
        arguments = [tuple(decoder.decode(node) for node in args) for args in calls]
        function = self._target(target)
        self.staged = (self.guard.watched(function) if watch else function, arguments)
        if self.accelerator is not None:
            self.accelerator.flush()
            self.accelerator.synchronize()
        return {}

    def _go(self, *, trim: bool, pointers: bool, buffers: Any, body: values.Body) -> dict[str, Any]:
        if self.staged is None:
            raise RuntimeError("nothing is staged")
        function, arguments = self.staged
        self.staged = None
        # They are compared when the last call is over; that one overwrites another is not for the clock to judge.
        keep = _copied if len(arguments) > 1 else _as_it_is
        results = [keep(function(*args)) for args in arguments]
        if self.accelerator is not None:
            self.accelerator.synchronize()
        self.held.append((results, arguments))
        if trim:
            gc.collect()
            linux.trim_memory()
            return {}
        body.pointers = pointers
        return {"result": values.encode(results, body)}

    def _fetch(self, *, buffers: Any, body: values.Body) -> dict[str, Any]:
        return {"result": values.encode(self.held[-1][0], body)}

    def _write(self, *, nbytes: int, times: int, buffers: Any, body: Any) -> dict[str, Any]:
        """Write so many bytes again and again, as fast as can be."""
        target = torch.empty(nbytes, dtype=torch.uint8, device=self.device)
        for _ in range(times):
            target.zero_()
        if self.accelerator is not None:
            self.accelerator.synchronize()
        return {}

    def _memory(self, *, reset: bool, buffers: Any, body: Any) -> dict[str, Any]:
        """Say how much of the accelerator's memory tensors hold, and how much they held at most."""
        if self.accelerator is None:
            return {"memory": [0, 0]}
        self.accelerator.synchronize()
        now_bytes, peak_bytes = self.accelerator.memory()
        if reset:
            self.accelerator.reset_peak()
        return {"memory": [now_bytes, peak_bytes]}


_clone = torch.clone


def _as_it_is(value: Any) -> Any:
    return value


def _copied(value: Any) -> Any:
    """Return a copy of a plain tensor, or of those in a list or tuple."""
    if type(value) is torch.Tensor:
        return _clone(value)
    return type(value)(map(_copied, value)) if type(value) in (list, tuple) else value


def _same(tensor: torch.Tensor, old: torch.Tensor) -> bool:
    if tensor.shape != old.shape or tensor.dtype != old.dtype:
        return False
    now = values.flat_bytes(tensor.detach().cpu().contiguous())
    return torch.equal(now, values.flat_bytes(old.cpu().contiguous()))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:  # noqa: BLE001  # the submission may have put anything in its place
            continue


def _text_stream(fd: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.FileIO(fd, "w", closefd=False), "utf-8", "replace", line_buffering=True)


def seed_everything(seed: int) -> None:
    """Seed torch, numpy and random: forks share the state of their parent's generators."""
    torch.manual_seed(seed)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % 2**32)


def serve(line: channel.Channel, accelerator: Accelerator | None = None) -> None:
    """Run a worker on a channel until the grader closes it."""
    sys.stdout = _text_stream(1)
    sys.stderr = _text_stream(2)
    try:
        WorkerHandle(line, accelerator).run()
    except channel.Closed:
        os._exit(0)
