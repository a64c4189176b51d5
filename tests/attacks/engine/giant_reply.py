"""Title: Announce a giant reply
How: One frame claims a body of a gigabyte and sends a part of it, another claims a header of hundred thousand brackets.
After: the memory of a grader that believes a length, and the stack of one that parses what is nested
Stopped by: lengths are capped, a body takes no memory until it arrives, nesting and the number of parts are bounded
"""

import os
import struct

OUTCOME = {"echo": "crashed", "twice": "crashed"}


def echo(x):
    os.write(3, struct.pack("<4sIQ", b"agw1", 32, 1 << 30) + b'{"serial": 2, "buffers": []}    ')
    for _ in range(16):
        os.write(3, bytes(1 << 16))
    os._exit(0)


def twice(x):
    text = b'{"serial": 2, "buffers": [], "result": ' + b"[" * 100_000
    os.write(3, struct.pack("<4sIQ", b"agw1", len(text), 0) + text)
    return x
