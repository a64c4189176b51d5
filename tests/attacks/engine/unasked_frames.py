"""Title: Answer before one is asked
How: While the module loads, a well-formed frame that says "zeros, and nothing forbidden" is written for the next request.
After: a grader that takes the first frame on the channel for the answer
Stopped by: what arrives unasked ends the worker; and a forged answer would be compared like any other
"""

import json
import os
import struct

OUTCOME = {"echo": "crashed", "twice": "crashed"}

TENSOR = {"T": {"dtype": "float32", "shape": [4], "device": "cpu", "grad": False, "buffer": 0}}


def forge(serial):
    header = {"serial": serial, "buffers": [16], "forbidden": [], "changed": [], "result": TENSOR}
    text = json.dumps(header).encode()
    os.write(3, struct.pack("<4sIQ", b"agw1", len(text), 16) + text + bytes(16))


def echo(x):
    forge(2)
    forge(3)
    return x


def twice(x):
    header = b'{"serial": 2, "buffers": [], "forbidden": [], "verdict": "passed", "score": 1.0}'
    os.write(3, struct.pack("<4sIQ", b"agw1", len(header), 0) + header)
    return x
