"""Title: Take all memory
How: Shared mappings, which no limit on data counts, are touched piece by piece, a gigabyte at most.
After: the memory of the machine, and a grader that the kernel ends in the worker's place
Stopped by: the grader watches the worker's memory from outside and ends it
"""

import mmap
import time

OUTCOME = {"echo": "out_of_memory", "twice": "passed"}
SLOW = True
LEVELS = ["namespaces", "user", "process"]
KEPT = []


def echo(x):
    piece = bytes(1 << 20)
    for _ in range(1024):
        KEPT.append(mmap.mmap(-1, 1 << 20))
        KEPT[-1].write(piece)
        time.sleep(0.0005)  # what the grader may notice late is bounded by how fast pages come
    return x.clone()


def twice(x):
    return 2 * x
