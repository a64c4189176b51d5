"""The system calls that a worker may make, compiled once by libseccomp.

An allow-list: a call that is not on it fails with ENOSYS, as if the kernel did not know it, which libraries
handle; the calls that libraries expect to be refused fail with EPERM. ``clone3`` gives ENOSYS because libgomp
gets no threads when it gives EPERM; glibc then falls back to ``clone``, whose flags a filter can see.
"""

from __future__ import annotations

import errno
import os
import tempfile

ALLOWED = """
    read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 open openat openat2 close close_range
    lseek stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2 readlink readlinkat getdents
    getdents64 getcwd chdir fchdir mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 truncate ftruncate
    fallocate chmod fchmod fchmodat umask fsync fdatasync sync_file_range utimensat utime utimes futimesat fadvise64
    flock copy_file_range sendfile dup dup2 dup3 pipe pipe2 poll ppoll select pselect6 epoll_create
    epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 inotify_init1 symlink symlinkat
    getxattr lgetxattr fgetxattr mmap munmap mremap mprotect madvise brk msync mincore mlock munlock membarrier
    pkey_alloc pkey_free pkey_mprotect rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait
    rt_sigsuspend sigaltstack restart_syscall pause alarm getitimer setitimer timerfd_create timerfd_settime
    timerfd_gettime getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups
    getpgid getpgrp getsid set_tid_address set_robust_list get_robust_list rseq futex futex_waitv sched_yield
    sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min getpriority
    getcpu clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time times getrusage getrlimit uname
    sysinfo getrandom arch_prctl exit exit_group wait4 waitid get_mempolicy sendto recvfrom sendmsg
    recvmsg shutdown getsockopt setsockopt getsockname getpeername
""".split()

REFUSED = """
    fork vfork execve execveat ptrace process_vm_readv process_vm_writev sched_setaffinity sched_setscheduler
    sched_setparam sched_setattr setpriority memfd_create memfd_secret io_uring_setup io_uring_enter
    io_uring_register bpf keyctl add_key request_key userfaultfd perf_event_open mount umount2 pivot_root unshare
    setns move_mount fsopen fsmount open_tree mount_setattr init_module finit_module delete_module kexec_load
    kexec_file_load reboot swapon swapoff chroot socket connect bind listen accept accept4 shmget shmat shmctl shmdt
    semget semop semctl msgget msgsnd msgrcv msgctl mq_open setuid setgid setreuid setregid setresuid setresgid
    setfsuid setfsgid setgroups capset mknod mknodat link linkat open_by_handle_at name_to_handle_at pidfd_open
    pidfd_getfd pidfd_send_signal chown fchown lchown fchownat timer_create mbind set_mempolicy migrate_pages
    move_pages acct quotactl syslog personality settimeofday clock_settime adjtimex clock_adjtime sethostname
    setdomainname iopl ioperm fanotify_init landlock_create_ruleset seccomp setsid setpgid process_madvise mlockall
    vmsplice splice tee
""".split()

SIGNALS = "kill tkill tgkill".split()

_CLONE_THREAD = 0x00010000
# What fcntl may do: all but F_SETOWN and F_SETOWN_EX, which make the kernel send signals to any process of the same
# user, and F_SETSIG, which makes it send SIGCONT to a worker that the grader has stopped (timer_create could, too).
# Named one by one: the kernel cuts a command to 32 bits, so that "any but 10" lets 10 + 2³² pass.
_FCNTL_COMMANDS = (*range(8), 9, 11, 16, 36, 37, 38, 1030, 1031, 1032, 1033, 1034)
_AF_UNIX = 1
_SOCKET_IOCTLS = 0x89  # their second byte; FIOSETOWN and SIOCSPGRP are among them and are F_SETOWN by another name
# PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME, PR_CAPBSET_READ, PR_SET_TIMERSLACK, PR_SET_VMA
_PRCTL_OPTIONS = (2, 3, 15, 16, 23, 29, 0x53564D41)


def compile_filter(*, processes: bool, signals: bool) -> bytes:
    """Compile the filter to an array of BPF instructions.

    Args:
        processes: Allow fork and exec of children (an assignment may ask for it, never in a timed check).
        signals: Allow signals; only where the worker has a pid namespace of its own.

    Raises:
        ImportError: If pyseccomp or libseccomp is missing; the message says so.
        RuntimeError: If libseccomp cannot be found on this system.
    """
    import pyseccomp

    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ERRNO(errno.ENOSYS))
    refuse = pyseccomp.ERRNO(errno.EPERM)
    children = {"fork", "vfork", "setsid", "setpgid"} if processes else set()
    for name in ALLOWED + sorted(children):
        _add(rules, pyseccomp.ALLOW, name)
    for name in SIGNALS:
        _add(rules, pyseccomp.ALLOW if signals else refuse, name)
    for option in _PRCTL_OPTIONS:
        rules.add_rule(pyseccomp.ALLOW, "prctl", pyseccomp.Arg(0, pyseccomp.EQ, option))
    for command in _FCNTL_COMMANDS:
        rules.add_rule(pyseccomp.ALLOW, "fcntl", pyseccomp.Arg(1, pyseccomp.EQ, command))
    for bit in (1 << place for place in range(8)):  # the second byte differs from theirs in some bit
        other = pyseccomp.Arg(1, pyseccomp.MASKED_EQ, bit << 8, (~_SOCKET_IOCTLS & bit) << 8)
        rules.add_rule(pyseccomp.ALLOW, "ioctl", other)
    rules.add_rule(pyseccomp.ALLOW, "prlimit64", pyseccomp.Arg(0, pyseccomp.EQ, 0))  # one's own limits only
    rules.add_rule(pyseccomp.ALLOW, "socketpair", pyseccomp.Arg(0, pyseccomp.EQ, _AF_UNIX))
    for name in REFUSED:
        if name not in children:
            _add(rules, refuse, name)
    if processes:
        _add(rules, pyseccomp.ALLOW, "clone")
    else:
        thread = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)
        other = pyseccomp.Arg(0, pyseccomp.MASKED_EQ, _CLONE_THREAD, 0)
        rules.add_rule(pyseccomp.ALLOW, "clone", thread)
        rules.add_rule(refuse, "clone", other)
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0, os.SEEK_SET)
        return file.read()


def _add(rules: object, action: int, name: str) -> None:
    try:
        rules.add_rule(action, name)  # type: ignore[attr-defined]  # pyseccomp has no types
    except (OSError, ValueError, RuntimeError):
        return  # this architecture, or this libseccomp, does not know the call: it stays at ENOSYS
