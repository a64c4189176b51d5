"""The gradebook and the store of reports in a PostgreSQL of the test's own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from glob import glob
from pathlib import Path

import pytest
from exchange_world import lines_of, make_course
from nbgrader.api import Gradebook
from sqlalchemy.exc import SAWarning

from autograder.course.loading import load_course
from autograder.grading.report_store import STORE_VARIABLE
from autograder.nbgrader.config import GRADEBOOK_VARIABLE
from autograder.nbgrader.gradebook.writing import Standing, standings
from autograder.sandbox.levels import best_level

RIGHT = "def echo(x):\n    return x.clone()\n\ndef twice(x):\n    return 2 * x\n"
NOBODY = 65534
_OPTIONS = "-c listen_addresses='' -c fsync=off -c max_connections=20"


def programs() -> Path | None:
    """Return the folder of PostgreSQL's newest programs."""
    found = sorted(glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(path.split("/")[4]))
    there = found[-1] if found else shutil.which("initdb")
    return Path(there).parent if there else None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server that listens on a socket in a folder of its own, and return the URL of a database in it."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    folder = programs()
    if folder is None:
        pytest.skip("PostgreSQL is not installed (no initdb)")
    as_root = os.geteuid() == 0
    # PostgreSQL refuses root, and pytest's folders are closed to others; the name of a socket is short.
    root = Path(subprocess.check_output(["mktemp", "-d", "/tmp/pg.XXXXXX"], text=True).strip())
    if as_root:
        os.chown(root, NOBODY, NOBODY)

    def run(program: str, *arguments: str) -> None:
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_root else {}
        done = subprocess.run(
            [str(folder / program), *arguments],
            cwd=root,
            env={"PATH": os.environ["PATH"], "HOME": str(root), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=120,
            check=False,
            **identity,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}"

    try:
        run("initdb", "-D", str(root / "data"), "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync")
        run("pg_ctl", "-D", str(root / "data"), "-l", str(root / "log"), "-w", "-o", f"{_OPTIONS} -k {root}", "start")
        try:
            run("createdb", "-h", str(root), "-U", "grader", "grades")
            yield f"postgresql+psycopg://grader@/grades?host={root}"
        finally:
            run("pg_ctl", "-D", str(root / "data"), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(root, ignore_errors=True)


def test_grades_go_into_a_postgresql_and_come_out_of_it(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GRADEBOOK_VARIABLE, server)
    monkeypatch.setenv(STORE_VARIABLE, server)
    world = make_course(tmp_path / "world", level=best_level(), due={"echo": "2030-01-31 23:59"})
    lines_of(world.instructor("build"))
    lines_of(world.instructor("release", "echo"))
    released = json.loads((world.course / "release" / "echo" / "echo.ipynb").read_text())
    for student, source in (("ada", RIGHT), ("bob", RIGHT.replace("2 * x", "3 * x"))):
        folder = world.course / "submitted" / student / "echo"
        folder.mkdir(parents=True)
        (folder / "echo.ipynb").write_text(json.dumps(released))
        (folder / "echo.py").write_text(source)
        (folder / "timestamp.txt").write_text("2030-02-02 12:00:00.000000 UTC")

    first = world.instructor("grade", "echo")
    second = world.instructor("grade", "echo")

    told = "next: `autograde release-feedback echo` gives it back to the students"
    assert first.stderr.splitlines()[-2:] == ["echo: 2 written to the gradebook, 0 there already", told]
    assert second.stderr.splitlines() == [
        *("ada: 3/3", "bob: 2/3", "echo: 0 written to the gradebook, 2 there already"),
        told,
    ]
    course = load_course(world.course / "course.yml")
    assert standings(course, "echo") == {"ada": Standing(3.0, 3.0 * 0.1), "bob": Standing(2.0, 2.0 * 0.1)}
    assert not (world.course / "gradebook.db").exists()
    assert not (world.course / ".autograde" / "reports.db").exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SAWarning)
        with Gradebook(server, "made_up") as book:
            assert book.find_grade("twice", "echo", "echo", "bob").auto_score == 0.0
