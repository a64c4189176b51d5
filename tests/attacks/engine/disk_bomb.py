"""Title: Fill the disk
How: Large files, sparse files that are filled through a mapping, and a great many small ones in every folder that can be written, 256 MiB at most.
After: the disk, or the memory behind a tmpfs, of the machine
Stopped by: each file system that a worker may write to has a size and a number of files
"""

import os

OUTCOME = {"echo": "failed", "twice": "failed"}
SLOW = True
KINDS = ("large", "many")


def fill(folder, kind):
    written = 0
    try:
        os.makedirs(f"{folder}/bomb-{kind}", exist_ok=True)
        for number in range(64 if kind == "large" else 20_000):
            with open(f"{folder}/bomb-{kind}/{number}", "wb", buffering=0) as file:
                for _ in range(4 if kind == "large" else 0):
                    written += file.write(bytes(1 << 20))
            written += 1
    except OSError:
        pass
    return written


def gained():
    written = sum(fill(folder, kind) for folder in (".", "/tmp", "/dev/shm", "/", "/proc") for kind in KINDS)
    print(written, "bytes and files")
    return written > 64 << 20


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
