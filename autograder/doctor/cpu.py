"""Read what this machine's kernel says about its cores: how they are clocked, and how much of them is ours.

Each reading takes the root folder of the file system, so that a test can make one up.

Sources: the kernel's documentation of CPU performance scaling ("CPUFreq policy sysfs interface"), of cgroup v1
("CFS bandwidth control") and v2 ("CPU interface files"), and cgroups(7) for `/proc/self/cgroup`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/")


@dataclass(frozen=True)
class Settings:
    """What the kernel says about this machine's cores.

    Attributes:
        cores: How many this process may run on.
        quota_cores: How many cores' worth of time it may use; None for no limit.
        governors: How their frequency is chosen; none where the kernel does not tell.
    """

    cores: int
    quota_cores: float | None = None
    governors: tuple[str, ...] = ()


def read_settings(root: Path = ROOT) -> Settings:
    """Read this machine's settings."""
    return Settings(cores(), quota_cores(root), governors(root))


def cores() -> int:
    """Return how many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def governors(root: Path = ROOT) -> tuple[str, ...]:
    """Return the names of the cores' frequency governors, each once; none where the kernel does not tell."""
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    return tuple(sorted({text for file in files if (text := _text(file))}))


def quota_cores(root: Path = ROOT) -> float | None:
    """Return how many cores' worth of time the cgroups of this process allow, the least of them; None for no limit."""
    found = [quota for quota in _quotas(root) if quota is not None]
    return min(found, default=None)


def _quotas(root: Path) -> Iterator[float | None]:
    mount = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            for top in (mount, mount / "unified"):
                for folder in _upwards(top, path):
                    yield _share(*_text(folder / "cpu.max").split()[:2])
        elif "cpu" in controllers.split(","):
            for top in {mount / "cpu", mount / controllers}:
                for folder in _upwards(top, path):
                    yield _share(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _upwards(top: Path, path: str) -> list[Path]:
    """Return the folder of a cgroup and those above it; a container may see its own as the top, whatever its path."""
    folder = top / path.lstrip("/")
    if ".." in folder.parts:  # a cgroup above the one that this container sees as the top
        return [top]
    return [folder, *(parent for parent in folder.parents if parent == top or top in parent.parents)]


def _share(quota: str = "", period: str = "") -> float | None:
    """Return a quota in cores; None for `max`, -1 and what is not there."""
    try:
        return int(quota) / int(period) if int(quota) > 0 else None
    except (ValueError, ZeroDivisionError):
        return None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
