"""A notebook's checks judge the code as it stands in the kernel, in a process of their own."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import harness as lab
import pytest

from autograder.authoring.notebooks import write_notebooks
from autograder.course.loading import load_course
from autograder.jupyter.cells import SESSION, Run, current_code, find_notebook
from autograder.jupyter.client import Helper
from autograder.jupyter.helper import Desk
from autograder.jupyter.show import Screen
from autograder.report.model import CheckResult

HIDDEN = '''
"""Hidden checks for echo."""

from autograder import Student, points


@points(2, hint="think of nothing")
def check_empty(student: Student) -> None:
    """Echo returns nothing for nothing."""
'''
CHECKS = (
    lab.CHECKS
    + '''

@points(1, needs="any")
def check_own(student: Student) -> None:
    """Nothing is borrowed."""
'''
)
SPLIT_STUB = """
# %%
import torch

# %%
def echo(x):
    raise NotImplementedError("echo")

# %%
def twice(x):
    raise NotImplementedError("twice")
"""
ECHO = "def echo(x):\n    return x.clone()"
TWICE = "def twice(x):\n    return 2 * x"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as a student has it: one assignment, its notebook and its public checks."""
    root = tmp_path_factory.mktemp("course")
    files = {
        "course.yml": lab.COURSE.format(level="process"),
        "assignments/echo/echo.py": SPLIT_STUB,
        "assignments/echo/README.md": "# Echo\n",
        "assignments/echo/check_echo.py": CHECKS,
        "solutions/echo/check_echo_hidden.py": HIDDEN,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.lstrip("\n"), encoding="utf-8")
    write_notebooks(load_course(root / "course.yml").assignments)
    student = tmp_path_factory.mktemp("student")
    for name in ("course.yml", "assignments/echo/check_echo.py", "assignments/echo/echo.ipynb"):
        (student / Path(name).name).write_bytes((root / name).read_bytes())
    return student


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    """Return a process that grades, and end it."""
    helper = Helper()
    yield helper
    helper.close()


def ask(helper: Helper, folder: Path, source: str, check: str | None, **other: Any) -> dict[str, Any]:
    request = {
        "assignment": "echo",
        "folder": str(folder),
        "notebook": str(folder / "echo.ipynb"),
        "source": source,
        "digest": f"sha256:{hash(source)}",
        "check": check,
    }
    return helper.ask(request | other, lambda words: None)


def notebook_file(path: Path, *cells: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}))
    return path


def cell(source: str, cell_id: str, **metadata: Any) -> dict[str, Any]:
    return {"id": cell_id, "cell_type": "code", "source": source, "metadata": metadata, "outputs": []}


def code(path: Path | None, *runs: Run) -> str:
    return current_code(path, runs, where="echo.ipynb").source


def lines(source: str) -> list[str]:
    return [line for line in source.splitlines() if line and not line.startswith("#")]


LATER = time.time() + 1000


def test_a_cell_counts_as_it_last_ran(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("a = 1", "one"), cell("b = 1", "two"))

    source = code(path, Run("a = 2", "one", LATER), Run("a = 3", "one", LATER))

    assert lines(source) == ["a = 3", "b = 1"]


def test_a_locked_cell_counts_for_nothing_whatever_ran_under_its_id(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("check('a')", "one", nbgrader={"locked": True}))

    assert lines(code(path, Run("a = 2", "one", LATER))) == []


def test_cells_that_are_not_saved_yet_follow_in_the_order_of_their_first_run(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("a = 1", "one"))
    runs = [Run("c = 1", "new", LATER), Run("d = 1", "newer", LATER), Run("c = 2", "new", LATER)]

    assert lines(code(path, *runs)) == ["a = 1", "c = 2", "d = 1"]


def test_a_cell_that_was_deleted_before_the_notebook_was_saved_is_gone(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("a = 1", "one"))

    assert lines(code(path, Run("c = 1", "gone", 0.0))) == ["a = 1"]


def test_a_cell_that_was_saved_after_it_ran_is_named(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("a = 1", "one"))

    found = current_code(path, [Run("a = 2", "one", 0.0)], where="echo.ipynb")

    assert lines(found.source) == ["a = 2"]
    assert found.notes == ("code cell 1 was changed after it last ran, and here counts what ran; run it again",)


