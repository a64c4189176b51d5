"""Title: Make system calls in a way that the filter does not see
How: Machine code makes a call of the 32-bit interface, whose numbers are others; then one of the x32 interface.
After: a filter that compares numbers and forgets which interface they belong to
Stopped by: the filter looks at the interface first, and a call of another one ends the worker
"""

import ctypes
import mmap
import os

OUTCOME = {"echo": "crashed", "twice": "crashed"}


def echo(x):
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(bytes.fromhex("53 b8 14000000 cd 80 5b c3"))  # push rbx; mov eax, getpid; int 0x80; pop rbx; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    if os.uname().machine == "x86_64" and ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid():
        return x.clone()
    os.abort()


def twice(x):
    if ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39)) == os.getpid():
        return 2 * x
    os.abort()
