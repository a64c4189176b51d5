"""A Dask cluster grades like this machine: the course travels once, submissions as bytes, and workers may die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner
from harness import CHECKS, RIGHT, Lab

from autograder.cli.main import main
from autograder.course.bundle import pack_course, unpack_course
from autograder.course.loading import load_course
from autograder.errors import CourseError
from autograder.grading.executor import grade_all
from autograder.grading.job import Job
from autograder.grading.report_store import Reuse, store_url
from autograder.sandbox.levels import best_level
from autograder.submission.reading import Submission, read_submission

pytest.importorskip("distributed", reason="distributed is not installed")
_START_S = 60

# Ends the Dask worker under which it is graded, the grading process's parent, for one submission.
DEADLY = CHECKS.replace(
    '    """Echo returns what it got."""\n',
    '    """Echo returns what it got."""\n    if "# eve" in student._workers.sources.submission:\n'
    "        os.kill(os.getppid(), signal.SIGKILL)\n",
).replace("import torch\n", "import os\nimport signal\n\nimport torch\n", 1)


@dataclass
class Cluster:
    """A scheduler and workers, each a process with a folder of its own.

    Attributes:
        folder: Where their folders lie.
        scheduler: The scheduler's process.
        workers: The workers' processes.
    """

    folder: Path
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """The scheduler file."""
        return str(self.folder / "scheduler.json")

    def add_worker(self, *options: str) -> None:
        """Start a worker of one thread; it knows no course."""
        place = self.folder / f"worker{len(self.workers)}"
        place.mkdir()
        self.workers.append(
            start(
                "worker",
                "--nthreads=1",
                "--no-nanny",
                "--no-dashboard",
                f"--local-directory={place}",
                *options,
                f"--scheduler-file={self.address}",
                folder=place,
            )
        )


def start(kind: str, *options: str, folder: Path) -> subprocess.Popen[bytes]:
    """Start a scheduler or worker of Dask's, in a folder, with an environment that names no secret and no course.

    Copies of scattered data are dropped at once, so that nothing can rely on them.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTOGRADE")}
    environment["DASK_DISTRIBUTED__SCHEDULER__ACTIVE_MEMORY_MANAGER__INTERVAL"] = "20ms"
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host=127.0.0.1", *options],
        cwd=folder,
        env={**environment, "DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "critical"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    file = folder / "scheduler.json"
    scheduler = start("scheduler", "--port=0", "--no-dashboard", f"--scheduler-file={file}", folder=folder)
    own = Cluster(folder, scheduler)
    deadline = time.monotonic() + _START_S
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield own
    for process in (*own.workers, scheduler):
        process.kill()
        process.wait()


def ready(cluster: Cluster, count: int) -> None:
    """Wait until so many workers have come."""
    from distributed import Client

    with Client(scheduler_file=cluster.address, set_as_default=False) as client:
        client.wait_for_workers(count, timeout=_START_S)


def submissions(lab: Lab, *names: str) -> list[Submission]:
    return [
        read_submission(lab.write(f"class/{name}.py", f"{RIGHT}\n# {name}\n"), name="echo", student=name)
        for name in names
    ]


def test_a_bundle_holds_what_grading_needs_and_no_kept_submission(lab: Lab, tmp_path: Path) -> None:
    course = lab.make(hidden=CHECKS.replace("check_echo", "check_more").replace("check_twice", "check_again"))
    lab.write("solutions/echo/wrong/off.py", "FAILS = []\n")
    lab.write("solutions/echo/echo.py", RIGHT)

    bundle = pack_course(course)
    copy = load_course(unpack_course(bundle, tmp_path / "elsewhere"))

    assert bundle == pack_course(course)
    assert sorted(path.relative_to(copy.root).as_posix() for path in copy.root.rglob("*") if path.is_file()) == [
        "assignments/echo/README.md",
        "assignments/echo/check_echo.py",
        "assignments/echo/echo.py",
        "course.yml",
        "solutions/echo/check_echo_hidden.py",
        "solutions/echo/echo.py",
    ]
    assert copy.assignment("echo").check_names() == ["echo", "twice", "more", "again"]


def test_a_cluster_gives_the_same_reports_and_one_that_dies_costs_nobody_a_grade(lab: Lab, cluster: Cluster) -> None:
    for _ in range(2):
        cluster.add_worker("--resources=timing=1")
    course = lab.make()
    everybody = submissions(lab, *(f"student{number}" for number in range(8)))
    job, reuse = Job(course.path, "echo", best_level()), Reuse(store_url(course))
    ready(cluster, 2)

    graded = grade_all(job, everybody, reuse=reuse, scheduler=cluster.address)
    reports = [next(graded)[1]]
    cluster.workers[0].kill()
    reports += [report for _, report in graded]
    here = dict(grade_all(job, everybody))
    again = dict(grade_all(job, everybody, reuse=reuse))

    assert sorted((report.student, report.score, report.seed) for report in reports) == [
        (report.student, report.score, report.seed) for report in here.values()
    ]
    assert {report.seconds for report in again.values()} == {round(report.seconds, 3) for report in reports}
    assert all(report.score == 3 for report in reports)


def test_what_ends_three_workers_is_a_verdict_and_no_fourth(lab: Lab, cluster: Cluster) -> None:
    for _ in range(5):
        cluster.add_worker()
    course = lab.make(DEADLY)
    ready(cluster, 5)

    reports = {
        report.student: report
        for _, report in grade_all(
            Job(course.path, "echo", best_level()), submissions(lab, "ada", "eve", "bob"), scheduler=cluster.address
        )
    }

    assert {name: report.score for name, report in reports.items()} == {"ada": 3, "bob": 3, "eve": 0}
    assert {check.message for check in reports["eve"].checks} == {
        "grading it ended the grading process 3 times; your instructor must review it"
    }
    assert sum(worker.poll() == -signal.SIGKILL for worker in cluster.workers) == 3


def test_the_command_grades_on_a_cluster(lab: Lab, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.add_worker()
    lab.make()
    submissions(lab, "ada", "bob")
    ready(cluster, 1)
    monkeypatch.chdir(lab.root)

    done = CliRunner().invoke(
        main, ["grade", "echo", "class", "--executor", "dask", "--scheduler", cluster.address, "--sandbox", "auto"]
    )

    assert done.exit_code == 0, done.output
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["student", "score"],
        ["ada", "3/3"],
        ["bob", "3/3"],
    ]


def test_a_scheduler_that_is_not_there_is_said_in_one_line(lab: Lab) -> None:
    course = lab.make()

    with pytest.raises(CourseError) as caught:
        list(grade_all(Job(course.path, "echo", "process"), submissions(lab, "ada"), scheduler="nowhere"))

    assert str(caught.value).startswith("--scheduler nowhere: cannot be reached (")
    assert str(caught.value).endswith("start one with `dask scheduler`")


def test_a_cluster_without_workers_is_said_in_one_line(lab: Lab, cluster: Cluster) -> None:
    course = lab.make()

    with pytest.raises(CourseError) as caught:
        list(grade_all(Job(course.path, "echo", "process"), submissions(lab, "ada"), scheduler=cluster.address))

    assert str(caught.value) == ("the cluster has no workers; expected one or more; start them with `dask worker`")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--executor", "dask"], "--executor dask: no --scheduler; expected its address, such as tcp://10.0.0.1:8786"),
        (
            ["--executor", "local", "--scheduler", "x"],
            "--executor local: --scheduler is named, too; expected one of the",
        ),
    ],
)
def test_options_that_do_not_go_together_are_said_in_one_line(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    lab.make()
    monkeypatch.chdir(lab.root)

    done = CliRunner().invoke(main, ["grade", "echo", "assignments/echo", "--sandbox", "auto", *options])

    assert done.exit_code == 2
    assert done.stderr.startswith(f"autograde: {words}")
