"""Start the workers of one submission: loaded, guarded, limited."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from autograder.checks.student import Student
from autograder.sandbox.start import Limits, Sandbox, WorkerHandle
from autograder.verdicts import CallFailed, StudentError
from autograder.worker.accelerator import torch_device

MEASURING_DISK_BYTES = 1 << 20


class LoadError(Exception):
    """The submission does not load.

    Attributes:
        failure: What happened: the student's own error, or a lost worker.
        output: What it printed before.
    """

    def __init__(self, failure: CallFailed | StudentError, output: str) -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.output = output


@dataclass(frozen=True)
class Sources:
    """The texts that go into the workers of one assignment.

    Attributes:
        name: The assignment's name, under which the submission's module is registered.
        submission: The submission's source.
        probes: Source of ``probes.py`` by role: ``probes_hidden`` before ``probes``.
        baseline: Source of ``baseline.py``; empty if there is none.
        forbidden: The calls that the assignment forbids.
    """

    name: str
    submission: str
    probes: Mapping[str, str] = field(default_factory=dict)
    baseline: str = ""
    forbidden: tuple[str, ...] = ()

    @staticmethod
    def read(
        name: str, submission: str, folder: Path, solutions: Path | None, forbidden: tuple[str, ...] = ()
    ) -> Sources:
        """Read an assignment's probes and baseline from its folders.

        Args:
            name: The assignment's name.
            submission: The submission's source.
            folder: The public folder.
            solutions: The hidden folder; None where it is not at hand.
            forbidden: The calls that the assignment forbids.
        """
        probes, baseline = {}, ""
        for role, place in (("probes_hidden", solutions), ("probes", folder)):
            if place is not None and (place / "probes.py").is_file():
                probes[role] = (place / "probes.py").read_text(encoding="utf-8")
        for place in (solutions, folder):
            if not baseline and place is not None and (place / "baseline.py").is_file():
                baseline = (place / "baseline.py").read_text(encoding="utf-8")
        return Sources(name, submission, probes, baseline, forbidden)


class Launcher:
    """Starts and ends the workers of one submission.

    Attributes:
        hidden: Whether the check that runs is hidden; then the hidden probes are loaded too.
        seed: Seeds the workers of the check that runs.
        forbidden: The forbidden calls that workers reported during the check that runs.
    """

    def __init__(self, sandbox: Sandbox, sources: Sources, limits: Limits) -> None:
        self.sources = sources
        self.limits = limits
        self.hidden = False
        self.seed = 0
        self._sandbox = sandbox
        self._open: list[WorkerHandle] = []
        self._functions = {role: _functions(source) for role, source in sources.probes.items()}

    @property
    def accelerated(self) -> bool:
        """Whether the workers compute on a device beside the CPU."""
        return self._sandbox.device != "cpu"

    @property
    def device(self) -> torch.device:
        """Where the tensors of their device lie."""
        return torch_device(self._sandbox.device)

    def probes_role(self, name: str) -> str:
        """Return which probes file defines a function."""
        for role, functions in self._functions.items():
            if name in functions and (role == "probes" or self.hidden):
                return role
        raise LookupError(f"probes.py does not define {name}")

    def target(self, name: str) -> str:
        """Return where a timed or measured function lives: among the probes, else in the module itself."""
        try:
            return f"{self.probes_role(name)}:{name}"
        except LookupError:
            return f"submission:{name}"

    def start(
        self,
        module: str = "submission",
        *,
        time_s: float | None = None,
        memory_bytes: int | None = None,
        trim: bool = False,
    ) -> WorkerHandle:
        """Start a worker and load the module with its probes.

        Args:
            module: ``submission`` or ``baseline``.
            time_s: CPU seconds in place of the assignment's limit.
            memory_bytes: Memory in place of the assignment's limit.
            trim: For measuring memory: an allocator that gives back, and no room for files.

        Raises:
            LoadError: If the module does not load.
        """
        limits = replace(
            self.limits,
            time_s=time_s or self.limits.time_s,
            memory_bytes=memory_bytes or self.limits.memory_bytes,
            disk_bytes=MEASURING_DISK_BYTES if trim else self.limits.disk_bytes,
        )
        own = module == "submission"
        whole_s = limits.time_s + limits.load_time_s
        worker = self._sandbox.start(replace(limits, time_s=whole_s), seed=self.seed, trim=trim)
        self._open.append(worker)
        worker.allow(limits.load_time_s)
        try:
            for role, source in self.sources.probes.items():
                if role == "probes" or self.hidden:
                    worker.request("load", role=role, name=role, source=source)
            if own and self.sources.forbidden:
                worker.request("guard", names=list(self.sources.forbidden), active=False)
            name = self.sources.name if own else "baseline"
            source = self.sources.submission if own else self.sources.baseline
            worker.request("load", role="submission", name=name, source=source)
            if own and self.sources.forbidden:
                worker.request("guard", names=list(self.sources.forbidden), active=True)
            worker.allow(limits.time_s)
        except (CallFailed, StudentError) as failure:
            self.end(worker)
            if not own:
                raise RuntimeError(f"baseline.py does not load: {failure}") from failure
            raise LoadError(failure, worker.output) from failure
        worker.limits = limits
        return worker

    def student(self, like: Student | None = None, *, module: str = "submission") -> Student:
        """Return a student in a new worker."""
        time_s = like.worker.limits.time_s if like is not None else None
        return Student(self.start(module, time_s=time_s), self)

    def end(self, worker: WorkerHandle) -> None:
        """End a worker."""
        worker.close()
        self._open.remove(worker)

    def end_all(self, keep: set[WorkerHandle] | None = None) -> list[WorkerHandle]:
        """End all workers but those to keep, and return the ended ones."""
        ended = [worker for worker in self._open if worker not in (keep or set())]
        for worker in ended:
            self.end(worker)
        return ended

    @property
    def open(self) -> list[WorkerHandle]:
        """The workers that live."""
        return self._open[:]


def _functions(source: str) -> set[str]:
    return {node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}
