"""Which sandbox levels this machine can give, and why not the others."""

from __future__ import annotations

import functools
import importlib.util
import os
import platform
import stat
import subprocess
import sys
from pathlib import Path

from autograder.errors import SandboxError
from autograder.sandbox.start import LEVELS
from autograder.worker import confinement as confine

_PROBE = """
import os
from autograder.worker import linux, seccomp
from autograder.worker import confinement as confine
seccomp.compile_filter(processes=False, signals=True)
confine.prepare(os.geteuid() == 0)
linux.unshare(linux.CLONE_NEWPID)
child = os.fork()
if child == 0:
    linux.mount("proc", "/proc", "proc", 0)
    os._exit(0)
raise SystemExit("a fresh /proc is refused" if os.waitpid(child, 0)[1] else 0)
"""


@functools.cache
def missing(level: str) -> str:
    """Say what this machine lacks for a level; empty if it can give it."""
    if level not in LEVELS:
        return f"there is no level {level!r}; expected one of {', '.join(LEVELS)}"
    if sys.platform != "linux":
        return "" if level == "process" else f"{platform.system()} has no namespaces; use Linux, or WSL 2 on Windows"
    if level == "process":
        return ""
    if importlib.util.find_spec("pyseccomp") is None:
        return "pyseccomp is not installed"
    if level == "user" and os.geteuid() != 0:
        return "level user needs root, to start workers under a user of their own"
    return _closed_folder() if level == "user" else _try_namespaces()


def _closed_folder() -> str:
    """Name a folder on the way to the interpreter that other users may not enter; empty if there is none."""
    for folder in confine.interpreter_folders():
        for place in (Path(folder), *Path(folder).parents):
            if not place.stat().st_mode & stat.S_IXOTH:
                return f"the interpreter lies under {place}, which a worker's user may not enter; install it elsewhere"
    return ""


def _try_namespaces() -> str:
    """Lock a process in as a forkserver does, without importing torch; say what the system refuses."""
    command = [sys.executable, "-s", "-P", "-c", _PROBE]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0:
        return ""
    return _reason((done.stderr.strip().splitlines() or ["it ended without a word"])[-1])


def _reason(text: str) -> str:
    for path, bad, words in (
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "set kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "set kernel.unprivileged_userns_clone=1"),
        ("/proc/sys/user/max_user_namespaces", "0", "raise user.max_user_namespaces"),
    ):
        try:
            with open(path, encoding="ascii") as file:
                if file.read().strip() == bad:
                    return f"{text} ({words}, or run as root)"
        except OSError:
            continue
    return text


def best_level() -> str:
    """Return the strongest level that this machine gives."""
    return next(level for level in LEVELS if not missing(level))


def require(level: str) -> None:
    """Insist on a level.

    Raises:
        SandboxError: If this machine cannot give it, saying why.
    """
    why = missing(level)
    if why:
        raise SandboxError(
            f"sandbox: level {level} is not available here: {why}; "
            f"`autograde doctor` tells more, --sandbox {best_level()} grades at the level that there is"
        )
