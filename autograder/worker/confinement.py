"""Lock a worker in: its view of the file system, its limits, its rights.

The forkserver calls ``prepare`` once; every worker calls ``enter`` right after the fork, while it still runs
nothing but our code, and ``surrender`` once the grader has opened what it needs of it.
"""

from __future__ import annotations

import os
import resource
import site
import stat
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from autograder.worker import linux

FIRST_UID = 60_000
UIDS = 4_000
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM_FOLDERS = (
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/local/lib",
)
# Where containers put the libraries of the driver.
_GPU_FOLDERS = ("/usr/local/nvidia", "/usr/local/cuda/compat")
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/sys/devices/system/cpu", "/usr/share/zoneinfo")
_NAMESPACES = linux.CLONE_NEWNS | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS | linux.CLONE_NEWNET
WORK_FOLDER = "/sandbox"


@dataclass(frozen=True)
class Confinement:
    """How one worker is confined.

    Attributes:
        level: ``namespaces``, ``user`` or ``process``.
        memory_bytes: The limit on its memory; the grader watches it from outside as well.
        threads: How many threads (and processes) it may have.
        processes: How many processes it may have; 1 forbids fork.
        disk_bytes: The size of each of its file systems.
        time_s: CPU seconds after which the kernel ends it at the latest.
        uid: The user it runs as where the forkserver is root.
        folder: Its working folder at the levels without a root of its own.
    """

    level: str
    memory_bytes: int
    threads: int
    processes: int
    disk_bytes: int
    time_s: float
    uid: int
    folder: str


def interpreter_folders() -> list[str]:
    """Return the folders that Python and its packages need, and nothing of the course."""
    folders = {sys.prefix, sys.base_prefix, *site.getsitepackages(), *sysconfig.get_paths().values()}
    chosen: list[str] = []
    for folder in sorted(os.path.realpath(folder) for folder in folders if os.path.isdir(folder)):
        if folder in ("/usr", "/usr/local", "/") or folder.startswith(tuple(f"{name}/" for name in _SYSTEM_FOLDERS)):
            continue
        if not any(folder == seen or folder.startswith(f"{seen}/") for seen in chosen):
            chosen.append(folder)
    return chosen


def free_folders() -> list[str]:
    """Return the folders that each worker gets empty; not /tmp where the interpreter itself lies below it."""
    taken = any(folder.startswith("/tmp/") for folder in interpreter_folders())
    return [WORK_FOLDER, "/dev/shm"] if taken else [WORK_FOLDER, "/dev/shm", "/tmp"]


def gpu_devices() -> list[str]:
    """Return the device files through which programs compute on NVIDIA's GPUs."""
    return [
        str(path)
        for path in sorted((*Path("/dev").glob("nvidia*"), *Path("/dev/nvidia-caps").glob("*")))
        if stat.S_ISCHR(path.stat().st_mode)
    ]


def prepare(root: bool, *, gpu: bool = False) -> None:
    """Give the forkserver a root folder that holds the interpreter and the system libraries only.

    Args:
        root: Whether this process is root; if not, it enters a user namespace of its own first and forks
            into a pid namespace that this user namespace owns. The parent then waits and ends with the child.
        gpu: Whether workers compute on NVIDIA's GPUs, and so need their device files and libraries.

    Raises:
        OSError: Naming the call that this system refuses.
    """
    if root:
        linux.unshare(_NAMESPACES)
    else:
        uid, gid = os.getuid(), os.getgid()
        linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWPID | _NAMESPACES)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
        child = os.fork()
        if child:
            linux.die_with_parent()
            _, status = os.waitpid(child, 0)
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
        linux.die_with_parent()
    _build_root(gpu)


