"""Title: Leave what cannot be taken away
How: Folders nested thousands deep, folders without any right, links to the course and to the folders above, names that are no text.
After: a grader that fails, or follows a link, or gives up, where it cleans up after the worker
Stopped by: a worker's disk vanishes with its namespace; elsewhere its folder is flattened, never followed
"""

import os

OUTCOME = {"echo": "passed", "twice": "passed"}
LEVELS = ["namespaces", "user", "process"]

home = os.getcwd()
links = {"above": "..", "root": "/", "itself": "itself"}
for name, target in links.items():
    try:
        os.symlink(target, name)
    except OSError:
        pass
open(b"\xff\x1b[31m\n", "w").close()
try:
    for depth in range(3000):
        os.mkdir("d")
        os.symlink(home, "up")
        os.chdir("d")
except OSError:
    pass
os.chdir(home)
os.makedirs("closed/inner")
open("closed/inner/file", "w").close()
os.chmod("closed/inner", 0)
os.chmod("closed", 0)


def echo(x):
    return x.clone()


def twice(x):
    return 2 * x
