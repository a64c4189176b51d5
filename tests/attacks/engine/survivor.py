"""Title: Survive the grading
How: A session of its own, a child of a child, threads that are no daemons and timers; signals that end are ignored.
After: the machine after the grading, and the time of those who are graded next
Stopped by: no processes, and the kernel ends all that is in the worker's pid namespace with it
"""

import contextlib
import os
import signal
import threading
import time

OUTCOME = {"echo": "failed", "twice": "failed"}
LEVELS = ["namespaces", "user", "process"]

for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGALRM, signal.SIGPIPE):
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)


def sleep():
    time.sleep(60)


def gained():
    for _ in range(4):
        threading.Thread(target=sleep, daemon=False).start()
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        os.setsid()
        return True
    except OSError:
        pass
    try:
        if os.fork() == 0:
            time.sleep(5)
            os._exit(0)
        return True
    except OSError:
        return False


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
