"""A leaderboard ranks what was graded, by device; whoever's interval overlaps with the leader's shares the rank."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from commands import autograde, refusal
from harness import RIGHT, Lab
from hypothesis import given
from hypothesis import strategies as st

from autograder.course.loading import Course, load_course
from autograder.grading.report_store import Store, job_key, store_url
from autograder.nbgrader.gradebook.writing import read_class
from autograder.nbgrader.judging.official_report import official_job
from autograder.report.measure import Timing
from autograder.report.model import CheckResult, Report, to_json
from autograder.report.ranking import mean, rank, rankings

THRESHOLDS = """
    thresholds:
      echo:
        cpu: {full_at: 0.1, zero_at: 0.5}
      twice:
        cpu: {full_at: 0.1, zero_at: 0.5}
"""
ONE_THRESHOLD = """
    thresholds:
      twice:
        cpu: {full_at: 2.0, zero_at: 4.0}
"""
TIMINGS = st.builds(
    lambda ratio, below, above: Timing(ratio, ratio / below, ratio * above),
    st.floats(1e-4, 1e4),
    st.floats(1, 2),
    st.floats(1, 2),
)


def timed(name: str, ratio: float, width: float = 1.1, *, full_at: float = 0.1, zero_at: float = 0.5) -> CheckResult:
    """Return a check that was passed with a ratio."""
    measured = {
        "ratio": ratio,
        "ratio_low": ratio / width,
        "ratio_high": ratio * width,
        "full_at": full_at,
        "zero_at": zero_at,
    }
    return CheckResult(name, f"{name} is fast", 4.0, 1.0, "passed", measured=measured)


def report(student: str, *checks: CheckResult, device: str = "cpu", digest: str = "sha256:1") -> Report:
    return Report(student, "echo", digest, None, device, "namespaces", "0f", 1.0, flags=(), checks=checks)


WRONG = CheckResult("echo", "echo is fast", 4.0, 0.0, "failed", "3 of 4 elements are off\nand more")


# -- ranks -------------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.text(max_size=3), TIMINGS), max_size=12))
def test_a_rank_is_shared_by_those_who_overlap_with_its_first_and_counts_all_before_it(
    timings: list[tuple[str, Timing]],
) -> None:
    places = rank(timings)

    assert sorted((place.student, place.timing.ratio) for place in places) == sorted(
        (student, timing.ratio) for student, timing in timings
    )
    ratios = [place.timing.ratio for place in places]
    assert ratios == sorted(ratios)
    for position, place in enumerate(places):
        first = next(other for other in places if other.rank == place.rank)
        assert first is place or place.timing.low <= first.timing.high
        assert place.rank == places.index(first) + 1
        if place is first and position > 0:
            before = next(other for other in places if other.rank == places[position - 1].rank)
            assert place.timing.low > before.timing.high


def test_two_firsts_are_followed_by_a_third() -> None:
    places = rank([("cy", Timing(3.0, 2.9, 3.1)), ("ada", Timing(1.0, 0.9, 1.1)), ("bob", Timing(1.1, 1.0, 1.2))])

    assert [(place.rank, place.student) for place in places] == [(1, "ada"), (1, "bob"), (3, "cy")]


def test_a_chain_of_overlaps_is_no_single_rank() -> None:
    # Each overlaps with the next one, but the third not with the first.
    timings = [("ada", Timing(1.0, 0.9, 1.1)), ("bob", Timing(1.15, 1.05, 1.25)), ("cy", Timing(1.3, 1.2, 1.4))]

    assert [place.rank for place in rank(timings)] == [1, 1, 3]


@given(st.lists(TIMINGS, min_size=1, max_size=5))
def test_the_mean_is_geometric_and_lies_in_its_interval(timings: list[Timing]) -> None:
    found = mean(timings)

    assert math.isclose(found.ratio ** len(timings), math.prod(timing.ratio for timing in timings), rel_tol=1e-6)
    assert found.low <= found.ratio * (1 + 1e-12) and found.ratio <= found.high * (1 + 1e-12)


def test_each_device_has_its_own_ranking_in_each_check_and_over_all() -> None:
    reports = [
        report("ada", timed("echo", 0.02), timed("twice", 0.08)),
        report("ada", timed("echo", 0.01), timed("twice", 0.01), device="cuda"),
        report("bob", timed("echo", 0.01), timed("twice", 0.04)),
    ]

    found = rankings(reports, ["echo", "twice"])

    assert [(one.check, one.device, [place.student for place in one.places]) for one in found] == [
        ("echo", "cpu", ["bob", "ada"]),
        ("twice", "cpu", ["bob", "ada"]),
        ("", "cpu", ["bob", "ada"]),
        ("echo", "cuda", ["ada"]),
        ("twice", "cuda", ["ada"]),
        ("", "cuda", ["ada"]),
    ]
    assert math.isclose(found[2].places[0].timing.ratio, 0.02)


def test_one_check_has_no_ranking_over_all() -> None:
    assert [one.check for one in rankings([report("ada", timed("echo", 0.02))], ["echo"])] == ["echo"]


def test_who_has_no_ratio_in_a_check_is_ranked_neither_there_nor_over_all() -> None:
    found = rankings([report("ada", WRONG, timed("twice", 0.1)), report("bob", timed("echo", 0.1))], ["echo", "twice"])

    assert [one.unranked for one in found] == [
        (("ada", "failed: 3 of 4 elements are off"),),
        (("bob", "the check did not run"),),
        (("ada", "without a ratio in echo"), ("bob", "without a ratio in twice")),
    ]


# -- the command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def course(lab: Lab) -> Lab:
    """A course with two timed checks, whose store no variable moves elsewhere."""
    lab.make()
    lab.write("solutions/echo/echo.py", RIGHT)
    write_thresholds(lab, THRESHOLDS)
    return lab


def write_thresholds(lab: Lab, text: str) -> None:
    lab.make()
    path = lab.root / "course.yml"
    path.write_text(path.read_text(encoding="utf-8") + text.lstrip("\n"), encoding="utf-8")


def write_reports(lab: Lab, *reports: Report) -> None:
    (lab.root / "reports.json").write_text(to_json(reports), encoding="utf-8")


def tables(result: Result) -> list[list[list[str]]]:
    """Return what was printed: by paragraph its lines, each as words."""
    return [[line.split() for line in part.splitlines()] for part in result.stdout.strip().split("\n\n")]


def test_a_document_is_ranked_with_speed_ups(course: Lab) -> None:
    write_reports(
        course,
        report("ada", timed("echo", 0.02), timed("twice", 0.1)),
        report("bob", timed("echo", 0.021), timed("twice", 0.01)),
        report("cy", WRONG, timed("twice", 0.011)),
    )

    result = autograde(course, "report", "echo", "--json", "reports.json")

    echo, twice, total = tables(result)
    assert (result.exit_code, result.stderr) == (0, "")
    assert echo == [
        ["echo", "on", "cpu"],
        ["rank", "student", "speed-up", "low", "high"],
        ["1", "ada", "50", "45.5", "55"],
        ["1", "bob", "47.6", "43.3", "52.4"],
        ["not", "ranked:", "cy:", "failed:", "3", "of", "4", "elements", "are", "off"],
    ]
    assert [row[:3] for row in twice[2:]] == [["1", "bob", "100"], ["1", "cy", "90.9"], ["3", "ada", "10"]]
    assert total == [
        ["all", "checks,", "geometric", "mean", "on", "cpu"],
        ["rank", "student", "speed-up", "low", "high"],
        ["1", "bob", "69", "62.7", "75.9"],
        ["2", "ada", "22.4", "20.3", "24.6"],
        ["not", "ranked:", "cy:", "without", "a", "ratio", "in", "echo"],
    ]


def test_a_check_that_asks_for_no_speed_up_shows_ratios(course: Lab) -> None:
    write_thresholds(course, ONE_THRESHOLD)
    write_reports(
        course,
        report("ada", timed("twice", 3.0, full_at=2.0, zero_at=4.0)),
        report("bob", timed("twice", 2.0, full_at=2.0, zero_at=4.0)),
    )

    result = autograde(course, "report", "echo", "--json", "reports.json")

    assert tables(result) == [
        [
            ["twice", "on", "cpu"],
            ["rank", "student", "ratio", "low", "high"],
            ["1", "bob", "2", "1.82", "2.2"],
            ["2", "ada", "3", "2.73", "3.3"],
        ]
    ]


def test_one_device_may_be_asked_for(course: Lab) -> None:
    write_reports(course, report("ada", timed("echo", 0.02)), report("bob", timed("echo", 0.1), device="cuda"))

    cuda = autograde(course, "report", "echo", "--json", "reports.json", "--device", "cuda")
    mps = autograde(course, "report", "echo", "--json", "reports.json", "--device", "mps")

    assert tables(cuda)[0][0] == ["echo", "on", "cuda"]
    assert "ada" not in cuda.stdout
    assert (mps.exit_code, mps.stdout, mps.stderr) == (0, "", "echo: no report on mps\n")


def test_names_and_messages_of_a_document_act_on_no_terminal(course: Lab) -> None:
    write_reports(course, report("a\x1b[2Jda", replace(WRONG, message="\x1b[31m"), timed("twice", 0.1)))

    result = autograde(course, "report", "echo", "--json", "reports.json")

    assert "\x1b" not in result.stdout
    assert "a\\x1b[2Jda" in result.stdout


def collect(lab: Lab, student: str, source: str) -> None:
    lab.write(f"submitted/{student}/echo/echo.py", source)


def keep(course: Course, device: str, *checks: CheckResult, student: str) -> None:
    """Keep a report of a student's submission as official grading would."""
    (submission,) = [one for one in read_class(course, "echo")[0] if one.student == student]
    job = replace(official_job(course, "echo"), device=device)
    own = report(student, *checks, device=device, digest=submission.digest)
    Store(store_url(course)).keep(job_key(course, job), submission, own)


