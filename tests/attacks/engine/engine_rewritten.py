"""Title: Rewrite the part of the engine that runs beside the submission
How: The worker's own object, the encoder and the guard are found through sys.modules and gc, and made to say that all is well; the grader's modules are imported and patched, too.
After: a grader that lets the worker judge, count or compare anything
Stopped by: the worker knows no expected value and says no verdict; what it can forge is a value, which is compared like any other
"""

import gc
import importlib
import sys

OUTCOME = {"echo": "failed", "twice": "failed"}

for name in ("compare", "grading", "plugin", "report", "check", "store"):
    try:
        module = importlib.import_module(f"autograder.{name}")
    except BaseException:
        continue
    for key in list(vars(module)):
        if callable(vars(module)[key]) and not key.startswith("__"):
            setattr(module, key, lambda *args, **kwargs: True)

for thing in gc.get_objects():
    if type(thing).__name__ == "Worker" and hasattr(thing, "guard"):
        thing.guard.seen = lambda: []
        send = thing.line.send
        better = {"verdict": "passed", "score": 3.0, "points": 3.0, "full": True}
        thing.line.send = lambda header, buffers=(), send=send: send({**header, **better}, buffers)


def echo(x):
    sys.modules["autograder.wire.values"].encode.__defaults__ = None
    return x + 1


def twice(x):
    return x