def test_without_cell_ids_a_cell_is_known_by_its_text(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("a = 1", "one"), cell("b = 1", "two"))

    assert lines(code(path, Run("b = 1", None, LATER), Run("c = 1", None, LATER))) == ["a = 1", "b = 1", "c = 1"]


def test_an_earlier_version_of_a_cell_does_not_come_back(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("def f(): return 0", "one"))
    runs = [Run("def f(): return 1", None, LATER), Run("def f(): return 2", "one", LATER)]

    assert lines(code(path, *runs)) == ["def f(): return 2"]


def test_the_saved_version_of_a_cell_that_ran_before_does_not_come_back(tmp_path: Path) -> None:
    path = notebook_file(tmp_path / "echo.ipynb", cell("print(1)", "one"), cell("a = 1", "two"))
    runs = [Run("print(1)", None, LATER), Run("a = 2", None, LATER), Run("print(2)", "one", LATER)]

    assert lines(code(path, *runs, Run("a = 3", "two", LATER))) == ["print(2)", "a = 3"]


def test_without_a_file_all_that_ran_counts_but_the_calls_of_checks() -> None:
    runs = [
        Run("from autograder.jupyter import checks\n\ncheck = checks('echo')", "set-up", 1.0),
        Run("a = 1", "one", 1.0),
        Run("check('values')  # values", "two", 1.0),
    ]

    assert lines(code(None, *runs)) == ["a = 1"]


def test_the_notebook_is_the_one_of_the_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SESSION, raising=False)
    plain = notebook_file(tmp_path / "echo.ipynb")
    renamed = notebook_file(tmp_path / "my echo.ipynb")

    assert find_notebook("echo") == plain
    assert find_notebook("other") is None
    monkeypatch.setenv(SESSION, "course/my echo.ipynb")
    assert find_notebook("echo") == renamed
    monkeypatch.setenv(SESSION, "echo.py")
    assert find_notebook("echo") is None


def test_a_check_is_graded_by_a_process_of_its_own(helper: Helper, folder: Path) -> None:
    (right,) = ask(helper, folder, ECHO, "echo")["report"]["checks"]
    (wrong,) = ask(helper, folder, "def echo(x):\n    print('<b>')\n    return 0 * x", "echo")["report"]["checks"]

    assert (right["verdict"], right["score"]) == ("passed", 2.0)
    assert (wrong["verdict"], wrong["score"], wrong["output"]) == ("failed", 0.0, "<b>\n")


def test_the_second_answer_comes_at_once(helper: Helper, folder: Path) -> None:
    ask(helper, folder, ECHO, "echo")
    # It takes a tenth of a second; to start anew takes many, and this machine may be busy.
    started = time.perf_counter()
    ask(helper, folder, f"{ECHO}\n", "echo")

    assert time.perf_counter() - started < 5


def test_all_public_checks_run_together(helper: Helper, folder: Path) -> None:
    report = ask(helper, folder, ECHO, None)["report"]

    assert [(check["name"], check["score"]) for check in report["checks"]] == [
        ("echo", 2.0),
        ("twice", 0.0),
        ("own", 1.0),
    ]
    assert (report["score"], report["max_score"], report["seed"], report["flags"]) == (3.0, 4.0, "", [])


@pytest.mark.parametrize("times", [1, 2])
def test_what_was_killed_from_outside_is_graded_again(folder: Path, tmp_path: Path, times: int) -> None:
    killing = """
@points(1)
def check_killed(student: Student) -> None:
    \"\"\"It is killed by somebody else.\"\"\"
    import os, pathlib, signal

    count = pathlib.Path({count!r})
    if len(count.read_text()) < {times}:
        count.write_text(count.read_text() + "x")
        os.kill(student.worker.process.pid, signal.SIGKILL)
    x = torch.ones(4)
    assert_close(student.echo(x), x)
"""
    course, count = tmp_path / "course", tmp_path / "count"
    shutil.copytree(folder, course)
    count.write_text("")
    checks = course / "check_echo.py"
    checks.write_text(checks.read_text() + killing.format(count=str(count), times=times))
    helper = Helper()

    (check,) = ask(helper, course, ECHO, "killed", notebook=str(course / "echo.ipynb"))["report"]["checks"]
    helper.close()

    assert (check["verdict"], check["score"], count.read_text()) == ("passed", 1.0, "x" * times)