def _build_root(gpu: bool) -> None:
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    wanted = (*interpreter_folders(), *_SYSTEM_FOLDERS, *_SYSTEM_FILES, *(_GPU_FOLDERS if gpu else ()))
    sources = [path for path in wanted if os.path.lexists(path)]
    handles = {path: os.open(path, os.O_PATH) for path in sources if not os.path.islink(path)}
    paths = [*(f"/dev/{name}" for name in _DEVICES), *(gpu_devices() if gpu else ())]
    devices = {path: os.open(path, os.O_PATH) for path in paths}
    old_proc = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    base = "/tmp"
    linux.mount("tmpfs", base, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755,size=1m")
    for path in sources:
        target = base + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if path not in handles:
            if not os.path.lexists(target):
                os.symlink(os.readlink(path), target)
            continue
        _bind(handles[path], target)
    for folder in ("/proc", "/dev", *free_folders()):
        os.makedirs(base + folder, exist_ok=True)
    for path, handle in devices.items():
        os.makedirs(os.path.dirname(base + path), exist_ok=True)
        _touch(base + path)
        linux.mount(f"/proc/self/fd/{handle}", base + path, None, linux.MS_BIND)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1")):
        os.symlink(target, f"{base}/dev/{name}")
    Path(base, "etc").mkdir(exist_ok=True)
    Path(base, "etc/passwd").write_text(
        "student:x:1000:1000::/tmp:/nonexistent\nnobody:x:65534:65534::/:/nonexistent\n"
    )
    Path(base, "etc/group").write_text("student:x:1000:\nnogroup:x:65534:\n")
    # Keep a /proc in the forkserver's own root: the kernel allows a worker's fresh one only while one is visible.
    linux.mount(f"/proc/self/fd/{old_proc}", f"{base}/proc", None, linux.MS_BIND | linux.MS_REC)
    for handle in (*handles.values(), *devices.values(), old_proc):
        os.close(handle)
    linux.pivot_root(base)
    linux.mount(
        "none", "/", None, linux.MS_REMOUNT | linux.MS_BIND | linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV
    )


def _bind(handle: int, target: str) -> None:
    if stat.S_ISDIR(os.fstat(handle).st_mode):  # by the handle: what lies under /tmp is hidden by now
        os.makedirs(target, exist_ok=True)
    else:
        _touch(target)
    linux.bind_read_only(f"/proc/self/fd/{handle}", target)


def _touch(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def enter(confinement: Confinement) -> None:
    """Give a fresh fork its own mounts, network, ipc and host name; at other levels only its folder."""
    if confinement.level != "namespaces":
        os.chdir(confinement.folder)
        return
    linux.unshare(_NAMESPACES)
    size = f"mode=1777,size={confinement.disk_bytes},nr_inodes=4096"
    for folder in free_folders():
        linux.mount("tmpfs", folder, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC, size)
    linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    os.chdir(WORK_FOLDER)


def surrender(confinement: Confinement, program: bytes | None, *, root: bool) -> None:
    """Give up every right: user, capabilities, privileges, system calls; set the limits of the kernel.

    Args:
        confinement: The limits.
        program: The seccomp filter; None where this system has no libseccomp (only below level ``namespaces``).
        root: Whether the forkserver is root, so that the worker becomes ``confinement.uid``.
    """
    os.setsid()
    _set_limits(confinement)
    if root and confinement.level != "process":
        os.setgroups([])
        os.setresgid(confinement.uid, confinement.uid, confinement.uid)
        os.setresuid(confinement.uid, confinement.uid, confinement.uid)
    if confinement.level == "namespaces":
        linux.set_dumpable(True)  # the files under /proc/self that map the user belong to root otherwise
        _own_user_namespace()
    if confinement.level != "process" or not root:
        linux.drop_capabilities()
    linux.no_new_privileges()
    linux.die_with_parent()
    linux.set_dumpable(False)
    if program is not None:
        linux.load_seccomp(program)


def _own_user_namespace() -> None:
    uid, gid = os.getuid(), os.getgid()
    linux.unshare(linux.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"1000 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"1000 {gid} 1")


def _set_limits(confinement: Confinement) -> None:
    def limit(kind: int, value: int) -> None:
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))

    limit(resource.RLIMIT_CORE, 0)
    limit(resource.RLIMIT_NOFILE, 256)
    limit(resource.RLIMIT_FSIZE, max(confinement.disk_bytes, 1 << 20))
    limit(resource.RLIMIT_MEMLOCK, 1 << 20)
    limit(resource.RLIMIT_MSGQUEUE, 0)
    limit(resource.RLIMIT_CPU, int(confinement.time_s) + 10)
    if confinement.level != "process":
        limit(resource.RLIMIT_NPROC, confinement.threads + confinement.processes)
    limit(resource.RLIMIT_DATA, confinement.memory_bytes + (1 << 30))
