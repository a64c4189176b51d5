"""Claims about `course.yml`: what it gives the engine, and what it tells an instructor who made a mistake."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.course.loading import Assignment, Course, LatePolicy, Limits, Threshold, find_course, load_course
from autograder.errors import AutograderError, CourseError, ExchangeError, SandboxError, SubmissionError

COURSE = """\
title: Tensors
pass_mark: 0.6
timezone: Europe/Vienna
data: data
late:
  grace_days: 1
limits:
  time: 20 s
assignments:
  - name: alpha
    title: First steps
    due: 2026-12-04 23:59
    late: {penalty_per_day: 0.1}
    hidden_feedback: verdict
    forbidden: [torch.matmul, aten::mm]
    preload: [torchvision]
    limits:
      memory: 6 GiB
    thresholds:
      speed:
        cpu: {full_at: 4.5, zero_at: 9}
  - name: beta
    title: Second steps
"""
CHECKS = '''\
def check_values():
    """Values."""


def check_speed():
    """Speed."""
'''


@pytest.fixture(scope="module")
def fuzz_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a course of its own for the tests that write `course.yml` many times."""
    return lay_out(tmp_path_factory.mktemp("course"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the folder of a small, correct course."""
    return lay_out(tmp_path)


def lay_out(root: Path) -> Path:
    """Write a small, correct course."""
    files = {
        "course.yml": COURSE,
        "assignments/alpha/check_alpha.py": CHECKS,
        "assignments/alpha/alpha.py": "",
        "assignments/beta/check_beta.py": CHECKS,
        "solutions/alpha/alpha.py": "",
        "solutions/alpha/check_alpha_hidden.py": "def check_secret():\n    pass\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def complaint(root: Path, content: str | bytes) -> str:
    """Return what loading the course says when `course.yml` holds `content`."""
    path = root / "course.yml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    with pytest.raises(CourseError) as caught:
        load_course(path)
    return str(caught.value)


def test_the_engine_reads_what_the_file_says(root: Path) -> None:
    course = load_course(root / "course.yml")

    alpha, beta = course.assignments
    assert (course.title, course.pass_mark, course.timezone) == ("Tensors", 0.6, "Europe/Vienna")
    assert (alpha.name, alpha.title, alpha.module) == ("alpha", "First steps", "alpha")
    assert alpha.due is not None
    assert alpha.due.astimezone(UTC) == datetime(2026, 12, 4, 22, 59, tzinfo=UTC)
    assert alpha.forbidden == ("torch.matmul", "aten::mm")
    assert alpha.preload == ("torchvision",)
    assert alpha.thresholds == {"speed": {"cpu": Threshold(full_at=4.5, zero_at=9.0)}}
    assert (beta.due, beta.forbidden, beta.preload, beta.thresholds) == (None, (), (), {})


def test_what_the_file_leaves_out_has_defaults(root: Path) -> None:
    (root / "course.yml").write_text("title: T\nassignments:\n- {name: beta, title: B}\n")

    course = load_course(root / "course.yml")

    (beta,) = course.assignments
    assert (course.pass_mark, course.device, course.sandbox, course.timezone) == (0.5, "auto", "namespaces", "UTC")
    assert (course.data, course.secret_file) == (None, root / ".autograde/secret")
    assert (beta.limits, beta.late, beta.hidden_feedback) == (Limits(), LatePolicy(), "hint")
    assert Limits() == Limits(30.0, 30.0, 4.0, 4 << 30, 1, 64, 1 << 20, 64 << 20)
    assert LatePolicy() == LatePolicy(grace_days=0.0, penalty_per_day=0.0, cap=1.0)


def test_assignments_inherit_the_courses_defaults_key_by_key(root: Path) -> None:
    alpha, beta = load_course(root / "course.yml").assignments

    assert alpha.limits == Limits(time_s=20.0, memory_bytes=6 << 30)
    assert alpha.late == LatePolicy(grace_days=1.0, penalty_per_day=0.1)
    assert beta.limits == Limits(time_s=20.0)
    assert beta.late == LatePolicy(grace_days=1.0)
    assert (alpha.hidden_feedback, beta.hidden_feedback) == ("verdict", "hint")


def test_paths_follow_from_the_place_of_course_yml(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)

    course = load_course(Path("course.yml"))

    alpha = course.assignment("alpha")
    assert (course.root, course.data) == (root, root / "data")
    assert (alpha.folder, alpha.solutions) == (root / "assignments/alpha", root / "solutions/alpha")
    assert alpha.stub == alpha.folder / "alpha.py"
    assert alpha.notebook == alpha.folder / "alpha.ipynb"
    assert alpha.readme == alpha.folder / "README.md"
    assert alpha.check_files() == [alpha.folder / "check_alpha.py"]
    assert alpha.hidden_check_files() == [alpha.solutions / "check_alpha_hidden.py"]
    assert course.assignment("beta").hidden_check_files() == []


@pytest.mark.parametrize(
    ("text", "seconds"), [("20 s", 20), ("2 min", 120), ("1.5 h", 5400), ("45", 45), ("12.5", 12.5), ("10s", 10)]
)
def test_times_come_in_human_units(root: Path, text: str, seconds: float) -> None:
    (root / "course.yml").write_text(COURSE.replace("time: 20 s", f"time: {text}"))

    assert load_course(root / "course.yml").limits.time_s == seconds


@pytest.mark.parametrize(
    ("text", "size"), [("6 GiB", 6 << 30), ("4.5 GiB", 9 << 29), ("8192 MiB", 8 << 30), ("5000000000", 5_000_000_000)]
)
def test_sizes_come_in_human_units(root: Path, text: str, size: int) -> None:
    (root / "course.yml").write_text(COURSE.replace("memory: 6 GiB", f"memory: {text}"))

    memory_bytes = load_course(root / "course.yml").assignment("alpha").limits.memory_bytes

    assert memory_bytes == size
    assert isinstance(memory_bytes, int)


@pytest.mark.parametrize(
    ("due", "instant"),
    [
        ("2026-12-04 23:59", datetime(2026, 12, 4, 22, 59, tzinfo=UTC)),
        ("2026-07-04 23:59", datetime(2026, 7, 4, 21, 59, tzinfo=UTC)),
        ("2026-12-04T23:59:30", datetime(2026, 12, 4, 22, 59, 30, tzinfo=UTC)),
        ("2026-12-04 23:59:00Z", datetime(2026, 12, 4, 23, 59, tzinfo=UTC)),
        ("2026-12-04 23:59 -05:00", datetime(2026, 12, 5, 4, 59, tzinfo=UTC)),
        ("'2026-12-04 23:59'", datetime(2026, 12, 4, 22, 59, tzinfo=UTC)),
    ],
)
def test_a_due_date_is_an_instant(root: Path, due: str, instant: datetime) -> None:
    (root / "course.yml").write_text(COURSE.replace("2026-12-04 23:59", due))

    found = load_course(root / "course.yml").assignment("alpha").due

    assert found is not None
    assert found.utcoffset() is not None
    assert found - instant == timedelta(0)


def test_objects_are_frozen(root: Path) -> None:
    course = load_course(root / "course.yml")

    for thing in (course, course.assignments[0], course.limits, course.late):
        with pytest.raises(dataclasses.FrozenInstanceError):
            thing.title = "other"  # type: ignore[union-attr, misc]


def test_the_engines_own_tests_may_ask_for_smaller_limits_than_a_course() -> None:
    assert Limits(time_s=0.2).time_s == 0.2


# What it says when something is wrong: (what stands in the correct file, what replaces it, what is said).
PROBLEMS = {
    "unknown key": (
        "pass_mark: 0.6",
        "pas_mark: 0.6",
        "course.yml:2: unknown key 'pas_mark'; did you mean 'pass_mark'?",
    ),
    "unknown key like nothing": (
        "penalty_per_day: 0.1",
        "xyz: 0.1",
        "course.yml:13: unknown key 'xyz' in late of assignment 'alpha'; expected one of grace_days, penalty_per_day, "
        "cap; rename it or delete it",
    ),
    "python's name of a key": (
        "time: 20 s",
        "time_s: 20",
        "course.yml:8: unknown key 'time_s' in limits; did you mean 'time'?",
    ),
    "unknown key of an assignment": (
        "    due:",
        "    deu:",
        "course.yml:12: unknown key 'deu' in assignment 'alpha'; did you mean 'due'?",
    ),
    "a path is not for the file to say": (
        "    due: 2026-12-04 23:59",
        "    folder: /tmp",
        "course.yml:12: unknown key 'folder' in assignment 'alpha'; expected one of name, title, due, late, "
        "hidden_feedback, gradings_per_day, forbidden, thresholds, limits, stub_score, preload; rename it or delete it",
    ),
    "missing key": (
        "    title: Second steps\n",
        "",
        "course.yml:22: assignment 'beta' has no 'title'; expected one line of text, in quotes where YAML takes it for "
        "something else; add 'title: ...'",
    ),
    "missing title of the course": (
        "title: Tensors\n",
        "",
        "course.yml:1: the course has no 'title'; expected one line of text, in quotes where YAML takes it for "
        "something else; add 'title: ...'",
    ),
    "missing bound": (
        "cpu: {full_at: 4.5, zero_at: 9}",
        "cpu: {full_at: 4.5}",
        "course.yml:21: thresholds.speed.cpu of assignment 'alpha' has no 'zero_at'; expected a number above full_at, such "
        "as 9; add 'zero_at: ...'",
    ),
    "wrong type": (
        "title: Tensors",
        "title: 2026",
        "course.yml:1: title is 2026; expected one line of text, in quotes where YAML takes it for something else",
    ),
    "title of several lines": (
        "title: Tensors",
        'title: "one\\ntwo"',
        "course.yml:1: title is 'one\\ntwo'; expected one line of text, in quotes where YAML takes it for something "
        "else",
    ),
    "list for a mapping": (
        "  - name: beta\n    title: Second steps\n",
        "  - beta\n",
        "course.yml:22: assignment 2 is 'beta'; expected keys such as name and title",
    ),
    "text for a list": (
        "[torchvision]",
        "torchvision",
        "course.yml:16: preload of assignment 'alpha' is 'torchvision'; expected a list of modules such as torchvision",
    ),
    "no assignments": (
        COURSE[COURSE.index("assignments:") :],
        "assignments:\n",
        "course.yml:9: assignments is empty; expected a list of entries that begin with '- name: ...'",
    ),
    "empty defaults": (
        "late:\n  grace_days: 1",
        "late:",
        "course.yml:5: late is empty; expected the keys grace_days, penalty_per_day and cap",
    ),
    "pass mark in percent": (
        "pass_mark: 0.6",
        "pass_mark: 60",
        "course.yml:2: pass_mark is 60; expected a share of the points from 0 to 1, such as 0.5",
    ),
    "nan": (
        "pass_mark: 0.6",
        "pass_mark: .nan",
        "course.yml:2: pass_mark is nan; expected a share of the points from 0 to 1, such as 0.5",
    ),
    "true is no number": (
        "pass_mark: 0.6",
        "pass_mark: true",
        "course.yml:2: pass_mark is true; expected a share of the points from 0 to 1, such as 0.5",
    ),
    "unknown choice": (
        "pass_mark: 0.6",
        "sandbox: namespace",
        "course.yml:2: sandbox is 'namespace'; expected namespaces, user or process; did you mean 'namespaces'?",
    ),
    "YAML's no is no word": (
        "hidden_feedback: verdict",
        "hidden_feedback: no",
        "course.yml:14: hidden_feedback of assignment 'alpha' is false; expected none, verdict or hint",
    ),
    "unknown time zone": (
        "Europe/Vienna",
        "Europe/Wienna",
        "course.yml:3: timezone is 'Europe/Wienna'; did you mean 'Europe/Vienna'?",
    ),
    "a folder of time zones": (
        "Europe/Vienna",
        "../..",
        "course.yml:3: timezone is '../..'; expected a name of the time zone database such as Europe/Vienna",
    ),
    "time too short": (
        "time: 20 s",
        "time: 5 s",
        "course.yml:8: limits.time is '5 s'; expected at least 10 s (which students are promised) and at most 24 h, "
        "such as 30 s or 2 min",
    ),
    "infinite time": (
        "time: 20 s",
        "load_time: .inf",
        "course.yml:8: limits.load_time is inf; expected at least 10 s (which students are promised) and at most 24 h, "
        "such as 30 s or 2 min",
    ),
    "memory too small": (
        "memory: 6 GiB",
        "memory: 2 GiB",
        "course.yml:18: limits.memory of assignment 'alpha' is '2 GiB'; expected at least 4 GiB (which students are "
        "promised), such as 4 GiB or 6 GiB",
    ),
    "unknown unit": (
        "memory: 6 GiB",
        "memory: 6 GB",
        "course.yml:18: limits.memory of assignment 'alpha' is '6 GB'; expected at least 4 GiB (which students are "
        "promised), such as 4 GiB or 6 GiB",
    ),
    "no threads": (
        "time: 20 s",
        "threads: 0",
        "course.yml:8: limits.threads is 0; expected a whole number from 1 to 4096",
    ),
    "half a process": (
        "time: 20 s",
        "processes: 1.5",
        "course.yml:8: limits.processes is 1.5; expected a whole number from 1 to 4096",
    ),
    "negative grace": (
        "grace_days: 1",
        "grace_days: -1",
        "course.yml:6: late.grace_days is -1; expected a number of days from 0 to 366",
    ),
    "wall clock shorter than CPU time": (
        "time: 20 s",
        "wall_factor: 0.5",
        "course.yml:8: limits.wall_factor is 0.5; expected a number from 2 to 100 (wall clock / CPU time), such as 4",
    ),
    "bounds out of order": (
        "{full_at: 4.5, zero_at: 9}",
        "{full_at: 9, zero_at: 4.5}",
        "course.yml:21: thresholds.speed.cpu of assignment 'alpha': full_at is 9 and zero_at is 4.5; expected full_at below "
        "zero_at; both are the student's time divided by the baseline's, so raise zero_at or lower full_at",
    ),
    "bound of zero": (
        "{full_at: 4.5, zero_at: 9}",
        "{full_at: 0, zero_at: 9}",
        "course.yml:21: thresholds.speed.cpu.full_at of assignment 'alpha' is 0; expected a number above 0, such as 4.5",
    ),
    "infinite bound": (
        "{full_at: 4.5, zero_at: 9}",
        "{full_at: 1, zero_at: .inf}",
        "course.yml:21: thresholds.speed.cpu.zero_at of assignment 'alpha' is inf; expected a number above full_at, such as "
        "9",
    ),
    "unknown device": (
        "        cpu:",
        "        cdua:",
        "course.yml:21: unknown key 'cdua' in thresholds.speed of assignment 'alpha'; did you mean 'cuda'?",
    ),
    "bounds without a device": (
        "        cpu: {full_at: 4.5, zero_at: 9}",
        "        full_at: 4.5",
        "course.yml:21: unknown key 'full_at' in thresholds.speed of assignment 'alpha'; expected a check's name, under "
        "it cpu, cuda or mps, under that full_at and zero_at; rename it",
    ),
    "threshold of an unknown check": (
        "      speed:",
        "      sped:",
        "course.yml:20: thresholds of assignment 'alpha' name the check 'sped', which no check file defines; did you "
        "mean 'speed'?",
    ),
    "date without time": (
        "2026-12-04 23:59",
        "2026-12-04",
        "course.yml:12: due of assignment 'alpha' is '2026-12-04'; expected a date with its time of day, such as "
        "2026-12-04 23:59 or 2026-12-04 23:59 +01:00",
    ),
    "no such day": (
        "2026-12-04 23:59",
        "2026-13-04 23:59:00",
        "course.yml:12: due of assignment 'alpha' is '2026-13-04 23:59:00'; expected a date with its time of day, such "
        "as 2026-12-04 23:59 or 2026-12-04 23:59 +01:00",
    ),
    "no module name": (
        "name: beta",
        "name: Beta-2",
        "course.yml:22: name of assignment 'Beta-2' is 'Beta-2'; expected a lower-case Python name of at most 60 "
        "characters, such as logsoftmax",
    ),
    "name of a keyword": (
        "name: beta",
        "name: lambda",
        "course.yml:22: name of assignment 'lambda' is 'lambda'; expected a lower-case Python name of at most 60 "
        "characters, such as logsoftmax",
    ),
    "name of a module": (
        "name: beta",
        "name: random",
        "course.yml:22: assignment 'random' has the name of a module that Python or the grader uses; expected a name "
        "of its own; rename it",
    ),
    "name twice": (
        "name: beta",
        "name: alpha",
        "course.yml:22: assignment 'alpha' stands here and on line 10; expected each name once; rename one",
    ),
    "no folder, but one like it": (
        "name: beta",
        "name: betta",
        "course.yml:22: assignment 'betta' has no folder under assignments/; did you mean 'beta'?",
    ),
    "no folder": (
        "name: beta",
        "name: gamma_rays",
        "course.yml:22: assignment 'gamma_rays' has no folder under assignments/; create assignments/gamma_rays/ or "
        "delete the entry",
    ),
    "forbidden twice": (
        "[torch.matmul, aten::mm]",
        "\n    - torch.mm\n    - aten::mm\n    - torch.mm",
        "course.yml:18: forbidden of assignment 'alpha' lists 'torch.mm' here and on line 16; expected it once; delete "
        "one",
    ),
    "no dotted name": (
        "aten::mm]",
        "'@']",
        "course.yml:15: entry 2 of forbidden of assignment 'alpha' is '@'; expected a list of families and dotted "
        "names such as matrix_products, torch.matmul or aten::mm",
    ),
    "a family with a slip": (
        "[torch.matmul, aten::mm]",
        "[torch.mm, softmx]",
        "course.yml:15: forbidden of assignment 'alpha' names the family 'softmx', which does not exist; did you mean "
        "'softmax'?",
    ),
    "no such family": (
        "[torch.matmul, aten::mm]",
        "[convolutions]",
        "course.yml:15: forbidden of assignment 'alpha' names the family 'convolutions', which does not exist; "
        "expected a dotted name or one of matrix_products, softmax",
    ),
    "key twice": (
        "data: data",
        "title: Again",
        "course.yml:4: key 'title' stands here and on line 1; expected it once; delete one",
    ),
    "tab": (
        "  grace_days: 1",
        "\tgrace_days: 1",
        "course.yml:6: a tab stands where YAML wants spaces; expected spaces; replace the tab",
    ),
    "bracket left open": (
        "[torchvision]",
        "[torchvision",
        "course.yml:17: not YAML (expected ',' or ']', but got ':'); expected 'key: value'; check indentation, colons "
        "and quotes",
    ),
    "second document": (
        "data: data",
        "---",
        "course.yml:4: a second document begins here; expected one; delete the '---'",
    ),
    "alias": (
        "late: {penalty_per_day: 0.1}",
        "late: *usual",
        "course.yml:13: alias '*usual'; expected plain values; write the value out here",
    ),
    "tag": (
        "title: Tensors",
        "title: !!python/name:os.system",
        "course.yml:1: tag 'tag:yaml.org,2002:python/name:os.system'; expected plain values without '!'; delete the "
        "tag",
    ),
    "control character": (
        "title: Tensors",
        "title: Ten\x07sors",
        "course.yml:1: the character U+0007 stands here; expected printable text; delete it",
    ),
    "secret for all to read": (
        "data: data",
        "secret_file: ./assignments/alpha/secret",
        "course.yml:4: secret_file lies under assignments/, which students get; expected a place of the grader's own; "
        "move it",
    ),
}


@pytest.mark.parametrize(("before", "after", "said"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_a_problem_is_said_in_one_line(root: Path, before: str, after: str, said: str) -> None:
    assert COURSE.count(before) == 1 or before in ("2026-12-04 23:59", "title: Tensors")

    assert complaint(root, COURSE.replace(before, after, 1)) == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "course.yml:1: the file is empty; expected at least 'title:' and 'assignments:'; write them"),
        ("# soon\n", "course.yml:1: the file is empty; expected at least 'title:' and 'assignments:'; write them"),
        ("- a\n", "course.yml:1: the file holds a list; expected keys such as 'title: ...' at its top level"),
        ("\nhi\n", "course.yml:2: the file holds a single value; expected keys such as 'title: ...' at its top level"),
        (
            b"title: T\nx: caf\xe9\n",
            "course.yml:2: byte 0xe9 is not UTF-8; expected UTF-8 text; save the file as UTF-8",
        ),
        (
            "x: " + "[" * 2000,
            "course.yml:1: more than 16 levels of nesting; expected a handful; flatten it",
        ),
        (
            "x: " + "y" * (256 << 10),
            "course.yml: larger than 256 KiB; expected a few pages of settings; move data elsewhere",
        ),
        (
            "a: &a [1, 1]\nb: &b [*a, *a]\n",
            "course.yml:2: alias '*a'; expected plain values; write the value out here",
        ),
        ("? [a, b]\n: 1\n", "course.yml:1: a key that is itself a list or a mapping; expected a word; rename it"),
        ("title: !!int x\n", "course.yml:1: 'x' is no int that can be read; correct it"),
        (
            f"title: T\npass_mark: {'9' * 4000}\nassignments: []\n",
            "course.yml:2: pass_mark is a huge number; expected a share of the points from 0 to 1, such as 0.5",
        ),
    ],
    ids=[
        *("empty", "comment", "list", "scalar", "latin-1", "deep", "large", "alias bomb", "complex key"),
        *("explicit tag", "huge number"),
    ],
)
def test_a_file_that_is_no_course_is_said_in_one_line(root: Path, content: str | bytes, said: str) -> None:
    assert complaint(root, content) == said


def test_the_problem_that_stands_first_is_said_first(root: Path) -> None:
    text = COURSE.replace("name: beta", "nam: beta").replace("grace_days: 1", "grace_days: -1")

    assert complaint(root, text) == "course.yml:6: late.grace_days is -1; expected a number of days from 0 to 366"


def test_a_wrong_default_is_said_where_it_stands_and_not_where_it_is_inherited(root: Path) -> None:
    text = COURSE.replace("limits:\n  time: 20 s\n", "") + "limits:\n  threads: -1\n"

    assert complaint(root, text) == "course.yml:23: limits.threads is -1; expected a whole number from 1 to 4096"


def test_a_missing_check_file_is_named(root: Path) -> None:
    (root / "assignments/beta/check_beta.py").rename(root / "assignments/beta/chek_beta.py")

    said = "course.yml:22: assignment 'beta' has no check file in assignments/beta/; expected check_beta.py; did you "
    assert complaint(root, COURSE) == said + "mean 'chek_beta.py'?"


def test_a_check_file_that_is_not_python_is_named_with_its_line_and_stops_no_other_assignment(root: Path) -> None:
    (root / "assignments/alpha/check_alpha.py").write_text("x = 1\ndef check_speed(:\n")

    course = load_course(root / "course.yml")

    said = "assignments/alpha/check_alpha.py:2: not Python (invalid syntax); expected a check file; correct it"
    assert course.assignment("beta").check_names() == ["values", "speed"]
    with pytest.raises(CourseError) as caught:
        course.assignment("alpha").check_names()
    assert str(caught.value) == said


def test_the_names_of_checks_are_known_without_running_any(root: Path) -> None:
    assert load_course(root / "course.yml").assignment("alpha").check_names() == ["values", "speed", "secret"]


def test_a_threshold_may_name_a_hidden_check(root: Path) -> None:
    (root / "course.yml").write_text(COURSE.replace("speed:", "secret:"))

    assert list(load_course(root / "course.yml").assignment("alpha").thresholds) == ["secret"]


def test_in_a_students_copy_a_threshold_may_name_a_check_that_is_not_there(root: Path) -> None:
    for path in (root / "solutions/alpha").iterdir():
        path.unlink()
    (root / "solutions/alpha").rmdir()
    (root / "course.yml").write_text(COURSE.replace("speed:", "secret:"))

    assert load_course(root / "course.yml").assignment("alpha").hidden_check_files() == []


def test_check_files_are_read_but_not_run(root: Path) -> None:
    (root / "assignments/alpha/check_alpha.py").write_text(CHECKS + "\nraise SystemExit('ran')\n")

    load_course(root / "course.yml")


def test_an_unknown_assignment_is_answered_with_the_nearest(root: Path) -> None:
    course = load_course(root / "course.yml")

    with pytest.raises(CourseError) as near:
        course.assignment("alpah")
    with pytest.raises(CourseError) as far:
        course.assignment("zzz")

    assert str(near.value) == "there is no assignment 'alpah'; did you mean 'alpha'?"
    assert str(far.value) == "there is no assignment 'zzz'; expected one of alpha, beta"


def test_the_course_is_found_from_anywhere_inside_it(root: Path) -> None:
    assert find_course(root) == root / "course.yml"
    assert find_course(root / "assignments/alpha") == root / "course.yml"
    assert find_course(root / "assignments/alpha/alpha.py") == root / "course.yml"


def test_outside_a_course_one_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CourseError) as caught:
        find_course(tmp_path)

    todo = "expected a course.yml here or in a folder above; change to the folder of a course, or name its course.yml"
    assert str(caught.value) == f"{tmp_path}: in no course; {todo}"


def test_a_missing_file_is_named_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(CourseError) as caught:
        load_course(tmp_path / "course.yml")

    said = "cannot be read (No such file or directory); expected a course's settings; check the path"
    assert str(caught.value) == f"{tmp_path / 'course.yml'}: {said}"


def digest(root: Path, name: str = "alpha") -> str:
    return load_course(root / "course.yml").assignment_digest(name)


def test_the_digest_is_that_of_the_content_wherever_the_course_lies(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = lay_out(tmp_path_factory.mktemp("elsewhere"))

    assert digest(root) == digest(elsewhere)
    assert digest(root).startswith("sha256:")
    assert len(digest(root)) == len("sha256:") + 64


@pytest.mark.parametrize(
    "name",
    [
        "assignments/alpha/check_alpha.py",
        "assignments/alpha/probes.py",
        "solutions/alpha/check_alpha_hidden.py",
        "solutions/alpha/wrong/new.py",
    ],
)
def test_the_digest_changes_with_every_file(root: Path, name: str) -> None:
    before = digest(root), digest(root, "beta")
    (root / name).parent.mkdir(exist_ok=True)

    (root / name).write_text("def check_speed():\n    return 1\n")

    assert digest(root) != before[0]
    assert digest(root, "beta") == before[1]


def test_the_digest_changes_with_the_assignments_settings_alone(root: Path) -> None:
    before = digest(root), digest(root, "beta")

    (root / "course.yml").write_text("# a comment\n" + COURSE.replace("zero_at: 9", "zero_at: 8").replace("0.6", "0.7"))

    assert digest(root) != before[0]
    assert digest(root, "beta") == before[1]


def test_the_digest_changes_with_an_inherited_limit(root: Path) -> None:
    before = digest(root)

    (root / "course.yml").write_text(COURSE.replace("time: 20 s", "time: 25 s"))

    assert digest(root) != before


def test_caches_and_the_built_notebook_leave_the_digest_alone(root: Path) -> None:
    before = digest(root)

    for name in ("__pycache__/a.pyc", ".ipynb_checkpoints/alpha.ipynb", "alpha.ipynb", ".DS_Store"):
        path = root / "assignments/alpha" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")

    assert digest(root) == before


def test_a_file_cannot_pass_for_two(root: Path) -> None:
    folder = root / "assignments/alpha"
    (folder / "a").write_text("bc")
    joined = digest(root)

    (folder / "a").rename(folder / "ab")
    (folder / "ab").write_text("c")

    assert digest(root) != joined


def test_a_link_to_a_folder_is_refused_because_its_changes_would_not_be_seen(root: Path) -> None:
    (root / "assignments/alpha/more").symlink_to(root / "assignments/beta")

    with pytest.raises(CourseError, match="a link to a folder; expected plain files"):
        digest(root)


def test_the_error_tree_has_four_branches() -> None:
    branches = {CourseError, SubmissionError, SandboxError, ExchangeError}

    assert set(AutograderError.__subclasses__()) >= branches


def test_reading_a_course_imports_neither_torch_nor_pytest() -> None:
    code = "import sys, autograder.course.loading; print({'torch', 'numpy', 'pytest'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "set()\n"


def survives(root: Path, content: bytes) -> None:
    """Load `content` as a course; fail on anything but a course or one line that says what is wrong."""
    (root / "course.yml").write_bytes(content)
    try:
        course = load_course(root / "course.yml")
    except CourseError as error:
        text = str(error)
        assert text.isprintable()
        assert text.startswith(("course.yml:", "assignments/"))
        assert len(text) < 600
    else:
        assert isinstance(course, Course)
        assert all(isinstance(assignment, Assignment) for assignment in course.assignments)


FUZZ = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
FRAGMENTS = [
    *COURSE.split(),
    *"{}[],:-#&*!|>%@`'\"?~\t\n ",
    "\n  ",
    "\n- ",
    ": ",
    "<<: ",
    "*a",
    "&a ",
    "!!int ",
    "---\n",
    "...",
]
FRAGMENTS += [".nan", ".inf", "-.inf", "0x", "1e400", "1:2:3.4", "9" * 5000, "\\ud800", '"\\0"', "null", "yes", "[key]"]


@FUZZ
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_are_answered_with_a_line(fuzz_root: Path, content: bytes) -> None:
    survives(fuzz_root, content)


@FUZZ
@example(fragments=["*a", "9" * 5000])
@given(fragments=st.lists(st.sampled_from(FRAGMENTS), max_size=20))
def test_arbitrary_yaml_is_answered_with_a_line(fuzz_root: Path, fragments: list[str]) -> None:
    survives(fuzz_root, "".join(fragments).encode())


@FUZZ
@given(data=st.data())
def test_a_course_with_a_piece_replaced_is_answered_with_a_line(fuzz_root: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(COURSE)))
    stop = data.draw(st.integers(start, min(start + 30, len(COURSE))))
    piece = data.draw(st.sampled_from(FRAGMENTS) | st.text(max_size=5))

    survives(fuzz_root, (COURSE[:start] + piece + COURSE[stop:]).encode("utf-8", "replace"))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(FRAGMENTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@FUZZ
@given(data=st.data(), value=VALUES)
def test_a_course_with_a_value_replaced_is_answered_with_a_line(
    fuzz_root: Path, data: st.DataObject, value: object
) -> None:
    course = yaml.safe_load(COURSE)
    inside = course
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(inside[key], dict | list) or not inside[key] or data.draw(st.booleans()):
            break
        inside = inside[key]
    if isinstance(inside, dict) and data.draw(st.booleans()):
        inside[data.draw(st.text(max_size=8) | st.sampled_from(FRAGMENTS))] = value
    else:
        inside[key] = value

    survives(fuzz_root, yaml.safe_dump(course, allow_unicode=True).encode("utf-8", "surrogatepass"))


def test_in_a_students_copy_an_assignment_may_come_later(root: Path) -> None:
    shutil.rmtree(root / "solutions")
    shutil.rmtree(root / "assignments/beta")

    course = load_course(root / "course.yml")

    assert [assignment.fetched for assignment in course.assignments] == [True, False]
    assert course.assignments[1].check_names() == []
    with pytest.raises(CourseError) as caught:
        course.assignment("beta")
    assert str(caught.value) == "beta: not fetched yet; expected assignments/beta/; run `autograde fetch beta`"


def test_a_released_folder_is_a_course_of_one_assignment(root: Path) -> None:
    released = root / "release/alpha"
    shutil.copytree(root / "assignments/alpha", released)
    (released / "course.yml").write_text("title: Tensors\nassignments:\n- {name: alpha, title: First steps}\n")

    course = load_course(find_course(released))

    alpha = course.assignment("alpha")
    assert (course.root, alpha.folder, alpha.stub) == (released, released, released / "alpha.py")
    assert alpha.check_names() == ["values", "speed"]
    assert alpha.hidden_check_files() == []


def test_where_there_are_assignments_a_check_file_beside_the_course_is_nothing(root: Path) -> None:
    (root / "check_alpha.py").write_text(CHECKS)

    assert load_course(root / "course.yml").assignment("alpha").folder == root / "assignments/alpha"
