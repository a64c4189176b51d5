"""A worker sees nothing but itself, may do nothing but compute, and leaves nothing behind."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from harness import LIMITS, TOKEN, Lab

import autograder
from autograder.checks.student import Student
from autograder.errors import SandboxError
from autograder.sandbox.levels import LEVELS, best_level, missing, require
from autograder.sandbox.start import make_sandbox
from autograder.verdicts import Crashed, OutOfMemory, StudentError, TimedOut
from autograder.worker.confinement import free_folders

LOOK = """
import os

def listed(path):
    try:
        return sorted(os.listdir(path))
    except OSError as error:
        return type(error).__name__

def text(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    except OSError as error:
        return type(error).__name__

def environment():
    return dict(os.environ)

def descriptors():
    return {fd: os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if fd_is_open(int(fd))}

def fd_is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False

def numbers():
    return [os.getpid(), os.getuid(), os.geteuid(), os.getgid(), *os.getgroups()]
"""

CALL = """
import ctypes, errno

libc = ctypes.CDLL(None, use_errno=True)

def call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(arg) for arg in args))
    return errno.errorcode.get(ctypes.get_errno(), "OK") if result < 0 else f"OK {result}"
"""

# Numbers of x86-64, arch/x86/entry/syscalls/syscall_64.tbl.
REFUSED = {
    "socket": (41, 2, 1, 0),
    "socket of unix": (41, 1, 1, 0),
    "bind": (49, 3, 0, 0),
    "fork": (57,),
    "vfork": (58,),
    "execve": (59, 0, 0, 0),
    "ptrace": (101, 0, 0, 0, 0),
    "syslog": (103, 3, 0, 0),
    "setuid": (105, 0),
    "setpgid": (109, 0, 0),
    "setsid": (112,),
    "capset": (126, 0, 0),
    "personality": (135, 0),
    "pivot_root": (155, 0, 0),
    "chroot": (161, 0),
    "mount": (165, 0, 0, 0, 0, 0),
    "umount2": (166, 0, 2),
    "init_module": (175, 0, 0, 0),
    "sched_setaffinity": (203, 0, 8, 0),
    "timer_create": (222, 0, 0, 0),
    "keyctl": (250, 0, 0, 0, 0, 0),
    "unshare": (272, 0x10000000),
    "perf_event_open": (298, 0, 0, -1, -1, 0),
    "setns": (308, 3, 0),
    "process_vm_readv": (310, 1, 0, 0, 0, 0, 0),
    "process_vm_writev": (311, 1, 0, 0, 0, 0, 0),
    "finit_module": (313, 0, 0, 0),
    "seccomp": (317, 1, 0, 0),
    "memfd_create": (319, 0, 0),
    "bpf": (321, 0, 0, 0),
    "execveat": (322, 3, 0, 0, 0, 0),
    "userfaultfd": (323, 0),
    "io_uring_setup": (425, 1, 0),
    "open_tree": (428, 0, 0, 0),
    "fsopen": (430, 0, 0),
    "pidfd_open": (434, 1, 0),
    "pidfd_getfd": (438, 3, 0, 0),
    "mount_setattr": (442, 0, 0, 0, 0, 0),
    "landlock_create_ruleset": (444, 0, 0, 0),
    "memfd_secret": (447, 0),
}


def children(pid: int) -> set[int]:
    """Return the processes that descend from one."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | children(child)
    return found


# -- what a worker sees ----------------------------------------------------------------------------------------------


@pytest.fixture
def look(official: Lab) -> Student:
    return official.student(LOOK)


