"""Title: Set the clock of the machine
How: The three calls that set the time, with the time that it is; and one that slews it by nothing.
After: due dates, and every clock on the wall
Stopped by: no capability, and a filter
"""

import ctypes
import os
import struct
import time

OUTCOME = {"echo": "failed", "twice": "failed"}

libc = ctypes.CDLL(None, use_errno=True)


def gained():
    now = time.time()
    text = ctypes.create_string_buffer(struct.pack("qq", int(now), 0))
    slew = ctypes.create_string_buffer(struct.pack("i", 0x8001) + bytes(252))
    results = [libc.clock_settime(0, text), libc.settimeofday(text, None), libc.adjtimex(slew)]
    try:
        time.clock_settime(time.CLOCK_REALTIME, now)
        return True
    except OSError:
        return max(results) >= 0 and os.getpid() > 0


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
