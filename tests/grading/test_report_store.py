"""A stored report is the answer: found again exactly, shared by identical submissions, never taken on trust."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from harness import RIGHT, Lab
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.loading import load_course
from autograder.errors import CourseError
from autograder.grading.executor import grade_all
from autograder.grading.job import Job
from autograder.grading.report_store import STORE_VARIABLE, Reuse, Store, engine_digest, job_key, store_url
from autograder.report.model import CheckResult, Report, report_of
from autograder.submission.reading import Submission
from autograder.verdicts import VERDICTS

ADA = Submission("ada", "echo", "x = 1\n", "sha256:1", "echo.py", notes=("a note",), flags=("read oddly",))
BOB = replace(ADA, student="bob", notes=(), flags=(), submitted_at=datetime(2030, 1, 31, tzinfo=UTC))
CHECK = CheckResult("values", "Values agree", 3.0, 2.1, "passed", "2.1 \ud800\x00 \u2028", True, 0.25, {"ratio": 4.5})
REPORT = Report(
    *("ada", "echo", "sha256:1", None, "cpu", "namespaces", "0f", 1.5),
    flags=("read oddly", "slow"),
    checks=(CHECK,),
    notes=("a note",),
)
TEXTS = st.text(max_size=20)
CHECKS = st.builds(
    CheckResult,
    TEXTS,
    TEXTS,
    st.floats(1, 10),
    st.floats(0, 1),
    st.sampled_from(VERDICTS),
    TEXTS,
    st.booleans(),
    st.floats(0, 100),
    st.dictionaries(TEXTS, st.floats(allow_nan=False, allow_infinity=False), max_size=2),
    TEXTS,
    TEXTS,
    st.lists(st.integers(0, 99), max_size=3).map(tuple),
)


def url(folder: Path) -> str:
    return f"sqlite:///{folder / 'own' / 'reports.db'}"


def execute(folder: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(folder / "own" / "reports.db") as database:
        database.execute(statement, values)
    database.close()


@given(st.lists(CHECKS, max_size=3).map(tuple))
def test_a_document_gives_back_the_report_that_wrote_it(checks: tuple[CheckResult, ...]) -> None:
    report = replace(REPORT, checks=checks)

    again = report_of(json.loads(json.dumps(report.document())))

    assert again == report


def test_what_was_kept_is_found_by_another_process_in_its_own_students_name(tmp_path: Path) -> None:
    Store(url(tmp_path)).keep("job", ADA, REPORT)

    found = [Store(url(tmp_path)).find("job", submission) for submission in (ADA, BOB)]

    bobs = replace(REPORT, student="bob", submitted_at="2030-01-31T00:00:00+00:00", flags=("slow",), notes=())
    assert found == [REPORT, bobs]


def test_another_job_or_another_submission_finds_nothing(tmp_path: Path) -> None:
    store = Store(url(tmp_path))
    store.keep("job", ADA, REPORT)

    assert store.find("another", ADA) is None
    assert store.find("job", replace(ADA, digest="sha256:2")) is None


def test_a_later_report_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    store = Store(url(tmp_path))
    store.keep("job", ADA, REPORT)

    store.keep("job", ADA, replace(REPORT, seconds=9.0))

    assert store.find("job", ADA) == replace(REPORT, seconds=9.0)


def test_a_report_with_a_fault_of_ours_is_not_kept(tmp_path: Path) -> None:
    store = Store(url(tmp_path))

    store.keep("job", ADA, replace(REPORT, checks=(replace(CHECK, verdict="grader_error", score=0.0),)))

    assert store.find("job", ADA) is None


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE autograde_reports SET document = '{}'", "its digest is another"),
        ("UPDATE autograde_reports SET document = replace(document, '2.1,', '3.0,')", "its digest is another"),
    ],
)
def test_a_row_that_someone_changed_is_ignored_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, statement: str, reason: str
) -> None:
    store = Store(url(tmp_path))
    store.keep("job", ADA, REPORT)
    execute(tmp_path, statement)

    found = store.find("job", ADA)

    assert found is None
    (line,) = caplog.messages
    assert line.endswith(f"is ignored ({reason}); it is graded anew")


def test_a_file_that_is_no_database_does_no_harm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "reports.db").write_bytes(b"not a database" * 1000)
    store = Store(url(tmp_path))

    store.keep("job", ADA, REPORT)

    assert store.find("job", ADA) is None
    assert caplog.messages == [
        f"{url(tmp_path)}: {what} (file is not a database); it is graded anew"
        for what in ("cannot be written", "cannot be read")
    ]


def test_several_threads_and_connections_write_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    submissions = [replace(ADA, digest=f"sha256:{number % 5}") for number in range(40)]

    def write(part: list[Submission]) -> None:
        store = Store(url(tmp_path))
        for submission in part:
            store.keep("job", submission, replace(REPORT, digest=submission.digest))

    threads = [threading.Thread(target=write, args=(submissions[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = [Store(url(tmp_path)).find("job", submission) for submission in submissions]
    assert [report and report.digest for report in found] == [submission.digest for submission in submissions]
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("given", "found"),
    [("reports", "no URL of a database"), ("oracle://me:geheim@there/x", "its driver is not installed")],
)
def test_a_url_that_is_none_is_refused_without_its_password(given: str, found: str) -> None:
    with pytest.raises(CourseError) as refusal:
        Store(given)

    assert str(refusal.value) == (
        f"the store of reports: {found}; expected one such as sqlite:////srv/reports.db; set AUTOGRADE_STORE"
    )


def test_the_store_lies_beside_the_course_unless_the_environment_says_otherwise(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = lab.make()

    assert store_url(course) == f"sqlite:///{course.root}/.autograde/reports.db"
    monkeypatch.setenv(STORE_VARIABLE, "postgresql://grader@db/reports")
    assert store_url(course) == "postgresql://grader@db/reports"


def test_whatever_decides_about_a_grade_is_in_the_key(lab: Lab) -> None:
    course = lab.make()
    job = Job(course.path, "echo", lab.sandbox.level)
    keys = [job_key(course, job)]

    keys += [job_key(course, replace(job, **{name: value})) for name, value in (
        ("device", "cuda"), ("level", "none"), ("hidden", False), ("select", ("echo",)), ("pairs", 3)
    )]  # fmt: skip
    with (course.root / "assignments/echo/check_echo.py").open("a") as file:
        file.write("\n# changed\n")
    keys.append(job_key(load_course(course.path), job))

    assert len(set(keys)) == 7
    assert len(engine_digest()) == 64


def test_identical_submissions_are_graded_once_and_a_second_run_grades_nothing(lab: Lab, tmp_path: Path) -> None:
    course = lab.make()
    job, reuse = Job(course.path, "echo", lab.sandbox.level), Reuse(url(tmp_path))
    one = replace(ADA, source=RIGHT, digest="sha256:right")
    submissions = [one, replace(one, student="bob")]

    first = dict(grade_all(job, submissions, reuse=reuse))
    second = dict(grade_all(job, submissions, reuse=reuse))

    assert [first[place].student for place in (0, 1)] == ["ada", "bob"]
    assert [first[place].score for place in (0, 1)] == [3.0, 3.0]
    assert first[0].seconds == pytest.approx(first[1].seconds, abs=1e-3)
    assert [report.document() for report in second.values()] == [first[place].document() for place in second]