def test_the_root_folder_holds_the_interpreter_and_the_system_libraries(official: Lab, look: Student) -> None:
    course = official.make()

    system = {"bin", "dev", "etc", "lib", "lib32", "lib64", "libx32", "opt", "proc", "sandbox", "sys", "tmp", "usr"}
    interpreter = {Path(path).resolve().parts[1] for path in (sys.prefix, sys.base_prefix, autograder.__file__)}
    assert set(look.listed("/")) <= system | interpreter
    assert look.text(str(course.path)) == "FileNotFoundError"
    assert look.text(str(Path(__file__))) == "FileNotFoundError"
    assert look.text("/etc/shadow") == "FileNotFoundError"
    assert "root" not in look.text("/etc/passwd")
    assert look.listed("/sandbox") == ["echo.py"]
    assert look.listed("/tmp") in ([], "FileNotFoundError") or str(sys.prefix).startswith("/tmp")
    assert set(look.listed("/dev")) == {
        *("fd", "full", "null", "random", "shm", "stdin", "stdout", "urandom", "zero"),
    }


@pytest.mark.skipif(bool(missing("namespaces")), reason=f"no level namespaces here: {missing('namespaces')}")
def test_an_interpreter_below_tmp_is_found_although_the_root_is_built_there(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    script = """
        import os, sys
        from autograder.worker import confinement as confine
        folders = [*confine.interpreter_folders(), sys.argv[1]]
        confine.interpreter_folders = lambda: folders
        confine.prepare(os.getuid() == 0)
        print(os.listdir(sys.argv[1]))
    """

    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), tmp_path], capture_output=True, text=True)

    assert done.stdout == "['packages']\n", done.stderr


def test_nothing_of_a_home_folder_is_seen_but_the_interpreter(look: Student, tmp_path: Path) -> None:
    secret = Path.home() / f".autograde-test-{os.getpid()}"
    secret.write_text("secret")
    try:
        assert look.text(str(secret)) == "FileNotFoundError"
    finally:
        secret.unlink()


def test_no_other_process_is_seen(official: Lab, look: Student) -> None:
    other = official.student(LOOK)

    assert [name for name in look.listed("/proc") if name.isdigit()] == ["1"]
    assert [name for name in other.listed("/proc") if name.isdigit()] == ["1"]


def test_the_network_is_empty(look: Student) -> None:
    interfaces = [line.partition(":")[0].strip() for line in look.text("/proc/net/dev").splitlines()[2:]]

    assert interfaces == ["lo"]
    assert look.text("/proc/net/tcp").count("\n") == 1


def test_a_worker_has_no_right_left(look: Student) -> None:
    status = dict(line.split(":\t", 1) for line in look.text("/proc/self/status").splitlines())

    assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert look.numbers() == [1, 1000, 1000, 1000, *look.numbers()[4:]]
    assert 0 not in look.numbers()


def test_the_file_systems_cannot_be_written(official: Lab) -> None:
    student = official.student("""
    import os

    def refused(path):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
            return False
        except OSError:
            return True
    """)

    for folder in ("/", "/etc", "/usr/lib", "/proc", "/dev", sys.prefix, str(Path(torch.__file__).parent)):
        assert student.refused(f"{folder}/new"), folder
    assert student.refused(torch.__file__)


