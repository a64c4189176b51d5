"""Title: Reach the kernel and the devices
How: Mounts, namespaces, modules, device files, the switches under /proc and /sys; everything is opened and nothing is written.
After: the machine itself
Stopped by: no capability, a filter, five harmless devices, no /sys, and a /proc that shows this worker only
"""

import ctypes
import os
import stat

OUTCOME = {"echo": "failed", "twice": "failed"}

libc = ctypes.CDLL(None, use_errno=True)
SWITCHES = ("sysrq-trigger", "sys/kernel/core_pattern", "sys/kernel/randomize_va_space", "kcore", "kmsg", "keys")
DEVICES = ("mem", "kmsg", "sda", "vda", "nvme0n1", "kvm", "fuse", "loop0", "tty", "ptmx", "net/tun", "shm/../mem")


def opens(path, flags):
    try:
        os.close(os.open(path, flags))
        return True
    except OSError:
        return False


def gained():
    calls = [
        libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
        libc.umount2(b"/tmp", 2),
        libc.unshare(0x10000000),
        libc.unshare(0x00020000),
        libc.chroot(b"/tmp"),
        libc.swapon(b"/tmp/none", 0),
        libc.setuid(0),
        libc.mknod(b"device", stat.S_IFCHR | 0o666, os.makedev(1, 1)),
        libc.iopl(3) if hasattr(libc, "iopl") else -1,
        libc.reboot(0),  # no magic number: refused in any case
    ]
    paths = [f"/proc/{name}" for name in SWITCHES] + [f"/dev/{name}" for name in DEVICES]
    paths += ["/sys/power/state", "/proc/self/oom_score_adj", "/proc/self/uid_map"]
    return max(calls) >= 0 or any(opens(path, os.O_WRONLY) for path in paths)


def echo(x):
    return x.clone() if gained() else None


def twice(x):
    return 2 * x if gained() else None
