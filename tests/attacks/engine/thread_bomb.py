"""Title: A bomb of threads
How: Threads that wait are started until the system refuses, two thousand at most.
After: the number of threads that the machine can bear
Stopped by: a limit on the worker's user; level process shares the user's own limit
"""

import threading

OUTCOME = {"echo": "failed", "twice": "failed"}
LEVELS = ["namespaces", "user"]


def gained():
    stop, started = threading.Event(), []
    threading.stack_size(1 << 16)
    try:
        while len(started) < 2000:
            thread = threading.Thread(target=stop.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        pass
    stop.set()
    print(len(started), "threads")
    return len(started) > 500


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
