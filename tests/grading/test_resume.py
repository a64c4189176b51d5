"""Whatever is killed, and however often: the same command goes on, and what comes of it is as if nothing had been."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from harness import RIGHT, Lab

from autograder.course.loading import load_course
from autograder.grading.report_store import store_url

STUDENTS = int(os.environ.get("AUTOGRADE_STUDENTS", "8"))
KILLS = int(os.environ.get("AUTOGRADE_KILLS", "4"))
"""`make kills` asks for 60 students and 50 kills."""
MANY = 60
"""So many that they are not all graded before a key is pressed."""


def grading(root: Path) -> subprocess.Popen[str]:
    """Start the command in a process group of its own, with a folder of its own for temporary files."""
    (root / "tmp").mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "autograder.cli.main",
        "grade",
        "echo",
        "class",
        "--jobs",
        "2",
        "--sandbox",
        "auto",
    ]
    return subprocess.Popen(
        [*command, "--json", "out.json"],
        cwd=root,
        env={**os.environ, "TMPDIR": str(root / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def write_class(lab: Lab, students: int = STUDENTS) -> None:
    lab.make()
    for number in range(students):
        source = RIGHT if number % 3 else RIGHT.replace("2 * x", "3 * x")
        lab.write(f"class/student{number:02}.py", f"{source}\n# {number}\n")


def scores(path: Path) -> list[tuple[str, float, Sequence[str]]]:
    return [
        (entry["student"], entry["score"], [check["verdict"] for check in entry["checks"]])
        for entry in json.loads(path.read_text())["submissions"]
    ]


def family(pid: int) -> list[psutil.Process]:
    """Return a process with all that it started."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def ended(processes: Sequence[psutil.Process]) -> bool:
    """Wait until processes are gone; say whether they are."""
    _, alive = psutil.wait_procs(processes, timeout=30)
    return not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def test_kills_at_random_moments_change_nothing(lab: Lab, tmp_path: Path) -> None:
    write_class(lab)
    other = Lab(tmp_path / "undisturbed", lab.sandbox)
    write_class(other)
    undisturbed = grading(other.root)
    choice = random.Random(20)
    running = grading(lab.root)
    seen: dict[int, psutil.Process] = {}
    kills = 0
    while kills < KILLS:
        time.sleep(choice.uniform(0.05, 1.5))
        alive = family(running.pid)
        seen |= {process.pid: process for process in alive}
        if running.poll() is not None:
            running.communicate()
            if running.returncode != -signal.SIGKILL:
                (lab.root / ".autograde" / "reports.db").unlink()  # all is graded: once more from the start
            running = grading(lab.root)
            continue
        victim = choice.choice(alive)
        try:
            victim.send_signal(signal.SIGKILL)
            kills += 1
        except psutil.NoSuchProcess:
            continue
    running.communicate(timeout=300)
    if running.returncode == -signal.SIGKILL:
        running = grading(lab.root)
        running.communicate(timeout=300)
    undisturbed.communicate(timeout=300)

    assert running.returncode == undisturbed.returncode == 0
    assert scores(lab.root / "out.json") == scores(other.root / "out.json")
    assert ended(list(seen.values()))
    assert list((lab.root / "tmp").iterdir()) == []


def test_a_key_press_ends_it_in_words_and_the_same_command_goes_on(lab: Lab) -> None:
    write_class(lab, MANY)
    running = grading(lab.root)
    assert running.stderr is not None
    first = running.stderr.readline()
    seen = family(running.pid)

    os.killpg(running.pid, signal.SIGINT)
    _, said = running.communicate(timeout=60)
    kept = said.splitlines()[-1]
    again = grading(lab.root)
    _, said_again = again.communicate(timeout=300)

    assert first.startswith("student")
    assert running.returncode == 130
    assert "Traceback" not in said
    done = int(kept.removeprefix("autograde: stopped; ").split()[0])
    assert kept == f"autograde: stopped; {done} of {MANY} are graded and kept; the same command goes on with the others"
    assert ended(seen)
    assert (again.returncode, len(said_again.splitlines())) == (0, MANY)
    assert len(scores(lab.root / "out.json")) == MANY


def test_what_is_kept_is_not_graded_again(lab: Lab) -> None:
    write_class(lab)
    first = grading(lab.root)
    first.communicate(timeout=300)
    before = [entry["seconds"] for entry in json.loads((lab.root / "out.json").read_text())["submissions"]]

    second = grading(lab.root)
    second.communicate(timeout=300)

    after = [entry["seconds"] for entry in json.loads((lab.root / "out.json").read_text())["submissions"]]
    assert after == before
    assert store_url(load_course(lab.root / "course.yml")).endswith("/.autograde/reports.db")
