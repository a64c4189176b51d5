"""The filter of system calls, call by call: what it refuses, with which error, and what it lets through.

Arguments are -1 throughout: where the filter failed to stop a call, the kernel would find nothing to do it to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import Lab

from autograder.checks.student import Student
from autograder.sandbox.start import LEVELS, Sandbox
from autograder.worker import seccomp

pytestmark = pytest.mark.skipif(
    os.uname().machine != "x86_64", reason=f"these are the numbers of x86-64; this is {os.uname().machine}"
)

CALL = """
import ctypes, errno, os, socket

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(arg) for arg in args))
    return errno.errorcode.get(ctypes.get_errno(), "OK") if result < 0 else "OK"

def pipe():
    return os.pipe()
"""

# Numbers of x86-64, arch/x86/entry/syscalls/syscall_64.tbl.
NUMBERS = {
    **{"socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "fork": 57, "vfork": 58, "execve": 59},
    **{"shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semctl": 66, "shmdt": 67, "msgget": 68},
    **{"msgsnd": 69, "msgrcv": 70, "msgctl": 71, "link": 86, "chown": 92, "fchown": 93, "lchown": 94, "ptrace": 101},
    **{"syslog": 103, "setuid": 105, "setgid": 106, "setpgid": 109, "setsid": 112, "setreuid": 113, "setregid": 114},
    **{"setgroups": 116, "setresuid": 117, "setresgid": 119, "setfsuid": 122, "setfsgid": 123, "capset": 126},
    **{"mknod": 133, "personality": 135, "setpriority": 141, "sched_setparam": 142, "sched_setscheduler": 144},
    **{"mlockall": 151, "pivot_root": 155, "adjtimex": 159, "chroot": 161, "acct": 163, "settimeofday": 164},
    **{"mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170},
    **{"setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179},
    **{"sched_setaffinity": 203, "timer_create": 222, "clock_settime": 227, "mbind": 237, "set_mempolicy": 238},
    **{"mq_open": 240, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250, "migrate_pages": 256},
    **{"mknodat": 259, "fchownat": 260, "linkat": 265, "unshare": 272, "splice": 275, "tee": 276, "vmsplice": 278},
    **{"move_pages": 279, "accept4": 288, "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303},
    **{"open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310},
    **{"process_vm_writev": 311, "finit_module": 313, "sched_setattr": 314, "seccomp": 317, "memfd_create": 319},
    **{"kexec_file_load": 320, "bpf": 321, "execveat": 322, "userfaultfd": 323, "pidfd_send_signal": 424},
    **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429},
    **{"fsopen": 430, "fsmount": 432, "pidfd_open": 434, "pidfd_getfd": 438, "process_madvise": 440},
    **{"mount_setattr": 442, "landlock_create_ruleset": 444, "memfd_secret": 447},
}

# Calls of which the filter looks at an argument, and calls that it does not know: number, arguments, answers.
UNKNOWN = ("ENOSYS",)
REFUSED = ("EPERM", "ENOSYS")
CASES = {
    "clone without a thread": (56, (17, 0, 0, 0, 0), ("EPERM",)),
    "clone of a user namespace": (56, (0x10000000 | 17, 0, 0, 0, 0), ("EPERM",)),
    "clone3": (435, (-1, -1), UNKNOWN),
    "fsconfig": (431, (-1, -1, 0, 0, 0), UNKNOWN),
    "fspick": (433, (-1, -1, -1), UNKNOWN),
    "kcmp": (312, (-1, -1, -1, -1, -1), UNKNOWN),
    "modify_ldt": (154, (-1, -1, -1), UNKNOWN),
    "lookup_dcookie": (212, (-1, -1, -1), UNKNOWN),
    "vhangup": (153, (), UNKNOWN),
    "ioprio_set": (251, (-1, -1, -1), UNKNOWN),
    "inotify_add_watch": (254, (-1, -1, -1), UNKNOWN),
    "rt_sigqueueinfo": (129, (-1, -1, -1), UNKNOWN),
    "rt_tgsigqueueinfo": (297, (-1, -1, -1, -1), UNKNOWN),
    "setxattr": (188, (-1, -1, -1, -1, -1), UNKNOWN),
    "mq_unlink": (241, (-1,), UNKNOWN),
    "signalfd4": (289, (-1, -1, -1, -1), UNKNOWN),
    "landlock_restrict_self": (446, (-1, -1), UNKNOWN),
    "cachestat": (451, (-1, -1, -1, -1), UNKNOWN),
    "a call of tomorrow": (9999, (), UNKNOWN),
    "prctl(PR_SET_DUMPABLE)": (157, (4, 1), REFUSED),
    "prctl(PR_SET_PDEATHSIG)": (157, (1, 0), REFUSED),
    "prctl(PR_SET_SECCOMP)": (157, (22, 2, 0), REFUSED),
    "prctl(PR_SET_PTRACER)": (157, (0x59616D61, -1), REFUSED),
    "fcntl(F_SETOWN)": (72, (3, 8, 1), REFUSED),
    "fcntl(F_SETOWN), upper half": (72, (3, 8 + (1 << 32), 1), REFUSED),
    "fcntl(F_SETSIG)": (72, (3, 10, 18), REFUSED),
    "fcntl(F_SETSIG), upper half": (72, (3, 10 + (1 << 32), 18), REFUSED),
    "fcntl(F_SETOWN_EX)": (72, (3, 15, -1), REFUSED),
    "fcntl(F_SETLEASE)": (72, (3, 1024, 0), REFUSED),
    "ioctl(FIOSETOWN)": (16, (3, 0x8901, -1), REFUSED),
    "ioctl(SIOCSPGRP)": (16, (3, 0x8902, -1), REFUSED),
    "ioctl(SIOCSPGRP), upper half": (16, (3, 0x8902 + (1 << 32), -1), REFUSED),
    "prlimit64 of another": (302, (1, 7, 0, 0), REFUSED),
    "socketpair of TIPC": (53, (30, 5, 0, -1), REFUSED),
    "socketpair of IP": (53, (2, 1, 0, -1), REFUSED),
    # What libraries need is let through: the kernel itself answers.
    "getpid": (39, (), ("OK",)),
    "fcntl(F_GETFL)": (72, (3, 3), ("OK",)),
    "fcntl(F_GETFD)": (72, (3, 1), ("OK",)),
    "ioctl(FIONREAD)": (16, (3, 0x541B, -1), ("EFAULT",)),
    "prlimit64 of oneself": (302, (0, 7, 0, 0), ("OK",)),
    "socketpair": (53, (1, 1, 0, -1), ("EFAULT",)),
    "read": (0, (-1, -1, 0), ("EBADF",)),
    "openat": (257, (-100, -1, 0), ("EFAULT",)),
    "futex": (202, (-1, 1, 1), ("EFAULT", "EINVAL", "OK")),
}


@pytest.fixture(scope="module", params=LEVELS)
def worker(
    request: pytest.FixtureRequest, at_level: Callable[[str], Sandbox], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Student]:
    """One worker for all calls of a level."""
    with Lab(tmp_path_factory.mktemp("course"), at_level(request.param)).ending() as lab:
        yield lab.student(CALL)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_call_that_no_submission_needs_is_refused(worker: Student, name: str) -> None:
    assert worker.call(NUMBERS[name], *(-1,) * 6) == "EPERM"


@pytest.mark.parametrize("name", CASES)
def test_a_call_is_judged_by_its_arguments_and_an_unknown_one_is_unknown(worker: Student, name: str) -> None:
    number, arguments, answers = CASES[name]

    assert worker.call(number, *arguments) in answers


def test_no_call_is_refused_that_is_not_tried_here() -> None:
    assert set(seccomp.REFUSED) == set(NUMBERS)
    assert not set(seccomp.REFUSED) & set(seccomp.ALLOWED)


def test_the_numbers_are_those_of_the_kernel() -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")

    known = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read_text()))

    assert {name: number for name, number in NUMBERS.items() if int(known.get(name, number)) != number} == {}