def test_the_environment_is_an_allow_list(any_lab: Lab) -> None:
    source = f"""{LOOK}
import glob

def search(word):
    files = glob.glob("/proc/*/environ") + glob.glob("/proc/self/task/*/environ")
    return [path for path in files if word in text(path)]
"""
    assert os.environ["CI_TOKEN"] == TOKEN  # set before the forkserver started

    student = any_lab.student(source)

    assert set(student.environment()) <= {
        *("PATH", "LANG", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE", "HOME", "TMPDIR", "LC_CTYPE"),
        *("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TORCHINDUCTOR_CACHE_DIR"),
        *("KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK"),  # torch sets these
    }
    assert "PATH" in student.text("/proc/self/environ") or any_lab.sandbox.level == "namespaces"
    if any_lab.sandbox.level != "process":  # there other processes of the same user are in sight
        assert student.search(TOKEN) == []


def test_a_worker_holds_the_channel_and_its_standard_streams_only(any_lab: Lab) -> None:
    found = any_lab.student(LOOK).descriptors()

    kinds = {int(fd): target.partition(":")[0] for fd, target in found.items()}
    assert {fd: kind for fd, kind in kinds.items() if fd < 4} == {0: "/dev/null", 1: "pipe", 2: "pipe", 3: "socket"}
    assert found["1"] == found["2"]
    assert len(found) <= 5  # the fifth is the folder that is being listed
    assert all(kind.startswith("/proc") for fd, kind in kinds.items() if fd > 3)


# -- what a worker may do --------------------------------------------------------------------------------------------


@pytest.fixture
def filtered(any_lab: Lab) -> Student:
    if os.uname().machine != "x86_64":
        pytest.skip(f"these are the numbers of x86-64; this is {os.uname().machine}")
    return any_lab.student(CALL)


def test_system_calls_that_no_submission_needs_are_refused(filtered: Student) -> None:
    answers = {name: filtered.call(*call) for name, call in REFUSED.items()}

    assert {name: answer for name, answer in answers.items() if answer != "EPERM"} == {}


def test_the_ways_around_the_filter_are_closed(filtered: Student) -> None:
    assert filtered.call(435, 0, 0) == "ENOSYS"  # clone3, whose flags a filter cannot see
    assert filtered.call(56, 17, 0, 0, 0, 0) == "EPERM"  # clone without CLONE_THREAD, as fork does
    assert filtered.call(157, 22, 2, 0) in ("EPERM", "ENOSYS")  # prctl(PR_SET_SECCOMP)
    assert filtered.call(157, 4, 1) in ("EPERM", "ENOSYS")  # prctl(PR_SET_DUMPABLE)
    assert filtered.call(157, 1, 0) in ("EPERM", "ENOSYS")  # prctl(PR_SET_PDEATHSIG)
    assert filtered.call(72, 3, 10, 18) in ("EPERM", "ENOSYS")  # fcntl(F_SETSIG)
    assert filtered.call(9999) == "ENOSYS"
    with pytest.raises(Crashed):
        filtered.call(0x40000000 + 39)  # getpid of the x32 ABI


def test_processes_are_refused(any_lab: Lab) -> None:
    student = any_lab.student("""
    import multiprocessing, os, subprocess

    def fork():
        os.fork()

    def run():
        subprocess.run(["/bin/true"])

    def pool():
        multiprocessing.get_context("fork").Process(target=print).start()

    def shell():
        return os.system("true")
    """)

    for call in (student.fork, student.run, student.pool):
        with pytest.raises(StudentError) as caught:
            call()
        assert caught.value.type_name == "PermissionError"
    assert student.shell() != 0


def test_processes_may_be_allowed(official: Lab) -> None:
    source = """
    import os

    def fork():
        read, write = os.pipe()
        if os.fork() == 0:
            os.write(write, b"hello")
            os._exit(0)
        os.wait()
        return os.read(read, 5)
    """

    student = official.student(source, limits=replace(LIMITS, processes=4))

    assert student.fork() == b"hello"


def test_threads_work(any_lab: Lab) -> None:
    student = any_lab.student("""
    import concurrent.futures, torch

    def squares(count):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda i: i * i, range(count)))

    def parallel(x):
        torch.set_num_threads(2)
        return (x @ x).sum()
    """)

    assert student.squares(8) == [i * i for i in range(8)]
    assert student.parallel(torch.ones(256, 256)).item() == 256.0**3


def test_signals_reach_nobody_else(any_lab: Lab) -> None:
    student = any_lab.student("""
    import os, signal

    def shoot(pid):
        try:
            os.kill(pid, signal.SIGTERM)
            return "sent"
        except OSError as error:
            return type(error).__name__

    def parent():
        return os.getppid()
    """)

    for pid in (os.getpid(), student.worker.process.pid, student.parent() or 2):
        assert student.shoot(pid) in ("PermissionError", "ProcessLookupError")
    assert student.parent() >= 0


# -- limits, each with a canary that trips it -------------------------------------------------------------------------


def test_the_limit_on_cpu_time_is_tripped(any_lab: Lab) -> None:
    student = any_lab.student("def spin():\n    while True: pass", limits=replace(LIMITS, time_s=0.2))

    with pytest.raises(TimedOut, match="^used up its 0.2 s of CPU time$"):
        student.spin()


def test_the_limit_on_the_wall_clock_is_tripped(any_lab: Lab) -> None:
    limits = replace(LIMITS, time_s=0.25, wall_factor=2.0)
    student = any_lab.student("import time\ndef sleep():\n    time.sleep(60)", limits=limits)

    with pytest.raises(TimedOut, match="s without using its 0.25 s of CPU time$"):
        student.sleep()


def test_limits_hold_for_a_worker_that_has_closed_its_output(any_lab: Lab) -> None:
    source = "import os\ndef hide():\n    os.close(1)\n    os.close(2)\n    while True: pass"
    student = any_lab.student(source, limits=replace(LIMITS, time_s=0.2))

    with pytest.raises(TimedOut):
        student.hide()


def test_work_between_the_calls_counts(any_lab: Lab) -> None:
    source = """
    import threading

    def start():
        threading.Thread(target=spin, daemon=True).start()

    def spin():
        while True:
            pass
    """
    student = any_lab.student(source, limits=replace(LIMITS, time_s=0.2))
    student.start()

    ended = select.select([student.worker.process._pidfd], [], [], 60)[0]

    assert ended
    with pytest.raises(TimedOut):
        student.start()


def test_the_limit_on_memory_is_tripped(any_lab: Lab) -> None:
    source = "import time\ndef take(n):\n    kept = bytearray(b'x') * n\n    time.sleep(60)"
    student = any_lab.student(source, limits=replace(LIMITS, memory_bytes=64 << 20))

    with pytest.raises(OutOfMemory, match="^used more than its 0.0625 GiB of memory$"):
        student.take(128 << 20)


def test_the_kernel_refuses_memory_far_beyond_the_limit(any_lab: Lab) -> None:
    student = any_lab.student(
        "def take(n):\n    return len(bytearray(n))", limits=replace(LIMITS, memory_bytes=1 << 20)
    )

    with pytest.raises(OutOfMemory, match="^asked for more memory than there is$"):
        student.take(2 << 30)


def test_the_limit_on_threads_is_tripped(official: Lab) -> None:
    source = """
    import threading

    def many(count):
        stop, started = threading.Event(), 0
        threads = [threading.Thread(target=stop.wait) for _ in range(count)]
        try:
            for thread in threads:
                thread.start()
                started += 1
        except RuntimeError:
            pass
        stop.set()
        for thread in threads[:started]:
            thread.join()
        return started
    """
    student = official.student(source, limits=replace(LIMITS, threads=8))

    started = student.many(64)

    assert 4 <= started <= 8


def test_the_limit_on_processes_is_tripped_where_they_are_allowed(official: Lab) -> None:
    source = """
    import os, time

    def many():
        children = []
        try:
            while len(children) < 64:
                child = os.fork()
                if child == 0:
                    time.sleep(60)
                    os._exit(0)
                children.append(child)
        except OSError:
            pass
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
        return len(children)
    """
    student = official.student(source, limits=replace(LIMITS, processes=4, threads=4))

    assert 1 <= student.many() <= 8


def test_no_core_is_dumped_and_little_memory_is_locked(any_lab: Lab) -> None:
    student = any_lab.student("""
    import ctypes, mmap, resource

    def limits():
        return [list(resource.getrlimit(kind)) for kind in (resource.RLIMIT_CORE, resource.RLIMIT_MSGQUEUE)]

    def lock():
        memory = mmap.mmap(-1, 8 << 20)
        address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        return ctypes.CDLL(None).mlock(ctypes.c_void_p(address), ctypes.c_size_t(8 << 20))
    """)

    assert student.limits() == [[0, 0], [0, 0]]
    if any_lab.sandbox.level != "process" or os.geteuid() != 0:  # root may lock whatever it likes
        assert student.lock() == -1


def test_the_limit_on_descriptors_is_tripped(any_lab: Lab) -> None:
    student = any_lab.student("""
    import os

    def many():
        opened = []
        try:
            while len(opened) < 10_000:
                opened.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            return len(opened), type(error).__name__
        finally:
            for fd in opened:
                os.close(fd)
    """)

    count, error = student.many()

    assert (200 <= count < 256, error) == (True, "OSError")


def test_the_limit_on_files_is_tripped(official: Lab) -> None:
    student = official.student("""
    import os

    def many():
        try:
            for count in range(100_000):
                os.close(os.open(f"file-{count}", os.O_CREAT | os.O_WRONLY))
        except OSError as error:
            return count, error.strerror
    """)

    count, error = student.many()

    assert (count <= 4096, error) == (True, "No space left on device")


@pytest.mark.parametrize("folder", [".", "/tmp", "/dev/shm"])
def test_the_limit_on_the_disk_is_tripped(official: Lab, folder: str) -> None:
    if folder not in (".", *free_folders()):
        pytest.skip("the interpreter lies below /tmp, which is read-only in a worker then")
    source = """
    def fill(folder):
        size = 0
        try:
            with open(f"{folder}/large", "wb", buffering=0) as file:
                while size < 1 << 30:
                    size += file.write(bytes(1 << 18))
        except OSError as error:
            return size, type(error).__name__
    """
    student = official.student(source, limits=replace(LIMITS, disk_bytes=2 << 20))

    size, error = student.fill(folder)

    assert (1 << 20 <= size <= 2 << 20, error) == (True, "OSError")


def test_a_file_is_limited_where_the_disk_is_not_the_workers_own(any_lab: Lab) -> None:
    source = """
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill():
        with open("large", "wb", buffering=0) as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
    """
    student = any_lab.student(source, limits=replace(LIMITS, disk_bytes=2 << 20))

    with pytest.raises(StudentError) as caught:
        student.fill()

    assert caught.value.type_name == "OSError"


def test_the_limit_on_output_is_tripped(any_lab: Lab) -> None:
    source = "def shout():\n    for _ in range(64):\n        print('x' * 4095)"
    student = any_lab.student(source, limits=replace(LIMITS, output_bytes=4096))

    student.shout()
    student.worker.close()

    assert student.output == "x" * 4095 + "\n" + "\n[output cut here]\n"


def test_the_output_of_a_worker_is_kept_where_another_closed_the_same_descriptor_before(any_lab: Lab) -> None:
    source = """
        import os

        def close():
            os.close(1), os.close(2)

        def say(word):
            print(word)
    """
    for word in ("first", "second", "third"):
        closing = any_lab.workers(source)
        closing.student().close()
        closing.end_all()
        speaking = any_lab.workers(source)
        student = speaking.student()

        student.say(word)

        speaking.end_all()
        assert student.output == word + "\n"


def test_output_arrives_whole_and_in_order(any_lab: Lab) -> None:
    student = any_lab.student("import sys\ndef say(i):\n    print(i)\n    print(i, file=sys.stderr)")

    for i in range(50):
        student.say(i)
    student.worker.close()

    assert student.output.split() == [str(i) for i in range(50) for _ in range(2)]


# -- what stays ------------------------------------------------------------------------------------------------------


def test_nothing_of_a_worker_stays(any_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = any_lab.root / "tmp"
    folder.mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    mounts, before = Path("/proc/self/mounts").read_text(), os.listdir("/proc/self/fd")
    source = "import os, threading\nopen('left', 'w').write('x')\nos.mkdir('deeper')\nopen('deeper/left', 'w')\n"
    student = any_lab.student(f"{source}threading.Thread(target=threading.Event().wait).start()")
    pid = student.worker.process.pid

    student.worker.close()

    assert not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] in "ZX"
    assert list(folder.iterdir()) == []
    assert Path("/proc/self/mounts").read_text() == mounts
    assert len(os.listdir("/proc/self/fd")) <= len(before)


def test_closing_twice_does_nothing(any_lab: Lab) -> None:
    worker = any_lab.worker()

    worker.close()
    worker.close()


def test_a_lost_worker_stays_lost_with_its_first_reason(any_lab: Lab) -> None:
    student = any_lab.student("import os\ndef leave():\n    os._exit(0)")

    for _ in range(2):
        with pytest.raises(Crashed, match="^the worker died before it answered$"):
            student.leave()


def test_a_worker_killed_from_outside_is_a_crash(any_lab: Lab) -> None:
    student = any_lab.student("def f():\n    pass")
    student.worker.process.kill()

    with pytest.raises(Crashed, match="^the worker died before it answered$"):
        student.f()


def test_closing_a_sandbox_ends_its_forkserver() -> None:
    before = children(os.getpid())
    sandbox = make_sandbox("process", ["nothing.of_the_kind"])  # what is not there to be imported is left out
    sandbox.start(LIMITS, seed=0).close()
    assert children(os.getpid()) > before

    sandbox.close()
    sandbox.close()

    assert children(os.getpid()) <= before


def test_nothing_outlives_a_grader() -> None:
    script = """
    import sys
    from autograder.sandbox.start import LEVELS, Limits, make_sandbox
    from autograder.sandbox.levels import missing

    sandboxes = [make_sandbox(level) for level in LEVELS if not missing(level)]
    for sandbox in sandboxes:
        sandbox.launch()
    workers = [sandbox.start(Limits(), seed=0) for sandbox in sandboxes for _ in range(2)]
    for worker in workers[::2]:
        worker.send("load", role="submission", name="spin", source="while True: pass")
    print(*(worker.process.pid for worker in workers), flush=True)
    sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    grader = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert grader.stdin is not None and grader.stdout is not None
    workers = [int(pid) for pid in grader.stdout.readline().split()]
    handles = [os.pidfd_open(pid) for pid in children(grader.pid) | set(workers)]
    assert len(handles) >= len(workers) + len(workers) // 2  # the workers and a forkserver for every two of them

    grader.kill()
    grader.communicate()

    for handle in handles:
        assert select.select([handle], [], [], 30)[0]
        os.close(handle)


def test_fresh_interpreters_do_where_fork_is_not_to_be_had(tmp_path: Path) -> None:
    sandbox = make_sandbox("process", ["numpy"], fresh=True)
    source = """
    import numpy, torch

    def double(x):
        print("doubling")
        return 2 * x

    def change(x):
        x.zero_()

    def spin():
        while True:
            pass
    """
    with Lab(tmp_path, sandbox).ending() as lab:
        student = lab.student(source, limits=replace(LIMITS, time_s=0.5))
        x = torch.ones(3, requires_grad=True)

        (gradient,) = torch.autograd.grad(student.double(x).sum(), x)
        student.change(x.detach())
        changed = student.changed
        with pytest.raises(TimedOut):
            student.spin()

    sandbox.close()
    assert torch.equal(gradient, torch.full((3,), 2.0))
    assert changed == ["argument 1"]
    assert student.output == "doubling\n"


# -- levels ----------------------------------------------------------------------------------------------------------


def test_a_level_that_is_not_to_be_had_is_refused_in_one_line() -> None:
    absent = [level for level in LEVELS if missing(level)]
    if not absent:
        pytest.skip("this machine has every level")

    with pytest.raises(SandboxError) as caught:
        require(absent[0])

    assert str(caught.value) == (
        f"sandbox: level {absent[0]} is not available here: {missing(absent[0])}; "
        f"`autograde doctor` tells more, --sandbox {best_level()} grades at the level that there is"
    )


def test_there_is_no_other_level() -> None:
    assert missing("cloud") == "there is no level 'cloud'; expected one of namespaces, user, process"
