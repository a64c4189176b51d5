"""See the calls that an assignment forbids, where they run.

Three nets, none of them perfect: raising kernels in the dispatcher (``aten::name``; they see every alias,
composite operators and other threads), Python functions whose code is replaced (``torch._refs.name``, whoever holds
them), and builtins, which are wrapped before the submission loads and also seen by a torch-function mode. What the
module does while it loads does not count: the nets hold from ``activate`` on.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import re
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

_SCRIPT_NODE = re.compile(r"= aten::(\w+)\(")


class ForbiddenCall(RuntimeError):
    """A call that the assignment forbids."""


_prepared: dict[tuple[str, ...], Guard] = {}


def prepare(names: tuple[str, ...]) -> None:
    """Find what is forbidden before the fork, so that workers need not."""
    guard = _prepared[names] = Guard()
    guard.wrap(list(names))


def guard_for(names: tuple[str, ...]) -> Guard:
    """Return the nets for these names, prepared or new."""
    if names not in _prepared:
        prepare(names)
    return _prepared[names]


class Guard:
    """The nets of one worker."""

    def __init__(self) -> None:
        self._active = False
        self._seen: list[str] = []
        self._operators: list[str] = []
        self._functions: list[tuple[str, types.FunctionType]] = []
        self._leaves: set[str] = set()
        self._library: Any = None
        self._dispatch_keys: list[str] = []

    def seen(self) -> list[str]:
        """Return the forbidden calls so far, in order, each once."""
        return self._seen[:]

    def note(self, name: str) -> None:
        """Record a forbidden call and raise; does nothing before ``activate``.

        Raises:
            ForbiddenCall: Naming the call.
        """
        if not self._active:
            return
        if name not in self._seen:
            self._seen.append(name)
        raise ForbiddenCall(f"{name} is forbidden in this assignment")

    def wrap(self, names: list[str]) -> None:
        """Prepare the nets, before the submission loads.

        Args:
            names: ``aten::operator``, a dotted Python name, or ``package.module.*`` for all that a module defines.
        """
        for name in names:
            if name.startswith("aten::"):
                self._operators.append(name.removeprefix("aten::"))
            elif name.endswith(".*"):
                module = _resolve(name.removesuffix(".*"))
                for member, value in list(vars(module).items()) if module is not None else []:
                    if getattr(value, "__module__", None) == getattr(module, "__name__", ""):
                        self._wrap_one(f"{module.__name__}.{member}")
            else:
                self._wrap_one(name)
        if "numpy.matmul" in names:
            self._watch_arrays()

    def _watch_arrays(self) -> None:
        """Make tensors turn into arrays that note ``@`` and ``dot``, which no wrapper of a function sees."""
        numpy = importlib.import_module("numpy")
        note, products = self.note, ("matmul", "vecdot", "matvec", "vecmat")

        class WatchedArray(numpy.ndarray):  # type: ignore[name-defined, misc]  # NumPy is imported late
            def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
                if ufunc.__name__ in products:
                    note(f"numpy.{ufunc.__name__}")
                plain = [x.view(numpy.ndarray) if isinstance(x, WatchedArray) else x for x in inputs]
                if "out" in kwargs:
                    kwargs["out"] = tuple(
                        x.view(numpy.ndarray) if isinstance(x, WatchedArray) else x for x in kwargs["out"]
                    )
                result = getattr(ufunc, method)(*plain, **kwargs)
                return result.view(WatchedArray) if type(result) is numpy.ndarray else result

            def dot(self, *args: Any, **kwargs: Any) -> Any:
                note("numpy.dot")
                return numpy.asarray(self).view(numpy.ndarray).dot(*args, **kwargs)

        for name in ("numpy", "__array__"):
            original = getattr(torch.Tensor, name)
            setattr(torch.Tensor, name, _viewed(original, WatchedArray, lambda: self._active))

    def _wrap_one(self, name: str) -> None:
        owner_name, _, leaf = name.rpartition(".")
        owner = _resolve(owner_name)
        value = _member(owner, leaf) if owner is not None else None
        if value is None:
            return
        if name.startswith("torch."):
            self._leaves.add(leaf)
        inner = _innermost(value)
        if isinstance(inner, types.FunctionType):
            self._functions.append((name, inner))
        elif isinstance(value, type):
            for method in ("__init__", "forward", "apply"):
                function = vars(value).get(method)
                if isinstance(function, types.FunctionType):
                    self._functions.append((name, function))
        elif callable(value):
            with contextlib.suppress(AttributeError, TypeError):
                setattr(owner, leaf, self._wrapper(name, value))

    def _wrapper(self, name: str, value: Any) -> Callable[..., Any]:
        note = self.note

        @functools.wraps(value)
        def call(*args: Any, **kwargs: Any) -> Any:
            note(name)
            return value(*args, **kwargs)

        for method in ("reduce", "accumulate", "outer", "at", "reduceat"):  # a NumPy ufunc's
            if hasattr(value, method):
                setattr(call, method, self._wrapper(name, getattr(value, method)))
        return call

    def activate(self, device: str = "cpu") -> None:
        """Close the nets: from here on a forbidden call is recorded and raises.

        Args:
            device: The device whose kernels are overridden, beside the CPU's.
        """
        self._active = True
        self._dispatch_keys = sorted({"CPU", device.upper()})
        if self._operators and self._library is None:
            self._library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a kernel is overridden is the purpose
            for operator in self._operators:
                self._block_operator(operator)
        for name, function in self._functions:
            _block_function(function, functools.partial(self.note, name))
        if self._leaves or self._operators:
            self._watch_scripts()

    def _watch_scripts(self) -> None:
        """Read the graph of a TorchScript function when it is called: what it calls passes by the other nets."""
        names = {*self._leaves, *self._operators}
        known: dict[int, tuple[Any, list[str]]] = {}  # holds what it knows, so that no number is given out again

        def forbidden_in(script: Any) -> list[str]:
            if id(script) not in known:
                found = _SCRIPT_NODE.findall(str(script.inlined_graph))
                known[id(script)] = script, [name for name in found if name in names]
            return known[id(script)][1]

        for kind in (torch._C.ScriptFunction, torch._C.ScriptMethod):
            kind.__call__ = _reading(kind.__call__, forbidden_in, self.note)  # type: ignore[method-assign]

    def _block_operator(self, operator: str) -> None:
        packet = getattr(torch.ops.aten, operator, None)
        if packet is None:
            return

        def kernel(*args: Any, **kwargs: Any) -> Any:
            self.note(operator.lstrip("_"))

        for overload in packet.overloads():
            suffix = "" if overload == "default" else f".{overload}"
            for key in self._dispatch_keys:
                with contextlib.suppress(RuntimeError):
                    self._library.impl(operator + suffix, kernel, key)

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the calls of a block by a torch-function mode as well."""
        if not self._active or not self._leaves:
            yield
            return
        with _Mode(self._leaves, self.note):
            yield

    def watched(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function whose calls are watched."""

        def call(*args: Any) -> Any:
            with self.watching():
                return function(*args)

        return call


class _Mode(TorchFunctionMode):
    def __init__(self, leaves: set[str], note: Callable[[str], None]) -> None:
        super().__init__()
        self._names = leaves
        self._note = note

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        name = name.split(".")[0] if isinstance(func, torch._ops.OpOverload) else name
        if name in self._names:
            self._note(name)
        return func(*args, **(kwargs or {}))


def _reading(
    original: Callable[..., Any], forbidden_in: Callable[[Any], list[str]], note: Callable[[str], None]
) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(script: Any, *args: Any, **kwargs: Any) -> Any:
        for name in forbidden_in(script):
            note(name)
        return original(script, *args, **kwargs)

    return call


def _viewed(original: Callable[..., Any], kind: type, active: Callable[[], bool]) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        array = original(*args, **kwargs)
        return array.view(kind) if active() else array

    return call


def _member(owner: Any, leaf: str) -> Any:
    return getattr(owner, leaf, None)


def _resolve(name: str) -> Any:
    """Import as much of a dotted name as is a module, then walk its attributes; None if it is not there."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found
    return None


def _innermost(value: Any) -> Any:
    while hasattr(value, "__wrapped__"):
        value = value.__wrapped__
    return value


def _block_function(function: types.FunctionType, note: Callable[[], None]) -> None:
    """Replace the code of a Python function, so that everyone who holds it meets the guard."""

    def blocked(*args, **kwargs):  # type: ignore[no-untyped-def]
        _autograder_note[_AUTOGRADER_KEY]()  # type: ignore[name-defined]  # noqa: F821

    key = id(function)
    notes = function.__globals__.setdefault("_autograder_note", {})
    notes[key] = note
    code = blocked.__code__
    names = tuple(name for name in code.co_names)
    if "_AUTOGRADER_KEY" in names:
        alias = f"_autograder_key_{key}"
        function.__globals__[alias] = key
        names = tuple(alias if name == "_AUTOGRADER_KEY" else name for name in names)
    function.__code__ = code.replace(
        co_names=names, co_freevars=function.__code__.co_freevars, co_name=function.__code__.co_name
    )
