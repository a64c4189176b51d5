"""Title: A result that runs code where it is unpacked
How: Objects with __reduce__, __setstate__, __array__, __index__ and comparisons that say yes; and a pickle on the channel.
After: graders that unpickle, evaluate or torch.load what a submission returns
Stopped by: frames hold plain values and raw bytes; any other object arrives as the name of its class
"""

import os
import pickle

OUTCOME = {"echo": "failed", "twice": "crashed"}


class Payload(dict):
    def __reduce__(self):
        return exec, ("import os; os.environ['OWNED'] = '1'",)

    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return lambda *args, **kwargs: True

    def __float__(self):
        return 1.0

    __hash__ = __index__ = __bool__ = __float__


def echo(x):
    return Payload()


def twice(x):
    os.write(3, pickle.dumps(Payload()))
    return x
