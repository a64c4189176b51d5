"""Attacks on the engine earn nothing, and leave the machine, the course and the next submission as they were.

`make attacks` grades all of them and prints a table; here the slow ones are left out (AUTOGRADE_ATTACKS=all keeps them).
"""

from __future__ import annotations

import gc
import hashlib
import io
import os
import re
import resource
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
import torch
from attacks.kept import FIELDS, Attack, engine_attacks
from harness import LIMITS, RIGHT, Lab
from rich.console import Console

from autograder.nbgrader.judging.feedback_cells import outputs
from autograder.report.model import Report, to_json
from autograder.report.terminal import show_report
from autograder.sandbox.start import Sandbox

ATTACKS = engine_attacks(quick=os.environ.get("AUTOGRADE_ATTACKS") != "all")
TIGHT = replace(LIMITS, time_s=1.0, memory_bytes=256 << 20, disk_bytes=4 << 20)
POINTS = {"echo": 2.0, "twice": 1.0}
MOST_MEMORY_BYTES = 512 << 20  # what a grader may have left over after an attack that took all there is

# What the attacks leave where they can, and where that would be seen.
LEFT = ("word-of-an-attack", "bomb-large", "bomb-many", "conftest.py", "planted.pth", "root-of-all", "results.json")
OUTSIDE = ("/", "/tmp", "/dev/shm", "/var/tmp", "/run", str(Path.home()), str(Path(torch.__file__).parents[1]))
KEY = "4711"


@dataclass(frozen=True)
class Machine:
    """What an attack could have changed around itself."""

    descriptors: int
    threads: int
    processes: frozenset[int]
    mounts: str
    shared: tuple[str, ...]
    files: dict[str, str]
    temporary: frozenset[str]
    left: frozenset[str]
    limits: tuple[tuple[int, int], ...]
    cores: frozenset[int]
    priority: int
    folder: str
    variables: dict[str, str]
    flags: tuple[object, ...]


def descendants(pid: int) -> set[int]:
    """Return the processes that descend from one."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found |= {child} | descendants(child)
    return {child for child in found if state(child) not in "ZX"}


def state(pid: int) -> str:
    """Return the letter by which the kernel tells what a process does; X for one that is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return "X"


