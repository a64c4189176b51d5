"""Title: Filter what is printed about the submission
How: Put a pipe in the place of both outputs, and let a thread turn every "failed" into "passed" on its way.
After: graders that print the verdict from the process that runs the submission
Stopped by: the verdict is made elsewhere; the output of a worker is text and nothing else
"""

import os
import threading

OUTCOME = {"echo": "failed", "twice": "failed"}

real = os.dup(1)
read, write = os.pipe()
os.dup2(write, 1)
os.dup2(write, 2)


def turn():
    while True:
        text = os.read(read, 4096)
        os.write(real, text.replace(b"failed", b"passed").replace(b"0 of", b"3 of"))


threading.Thread(target=turn, daemon=True).start()


def echo(x):
    print("check_echo failed, 0 of 2 points")
    return x + 1


def twice(x):
    return x
