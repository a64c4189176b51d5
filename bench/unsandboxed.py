"""Run the checks of an assignment over a module in pytest's own process: the baseline of ``grade_reference``.

A pytest plugin, ``python -m pytest -p bench.unsandboxed --module FILE CHECK_FILES``, whose fixtures look like the
autograder's and call the module directly: no worker, no limits, no guard, no secrets. It judges with the same
assertions, and it does only what they need: arguments are compared before and after a call, because the checks ask
for it, and memory is read as the resident memory of this very process, which is the cheapest reading there is.
"""

from __future__ import annotations

import ctypes
import gc
import importlib.util
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from autograder import StudentError

_MODULE = pytest.StashKey[ModuleType]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that say what is checked."""
    group = parser.getgroup("unsandboxed")
    group.addoption("--module", metavar="FILE", help="the module to check")
    group.addoption("--without", metavar="CHECK", action="append", default=[], help="leave out a check")


def pytest_configure(config: pytest.Config) -> None:
    """Collect check functions in check files, and load the module."""
    config.addinivalue_line("python_files", "check_*.py")
    config.addinivalue_line("python_functions", "check_")
    config.stash[_MODULE] = _load(Path(config.getoption("--module")))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what ``--without`` names."""
    left_out = {f"check_{name}" for name in config.getoption("--without")}
    items[:] = [item for item in items if getattr(item, "originalname", item.name) not in left_out]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"unsandboxed_{path.parent.name}_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise pytest.UsageError(f"{path}: cannot be loaded; --module names a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _tensors(value: Any) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, dict):
        return _tensors(list(value.values()))
    return [tensor for item in value for tensor in _tensors(item)] if isinstance(value, list | tuple) else []


class DirectStudent:
    """The module, called in this process.

    Attributes:
        changed: The arguments that the last call changed in place.
    """

    def __init__(self, module: ModuleType) -> None:
        self.changed: list[str] = []
        self._module = module

    def __getattr__(self, name: str) -> DirectCall:
        if name.startswith("__"):
            raise AttributeError(name)
        return DirectCall(self, getattr(self._module, name))


class DirectCall:
    """A function of the module, or an attribute on the way to one."""

    def __init__(self, student: DirectStudent, function: Any) -> None:
        self._student = student
        self._function = function

    def __getattr__(self, name: str) -> DirectCall:
        if name.startswith("__"):
            raise AttributeError(name)
        return DirectCall(self._student, getattr(self._function, name))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it, and note which arguments it changed.

        Raises:
            StudentError: If it raised.
        """
        tensors = _tensors([args, kwargs])
        before = [tensor.detach().clone() for tensor in tensors if not tensor.requires_grad]
        after = [tensor for tensor in tensors if not tensor.requires_grad]
        try:
            result = self._function(*args, **kwargs)
        except Exception as error:
            names = tuple(base.__name__ for base in type(error).__mro__)
            raise StudentError(type(error).__name__, names, str(error), "", 0) from error
        self._student.changed = [
            f"tensor {index + 1}"
            for index, (old, new) in enumerate(zip(before, after, strict=True))
            if not torch.equal(old.nan_to_num(), new.nan_to_num())
        ]
        return result


class DirectProbe:
    """The functions of ``probes.py``, called in this process."""

    def __init__(self, module: ModuleType, probes: list[ModuleType]) -> None:
        self._module = module
        self._probes = probes

    def __getattr__(self, name: str) -> Callable[..., Any]:
        for probes in self._probes:
            if hasattr(probes, name):
                function = getattr(probes, name)
                return lambda *args, **kwargs: function(self._module, *args, **kwargs)
        raise AttributeError(f"no probes.py defines {name}")


class DirectMemory:
    """Reads what a call leaves in this process's resident memory.

    Attributes:
        result: What the last measured call returned.
    """

    def __init__(self, probe: DirectProbe) -> None:
        self.result: Any = None
        self._probe = probe

    def kept(self, target: str, *inputs: Any, warm_up: tuple[Any, ...] | None = None) -> int:
        """Return the bytes that stay after a call, its result held."""
        function = getattr(self._probe, target)
        if warm_up is not None:
            function(*warm_up)
        before = _resident_bytes()
        self.result = function(*(tensor.detach() for tensor in inputs))
        after = _resident_bytes()
        self.result = self.result.detach()
        return after - before


def _resident_bytes() -> int:
    """Return resident memory without the pages of files. Source: proc(5), ``status``; malloc_trim(3)."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return sum(int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "RssShmem"))


@pytest.fixture
def student(request: pytest.FixtureRequest) -> DirectStudent:
    """The module."""
    return DirectStudent(request.config.stash[_MODULE])


@pytest.fixture
def probe(request: pytest.FixtureRequest) -> DirectProbe:
    """The probes beside the check file, and those of the assignment's public folder."""
    folder = request.path.parent
    public = folder.parent.parent / "assignments" / folder.name
    paths = dict.fromkeys([folder / "probes.py", public / "probes.py"])
    return DirectProbe(request.config.stash[_MODULE], [_load(path) for path in paths if path.is_file()])


@pytest.fixture
def memory(probe: DirectProbe) -> DirectMemory:
    """Reads memory in this process."""
    return DirectMemory(probe)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> torch.Generator:
    """A generator seeded by the name of the case."""
    generator = torch.Generator()
    generator.manual_seed(zlib.crc32(request.node.nodeid.encode()))
    return generator


@pytest.fixture
def device() -> torch.device:
    """The CPU."""
    return torch.device("cpu")
