"""Title: Leave word for the next worker
How: Files, shared memory of System V and POSIX, queues, names of sockets and locks are left by each worker, and looked for by each.
After: the next check, which may replay what an earlier one has seen, and the submissions of others
Stopped by: file systems, ipc and network of each worker are its own and end with it
"""

import ctypes
import glob
import os
import socket

OUTCOME = {"echo": "failed", "twice": "failed"}

libc = ctypes.CDLL(None, use_errno=True)
WORD = "word-of-an-attack"


def leave():
    for folder in (".", "..", "/tmp", "/dev/shm", "/var/tmp", "/run", os.environ.get("HOME", ".")):
        try:
            with open(f"{folder}/{WORD}", "x") as file:
                file.write(str(os.getpid()))
        except OSError:
            pass
    libc.shmget(4711, 4096, 0o1666)
    libc.semget(4711, 1, 0o1666)
    libc.msgget(4711, 0o1666)
    try:
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).bind(f"\0{WORD}")
    except OSError:
        pass


def found():
    places = [glob.glob(f"{folder}/{WORD}") for folder in (".", "..", "/tmp", "/dev/shm", "/var/tmp", "/run")]
    shared = [libc.shmget(4711, 4096, 0), libc.semget(4711, 1, 0), libc.msgget(4711, 0)]
    return any(places) or max(shared) >= 0


HEARD = found()
leave()


def gained():
    return HEARD


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