def test_what_was_collected_is_ranked_from_kept_reports_and_nothing_is_graded(course: Lab) -> None:
    for student in ("ada", "bob", "cy"):
        collect(course, student, f"# {student}\n{RIGHT}")
    loaded = load_course(course.root / "course.yml")
    keep(loaded, "cpu", timed("echo", 0.02), timed("twice", 0.1), student="ada")
    keep(loaded, "mps", timed("echo", 0.03), timed("twice", 0.2), student="bob")

    result = autograde(course, "report", "echo")

    assert result.exit_code == 0
    assert [(part[0], [row[1] for row in part[2:]]) for part in tables(result)] == [
        (["echo", "on", "cpu"], ["ada"]),
        (["twice", "on", "cpu"], ["ada"]),
        (["all", "checks,", "geometric", "mean", "on", "cpu"], ["ada"]),
        (["echo", "on", "mps"], ["bob"]),
        (["twice", "on", "mps"], ["bob"]),
        (["all", "checks,", "geometric", "mean", "on", "mps"], ["bob"]),
    ]
    assert result.stderr == "cy: not graded yet; run `autograde grade echo`\n"


def test_pages_show_the_ranking_of_what_was_collected_its_copies_and_who_is_not_graded(course: Lab) -> None:
    for student in ("ada", "bob"):
        collect(course, student, RIGHT)
    collect(course, "cy", f"# cy\n{RIGHT}")
    loaded = load_course(course.root / "course.yml")
    keep(loaded, "cpu", timed("echo", 0.02), timed("twice", 0.1), student="ada")

    result = autograde(course, "report", "echo", "--html", "out")

    page = " ".join((course.root / "out" / "class-not-for-students.html").read_text(encoding="utf-8").split())
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.splitlines() == [
        "cy: not graded yet; run `autograde grade echo`",
        f"warning: no page tells of lateness: {course.root}/gradebook.db: there is no gradebook; expected nbgrader's; "
        "run `autograde release NAME`",
        "pages: out/class-not-for-students.html",
    ]
    assert sorted(path.name for path in (course.root / "out" / "students").iterdir()) == ["ada.html", "bob.html"]
    assert "all timed checks (geometric mean) on cpu" in page
    ada, bob = (f'<a href="students/{student}.html">{student}</a>' for student in ("ada", "bob"))
    assert f'<td class="pair">{ada}</td> <td class="pair">{bob}</td> <td class="number">identical</td>' in page
    assert '<strong>Submitted and not graded yet:</strong></p> <ul class="names"> <li>cy</li>' in page


