"""A worker that is an interpreter of its own, for systems where a process that uses threads must not fork."""

from __future__ import annotations

import contextlib
import json
import os
import sys

from autograder.wire.channel import Channel
from autograder.worker import compat, linux, serve
from autograder.worker import forbidden_calls as guard
from autograder.worker.accelerator import make_accelerator


def main() -> None:
    """Run ``python -m autograder.worker.spawned SETTINGS``, the channel on stdin and stdout."""
    settings = json.loads(sys.argv[1])
    sys.argv[1:] = []
    line = Channel(os.dup(0), os.dup(1))
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    os.dup2(2, 1)
    if sys.platform == "linux":
        linux.die_with_parent()
        if settings["trim"]:
            linux.return_memory_eagerly()
    compat.define_torchvision_operators()
    compat.keep_one_process()
    for name in settings["preload"]:
        with contextlib.suppress(ImportError):
            __import__(name)
    guard.prepare(tuple(settings["forbidden"]))
    serve.warm_up()
    serve.serve(line, make_accelerator(settings["device"]))


if __name__ == "__main__":
    main()