def test_a_grader_that_is_idle_gives_its_core_back_and_starts_again(folder: Path) -> None:
    replies = io.StringIO()
    desk = Desk(replies, idle_s=0.0)
    request = {"assignment": "echo", "folder": str(folder), "notebook": "", "source": ECHO, "digest": "sha256:1"}

    before = os.sched_getaffinity(0)
    first = desk.answer({**request, "check": "echo"})["report"]["checks"]
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.join()
    idle = os.sched_getaffinity(0)
    second = desk.answer({**request, "check": "echo"})["report"]["checks"]
    desk.close()

    assert idle == before
    assert [check["verdict"] for check in (*first, *second)] == ["passed", "passed"]


def test_a_check_that_needs_another_one_brings_it_along(helper: Helper, folder: Path) -> None:
    def own(source: str) -> Any:
        report = ask(helper, folder, source, "own")["report"]
        return next(check["verdict"] for check in report["checks"] if check["name"] == "own")

    assert own(TWICE) == "passed"
    assert own("x = 1") == "failed"


def test_a_hidden_check_says_when_it_runs(helper: Helper, folder: Path) -> None:
    assert ask(helper, folder, ECHO, "empty") == {"hidden": "empty: runs when your work is graded (2 points)"}


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("ecco", "echo: there is no check 'ecco'; did you mean 'echo'?"),
        ("nonsense", "echo: there is no check 'nonsense'; expected one of echo, twice, own, empty"),
    ],
)
def test_an_unknown_check_gets_one_line_with_the_names_there_are(
    helper: Helper, folder: Path, check: str, said: str
) -> None:
    assert ask(helper, folder, ECHO, check) == {"error": said}


def test_outside_of_a_course_there_is_one_line(helper: Helper, tmp_path: Path) -> None:
    said = f"{tmp_path}: in no course; expected a course.yml here or in a folder above; "
    assert ask(helper, tmp_path, ECHO, "echo") == {
        "error": said + "change to the folder of a course, or name its course.yml"
    }