def test_a_submission_that_came_after_the_grading_is_not_graded_yet(course: Lab) -> None:
    collect(course, "ada", RIGHT)
    keep(load_course(course.root / "course.yml"), "cpu", timed("echo", 0.02), timed("twice", 0.1), student="ada")
    collect(course, "ada", f"# better\n{RIGHT}")

    result = autograde(course, "report", "echo", "--device", "cpu")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "ada: not graded yet; run `autograde grade echo`\n"


# -- refusals ----------------------------------------------------------------------------------------------------------

EXPECTED = "expected what `autograde grade echo --json reports.json` writes; name such a file"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nonsense", "is no document of reports (JSONDecodeError: Expecting value: line 1 column 1 (char 0))"),
        ("[]", "is no document of reports (TypeError: list indices must be integers or slices, not str)"),
        ('{"schema": "other"}', "is no document of reports (ValueError: its schema is 'other')"),
        ('{"schema": "autograde/report/v1"}', "is no document of reports (KeyError: 'submissions')"),
        ('{"schema": "autograde/report/v1", "submissions": []}', "holds reports of nothing"),
    ],
)
def test_what_is_no_document_of_reports_is_refused(course: Lab, text: str, found: str) -> None:
    course.write("reports.json", text)

    assert refusal(course, "report", "echo", "--json", "reports.json") == f"reports.json: {found}; {EXPECTED}"


def test_reports_of_another_assignment_are_refused(course: Lab) -> None:
    write_reports(course, replace(report("ada", timed("echo", 0.1)), assignment="ohce"))

    assert refusal(course, "report", "echo", "--json", "reports.json") == (
        f"reports.json: holds reports of ohce; {EXPECTED}"
    )


def test_an_assignment_without_timed_checks_is_refused(course: Lab) -> None:
    course.make()

    assert refusal(course, "report", "echo") == (
        "echo: course.yml has no thresholds for it; expected a timed check with some; `autograde grade echo` shows the "
        "scores of its checks"
    )


def test_a_class_of_which_nothing_is_collected_is_refused(course: Lab) -> None:
    assert refusal(course, "report", "echo").startswith(f"{Path('submitted')}/*/echo: nothing is collected; ")
