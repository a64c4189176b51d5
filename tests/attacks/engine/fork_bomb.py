"""Title: A fork bomb
How: Children by fork, vfork's relatives, clone, exec, subprocess and multiprocessing; each would end at once, and there are a hundred attempts at most.
After: the table of processes, and work that no clock of the worker counts
Stopped by: a worker makes no processes: the filter refuses, whatever the way
"""

import ctypes
import multiprocessing
import os
import subprocess

OUTCOME = {"echo": "failed", "twice": "failed"}
LEVELS = ["namespaces", "user", "process"]

libc = ctypes.CDLL(None, use_errno=True)


def by_fork():
    if os.fork() == 0:
        os._exit(0)


def by_forkpty():
    if os.forkpty()[0] == 0:
        os._exit(0)


def by_subprocess():
    subprocess.run(["/bin/true"], check=True)


def by_spawn():
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)


def by_pool():
    process = multiprocessing.get_context("fork").Process(target=print)
    process.start()
    process.join()


def by_clone():
    pid = libc.syscall(ctypes.c_long(56), ctypes.c_long(17), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid < 0:
        raise OSError("refused")


def gained():
    children = 0
    ways = [by_fork, by_forkpty, by_subprocess, by_spawn, by_pool] + [by_clone] * (os.uname().machine == "x86_64")
    for way in ways * 16:
        try:
            way()
            children += 1
        except (OSError, AssertionError):
            continue
    return children > 0


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
