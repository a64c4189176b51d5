"""Title: Drown the grader in frames
How: Threads write frames, halves of frames and random bytes to the channel for as long as there is somebody to read.
After: a grader that keeps reading, keeps all it reads, or stops at the first surprise with no verdict
Stopped by: one frame is read for one request; the first byte that follows no format ends the worker, and its check alone
"""

import os
import threading

OUTCOME = {"echo": "crashed", "twice": "passed"}


def flood():
    while True:
        os.write(3, os.urandom(65536))


def echo(x):
    for _ in range(4):
        threading.Thread(target=flood, daemon=True).start()
    flood()


def twice(x):
    return 2 * x