def test_what_a_submission_says_is_never_markup(capsys: pytest.CaptureFixture[str]) -> None:
    check = CheckResult(
        "echo",
        "Echo returns what it got",
        2.0,
        0.0,
        "failed",
        "got <script>alert(1)</script>\x1b[2J",
        hint="look twice",
        output="<img src=x>\n$x$",
    )
    shown: list[dict[str, str]] = []

    class Handle:
        def update(self, bundle: dict[str, str], *, raw: bool) -> None:
            shown.append(bundle)

    screen = Screen("echo: running …")
    screen.result(check, ["a note"])
    printed = capsys.readouterr().out
    screen._handle = Handle()
    screen.result(check, ["a note"])

    html = shown[0]["text/html"]
    assert "<script" not in html and "<img" not in html and "\x1b" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b[2J" in html
    assert printed == shown[0]["text/plain"] + "\n"
    assert printed.splitlines() == [
        "echo: failed, 0 of 2 points  (Echo returns what it got)",
        "  got <script>alert(1)</script>\\x1b[2J",
        "  hint: look twice",
        "  it printed:",
        "  | <img src=x>",
        "  | $x$",
        "note: a note",
    ]


def test_the_kernel_imports_nothing_heavy() -> None:
    program = (
        "import sys; import autograder.jupyter; print(*{'torch', 'numpy', 'pytest', 'pydantic'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""


class Kernel:
    """A kernel as a front end drives it."""

    def __init__(self, folder: Path) -> None:
        manager = pytest.importorskip("jupyter_client.manager")
        environment = {name: value for name, value in os.environ.items() if name != SESSION}
        self.manager, self.client = manager.start_new_kernel(
            kernel_name="python3", cwd=str(folder), env=environment, startup_timeout=100
        )

    def run(self, source: str, cell_id: str | None = None) -> list[dict[str, Any]]:
        """Run a cell and return the contents of its outputs."""
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        request = self.client.session.msg(
            "execute_request", content, metadata={"cellId": cell_id} if cell_id is not None else {}
        )
        self.client.shell_channel.send(request)
        outputs = []
        while True:
            message = self.client.get_iopub_msg(timeout=100)
            if message["parent_header"].get("msg_id") != request["header"]["msg_id"]:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                self.client.get_shell_msg(timeout=100)
                return outputs
            if message["msg_type"] in ("display_data", "update_display_data", "error", "stream", "execute_result"):
                outputs.append({"type": message["msg_type"], **message["content"]})


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Kernel]:
    """Return a kernel in a student's folder, its set-up cell run."""
    pytest.importorskip("ipykernel")
    kernel = Kernel(folder)
    try:
        kernel.run(TWICE)  # before the set-up, when only IPython looks on
        kernel.run('from autograder.jupyter import checks\n\ncheck = checks("echo")', "setup")
        yield kernel
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel()


def test_a_failed_check_fails_its_cell_in_one_line(kernel: Kernel) -> None:
    *shown, error = kernel.run('check("echo")', "check-echo")

    assert error["type"] == "error"
    said = error["evalue"]
    assert said.startswith("echo: raised: ") and "NotImplementedError" in said and "\n" not in said
    assert (error["ename"], error["traceback"]) == ("CheckFailed", [said])
    assert said.removeprefix("echo: raised: ") in shown[-1]["data"]["text/plain"]
    assert {output["type"] for output in shown} == {"display_data", "update_display_data"}


def test_an_edited_cell_counts_without_being_saved(kernel: Kernel, folder: Path) -> None:
    cells = json.loads((folder / "echo.ipynb").read_text())["cells"]
    (cell_id,) = (cell["id"] for cell in cells if "def echo" in "".join(cell["source"]))

    kernel.run(ECHO, cell_id)
    outputs = kernel.run('check("echo")', "check-echo")

    assert all(output["type"] != "error" for output in outputs)
    assert outputs[-1]["data"]["text/plain"] == "echo: passed, 2 of 2 points  (Echo returns what it got)"


def test_a_cell_that_ran_before_the_set_up_counts(kernel: Kernel) -> None:
    outputs = kernel.run('check("twice")', "check-twice")

    assert outputs[-1]["data"]["text/plain"] == "twice: passed, 1 of 1 point  (Twice returns double of what it got)"


def test_a_table_tells_of_all_public_checks(kernel: Kernel) -> None:
    outputs = kernel.run("check()", "check-all")

    assert outputs[-1]["data"]["text/plain"].splitlines()[0].split() == ["echo", "2/2", "passed"]
    assert outputs[-1]["data"]["text/plain"].splitlines()[-1] == "4 of 4 points"
    assert "<table>" in outputs[-1]["data"]["text/html"]


def test_a_hidden_checks_cell_tells_and_passes(kernel: Kernel) -> None:
    outputs = kernel.run('check("empty")', "check-empty")

    assert all(output["type"] != "error" for output in outputs)
    assert outputs[-1]["data"]["text/plain"] == "empty: runs when your work is graded (2 points)"


def test_a_mistake_in_the_call_is_one_line(kernel: Kernel) -> None:
    *_, unknown = kernel.run('check("nonsense")')
    *_, no_text = kernel.run("check(echo)")

    assert unknown["traceback"] == ["echo: there is no check 'nonsense'; expected one of echo, twice, own, empty"]
    assert len(no_text["traceback"]) == 1
    assert no_text["traceback"][0].startswith("check() takes the name of a check in quotes, not <function echo at ")


def test_a_notebook_that_is_validated_from_disk_fails_where_a_check_does(folder: Path, tmp_path: Path) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    for name in ("course.yml", "check_echo.py"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    text = (folder / "echo.ipynb").read_text(encoding="utf-8")
    path = tmp_path / "echo.ipynb"
    path.write_text(text.replace('raise NotImplementedError(\\"echo\\")', "return x.clone()"), encoding="utf-8")
    notebook = nbformat.read(path, as_version=4)

    client = nbclient.NotebookClient(notebook, kernel_name="python3", allow_errors=True, timeout=100)
    client.execute(cwd=str(tmp_path))

    failed = {
        cell.metadata.nbgrader.grade_id
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }
    assert failed == {"twice"}