def machine(course: Path, temporary: Path) -> Machine:
    """Look at all that an attack could have changed."""
    gc.collect()
    kept = [path for path in sorted(course.rglob("*")) if path.is_file() and "submissions" not in path.parts]
    return Machine(
        descriptors=len(os.listdir("/proc/self/fd")),
        threads=threading.active_count(),
        processes=frozenset(descendants(os.getpid())),
        mounts=Path("/proc/self/mounts").read_text(),
        shared=tuple(
            kind for kind in ("shm", "sem", "msg") if KEY in Path(f"/proc/sysvipc/{kind}").read_text().split()
        ),
        files={str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept},
        temporary=frozenset(path.name for path in temporary.iterdir()),
        left=frozenset(f"{folder}/{name}" for folder in OUTSIDE for name in LEFT if Path(folder, name).exists()),
        limits=tuple(
            resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")
        ),
        cores=frozenset(os.sched_getaffinity(0)),
        priority=os.getpriority(os.PRIO_PROCESS, 0),
        folder=os.getcwd(),
        variables={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        flags=(torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_dtype()),
    )


def resident_bytes() -> int:
    """Return the memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def wall_offset_s() -> float:
    """Return what changes only where somebody sets the clock."""
    return time.time() - time.monotonic()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own for what goes to the temporary folder otherwise."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


@pytest.fixture
def victim(
    request: pytest.FixtureRequest, at_level: Callable[[str], Sandbox], tmp_path: Path, temporary: Path
) -> Iterator[Lab]:
    """The course that is attacked, at the level of the test's parameter; it has graded before."""
    with Lab(tmp_path / "course", at_level(request.param)).ending() as lab:
        assert lab.grade(RIGHT).score == 3.0
        yield lab


CASES = [pytest.param(attack, level, id=f"{attack.name}-{level}") for attack in ATTACKS for level in attack.levels]


@pytest.mark.parametrize(("attack", "victim"), CASES, indirect=["victim"])
def test_an_attack_earns_nothing_and_harms_nothing(attack: Attack, victim: Lab, temporary: Path) -> None:
    before, offset_s, resident = machine(victim.root, temporary), wall_offset_s(), resident_bytes()

    report = victim.grade(attack.source, limits=TIGHT)
    honest = victim.grade(RIGHT)

    outcome = {check.name: check.verdict for check in report.checks}
    output = "".join(check.output for check in report.checks)
    assert outcome == attack.outcome, f"{[check.message for check in report.checks]}\n{output[:2000]}"
    assert {check.name: check.score for check in report.checks} == {
        name: POINTS[name] * (verdict == "passed") for name, verdict in attack.outcome.items()
    }
    assert report.complete
    assert (honest.score, [check.verdict for check in honest.checks]) == (3.0, ["passed", "passed"])
    assert "OWNED" not in os.environ
    after = machine(victim.root, temporary)
    assert {**asdict(after), "descriptors": 0} == {**asdict(before), "descriptors": 0}
    assert after.descriptors <= before.descriptors
    assert abs(wall_offset_s() - offset_s) < 1.0
    assert resident_bytes() - resident < MOST_MEMORY_BYTES


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_says_what_it_is(attack: Attack) -> None:
    assert list(attack.words) == list(FIELDS)
    assert all(attack.words.values())
    assert set(attack.outcome) == set(POINTS)


# -- what is submitted beside a module ---------------------------------------------------------------------------------

PLANTED = "raise SystemExit('this file was run')\n"


def test_files_beside_a_submission_are_neither_run_nor_found(lab: Lab) -> None:
    names = ("conftest.py", "sitecustomize.py", "usercustomize.py", "torch.py", "random.py", "pytest.py", "probes.py")
    for name in (*names, "check_echo.py", "setup.py", "autograder/__init__.py", "pytest.ini", "torch/__init__.py"):
        lab.write(f"submissions/ada/{name}", PLANTED)

    report = lab.grade(RIGHT)

    assert (report.score, report.error) == (3.0, "")


def test_a_submission_has_no_other_file_of_its_own_to_import(lab: Lab) -> None:
    lab.write("submissions/ada/helper.py", "def echo(x):\n    return x.clone()\n")

    report = lab.grade("from helper import echo\n")

    assert (report.score, report.checks[0].verdict) == (0.0, "not_run")
    assert "ModuleNotFoundError: No module named 'helper'" in report.checks[0].message


def test_values_that_a_public_check_told_are_of_no_use(lab: Lab) -> None:
    told = lab.grade("def echo(x):\n    raise ValueError(x.tolist())\n").check("echo").message
    values = told[told.index("[") : told.index("]") + 1]

    report = lab.grade(f"import torch\n\ndef echo(x):\n    return torch.tensor({values})\n")

    assert report.check("echo").verdict == "failed"


# -- where words are shown ---------------------------------------------------------------------------------------------


def words_that_act() -> Attack:
    return next(attack for attack in engine_attacks() if attack.name == "words_that_act")


@pytest.fixture
def nasty(lab: Lab) -> Report:
    return lab.grade(words_that_act().source)


def test_a_terminal_obeys_none_of_them(nasty: Report) -> None:
    file = io.StringIO()

    show_report(Console(file=file, width=200, force_terminal=False), nasty)

    assert not {"\x1b", "\x07", "\r", "\u202e", "\ud800", "\x00"} & set(file.getvalue())


def test_the_document_is_text_that_any_reader_takes(nasty: Report) -> None:
    text = to_json([nasty])

    assert text.encode().decode() == text
    assert "\x1b" not in text and "\x00" not in text


def test_a_notebook_shows_them_as_text(nasty: Report) -> None:
    for check in nasty.checks:
        shown = outputs(check, 0.0)[0]["data"]

        assert "<script" not in shown["text/html"] and "<img" not in shown["text/html"]
        assert not {"\x1b", "\x07", "\r", "\u202e", "\ud800", "\x00"} & set(shown["text/plain"])


# -- what is written about them ------------------------------------------------------------------------------------------

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_on_security_names_every_attack_and_nothing_that_is_not_there() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    kept = {f"engine/{attack.name}" for attack in engine_attacks()}
    kept |= {f"{path.parents[1].name}/{path.stem}" for path in ROOT.glob("solutions/*/attacks/*.py")}
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    named = set(re.findall(r"`(\w+/\w+)`", page))
    claims = set(re.findall(r"`(test_\w+)`", page))

    assert named == kept
    assert {name for name in claims if f"def {name}(" not in tests} == set()
