"""Title: Never end, whatever comes
How: All signals are ignored, timers are set to come before any other, exceptions are swallowed, and a thread goes on when the main one is asked to stop.
After: a grader whose only limit is a signal to the worker
Stopped by: the grader reads the worker's clock from outside and kills it, which cannot be ignored
"""

import contextlib
import signal
import threading

OUTCOME = {"echo": "timed_out", "twice": "passed"}
SLOW = True
LEVELS = ["namespaces", "user", "process"]


def spin():
    while True:
        with contextlib.suppress(BaseException):
            while True:
                pass


def echo(x):
    for number in signal.valid_signals():
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    signal.alarm(0)
    threading.Thread(target=spin).start()
    spin()


def twice(x):
    return 2 * x
