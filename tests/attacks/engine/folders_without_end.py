"""Title: Leave what cannot be taken away
How: Folders nested deeper than any path or stack, folders without any right, links to the course and to the folders above, names that are no text.
After: a grader that fails, or follows a link, or gives up, where it cleans up after the worker
Stopped by: a worker's disk vanishes with its namespace; elsewhere its folder is flattened, never followed
"""

import os

OUTCOME = {"echo": "passed", "twice": "passed"}
LEVELS = ["namespaces", "user", "process"]


def echo(x):
    home = os.getcwd()
    for name, target in {"above": "..", "root": "/", "itself": "itself"}.items():
        os.symlink(target, name)
    open(b"\xff\x1b[31m\n", "w").close()
    os.makedirs("closed/inner")
    open("closed/inner/file", "w").close()
    os.chmod("closed/inner", 0)
    os.chmod("closed", 0)
    for depth in range(1200):
        os.mkdir("d")
        os.chdir("d")
    os.symlink(home, "up")
    os.chdir(home)
    return x.clone()


def twice(x):
    return 2 * x
