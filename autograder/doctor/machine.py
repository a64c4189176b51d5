"""Look at this machine and this course, and say what works, what does not, and what to do about it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from autograder.course.loading import Course
from autograder.doctor.cpu import cores, quota_cores
from autograder.errors import AutograderError
from autograder.sandbox.levels import missing
from autograder.sandbox.start import LEVELS, Limits, make_sandbox

State = Literal["ok", "warning", "missing"]
_MEASURE = "`autograde doctor --measure` tells whether this machine can time"
_TORCHVISION = "import torchvision\nfrom torchvision import datasets, models, transforms\n"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: What.
        state: ``ok``, ``warning`` or ``missing``.
        text: A sentence, with what to do where something is wrong.
    """

    name: str
    state: State
    text: str


def examine(course: Course | None) -> Iterator[Finding]:
    """Yield what was found, the machine first, then the course.

    Args:
        course: The course; None if none was found.
    """
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.release()}")
    yield from _packages()
    wanted = course.sandbox if course is not None else "namespaces"
    for level in LEVELS:
        why = missing(level)
        state: State = "ok" if not why else "missing" if level == wanted else "warning"
        text = why or "available here"
        yield Finding(f"sandbox {level}", state, text + (" (the course asks for it)" if level == wanted else ""))
    yield _torchvision(wanted)
    yield _cores()
    yield _devices()
    if course is not None:
        yield from _course(course)


def official(findings: list[Finding]) -> bool:
    """Say whether official grading at the course's level is possible."""
    return not any(finding.state == "missing" for finding in findings)


def _packages() -> Iterator[Finding]:
    for name in ("torch", "torchvision", "pytest"):
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Finding(name, "missing", f"not installed; run `pip install {name}`")


def _torchvision(level: str) -> Finding:
    level = level if not missing(level) else "process"
    sandbox = make_sandbox(level)
    try:
        worker = sandbox.start(Limits(), seed=0)
        try:
            worker.request("load", role="submission", name="doctor_probe", source=_TORCHVISION)
        finally:
            worker.close()
    except AutograderError as error:
        return Finding("torchvision in a worker", "missing", str(error))
    except Exception as error:  # noqa: BLE001  # whatever an import raises is the finding
        return Finding("torchvision in a worker", "missing", f"{error}; reinstall the versions of the constraints file")
    finally:
        sandbox.close()
    return Finding("torchvision in a worker", "ok", f"imports at level {level}")


def _cores() -> Finding:
    count, quota = cores(), quota_cores()
    if quota is not None and quota < 1:
        return Finding("cores", "warning", f"a CPU quota of {quota:.2g} cores slows everything; {_MEASURE}")
    if count < 2:
        return Finding("cores", "warning", f"a lone core: grader and worker take turns on it; {_MEASURE}")
    return Finding("cores", "ok", f"{count}; a grader and its workers keep to one; {_MEASURE}")


def _devices() -> Finding:
    import torch

    names = ["cpu"]
    if torch.cuda.is_available():
        names += [f"cuda ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    return Finding("devices", "ok", ", ".join(names))


def _course(course: Course) -> Iterator[Finding]:
    from autograder.authoring.notebooks import stale_notebooks

    yield Finding("course.yml", "ok", f"{course.path}: {len(course.assignments)} assignments")
    for assignment in course.assignments:
        if not assignment.fetched:
            yield Finding(assignment.name, "ok", f"not fetched yet; run `autograde fetch {assignment.name}`")
            continue
        try:
            checks, stale = assignment.check_names(), stale_notebooks([assignment])
        except AutograderError as error:
            yield Finding(assignment.name, "missing", str(error))
            continue
        hidden = "with hidden checks" if assignment.hidden_check_files() else "public checks only, as students have it"
        if stale:
            yield Finding(assignment.name, "warning", f"its notebook is stale; run `autograde build {assignment.name}`")
        else:
            yield Finding(assignment.name, "ok", f"{len(checks)} checks, {hidden}")
    yield _secret(course.secret_file)
    from autograder.nbgrader.doctor import examine_nbgrader

    for name, state, text in examine_nbgrader(course):
        yield Finding(name, state, text)


def _secret(path: Path) -> Finding:
    if os.environ.get("AUTOGRADE_SECRET"):
        return Finding("secret", "ok", "from AUTOGRADE_SECRET")
    if not path.exists():
        return Finding("secret", "ok", f"none yet; the first grading writes {path}")
    if sys.platform != "win32" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Finding("secret", "warning", f"{path} can be read by others; run `chmod 600 {path}`")
    return Finding("secret", "ok", str(path))
