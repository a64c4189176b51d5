"""Pages show what they should, to whom they should, and nothing that a submission wrote is more than text on them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from harness import CHECKS, COURSE, RIGHT, Lab
from hypothesis import example, given
from hypothesis import strategies as st
from made_up_class import (
    ABOUT,
    ADA,
    BOB,
    CLASS,
    FAILED,
    FAST,
    HIDDEN,
    HOSTILE,
    LOST,
    NOT_LOADED,
    ODD,
    SOURCE,
    check,
    findings,
    no_number,
    report,
    timed,
)

from autograder.cli.main import main
from autograder.course.loading import Course, load_course
from autograder.errors import CourseError
from autograder.report.credit import score, share
from autograder.report.html.class_page import class_page
from autograder.report.html.folder import CLASS_PAGE, Graded, file_names, prepare, write_pages
from autograder.report.html.measure import Limit, Measure, limit_of, measure_of
from autograder.report.html.pages import POLICY, class_html, student_html
from autograder.report.html.plots import credit_plot, histogram, limit_plot, segments
from autograder.report.html.student_page import student_page
from autograder.report.model import Report, to_json
from autograder.report.text import readable


def page_of(own: Report, *, feedback: str = "hint", source: str = "") -> str:
    """Return a student's page."""
    return student_html(student_page(replace(ABOUT, feedback=feedback), own, source=source))


def page_of_class(reports: list[Report] = CLASS) -> str:
    """Return the page of a class."""
    links = [f"students/{file}" for file in file_names(reports)]
    return class_html(class_page(ABOUT, reports, links=links, findings=findings(reports)))


def parsed(html: str) -> ElementTree.Element:
    """Parse a page strictly: it is XML as well."""
    return ElementTree.fromstring(html.encode("utf-8"))


def words(html: str) -> str:
    """Return the text of a page, with single spaces."""
    (body,) = parsed(html).iter("body")
    return " ".join("".join(body.itertext()).split())


def shape(html: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return a page's elements, each with the names of its attributes."""
    return [(element.tag, tuple(element.attrib)) for element in parsed(html).iter()]


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A course with one assignment, `echo`."""
    files = {
        "course.yml": COURSE.format(level="process"),
        "assignments/echo/echo.py": SOURCE,
        "assignments/echo/check_echo.py": CHECKS,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "solutions").mkdir()
    return load_course(tmp_path / "course.yml")


# -- what a page is ----------------------------------------------------------------------------------------------------

PAGES = {
    "lost points": lambda: page_of(ADA, source=SOURCE),
    "all points": lambda: page_of(BOB),
    "speed-up": lambda: page_of(FAST),
    "hostile": lambda: page_of(ODD, source=HOSTILE * 9),
    "not loaded": lambda: page_of(report("cy", *NOT_LOADED)),
    "unreadable": lambda: page_of(replace(report("cy", *NOT_LOADED), error="cy.py: is empty")),
    "nothing": lambda: page_of(replace(BOB, checks=(), submitted_at=None)),
    "class": page_of_class,
    "nobody": lambda: page_of_class([]),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_from_outside_and_runs_nothing(name: str) -> None:
    html = PAGES[name]()

    root = parsed(html)
    assert (root.tag, root.get("lang")) == ("html", "en")
    addresses = [value for each in root.iter() for key, value in each.items() if key in ("href", "src", "action")]
    assert [value for value in addresses if not re.fullmatch(r"#[a-z0-9-]+|data:,|students/[a-z0-9~._-]+", value)] == []
    assert not {"script", "iframe", "object", "form", "base", "img"} & {each.tag for each in root.iter()}
    assert [key for each in root.iter() for key in each.keys() if key.startswith("on")] == []  # noqa: SIM118
    assert "url(" not in html and "@import" not in html
    assert [each.get("content") for each in root.iter("meta") if "http-equiv" in each.attrib] == [POLICY]
    assert POLICY.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_its_headings_in_order_and_every_label_it_refers_to(name: str) -> None:
    root = parsed(PAGES[name]())

    levels = [int(each.tag[1]) for each in root.iter() if re.fullmatch("h[1-6]", each.tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    ids = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids))
    named = [each.get("aria-labelledby", "").split() for each in root.iter()]
    inside = [[value[1:]] for each in root.iter("a") if (value := each.get("href", "")).startswith("#")]
    assert {label for labels in (*named, *inside) for label in labels} <= set(ids)
    for table in root.iter("table"):
        assert table.find("caption") is not None
        assert all(cell.get("scope") in ("col", "row") for cell in table.iter("th"))
    for image in root.iter("svg"):
        drawn = image.get("aria-hidden") == "true"
        assert drawn or (
            image.get("role") == "img" and image.get("aria-labelledby") and image.find("title") is not None
        )


def test_what_was_written_is_text_wherever_it_stands() -> None:
    harmless = "x"
    everywhere = replace(
        report(
            harmless,
            replace(LOST, message=harmless, output=harmless, hint=harmless, title=harmless),
            check(harmless, 1.0, 1.0, output=harmless),
            submitted_at=harmless,
            digest=harmless,
        ),
        notes=(harmless,),
        flags=(harmless,),
    )
    source = "\n" * 4 + harmless

    def spoilt(text: str) -> Report:
        checks = tuple(
            replace(
                each,
                **{
                    key: text.replace("\n", "\r") if key == "message" else text  # whose lines have places of their own
                    for key in ("name", "message", "output", "hint", "title")
                    if getattr(each, key) == harmless
                },
            )
            for each in everywhere.checks
        )
        fields = {key: text for key in ("student", "submitted_at", "digest")}
        return replace(everywhere, checks=checks, notes=(text,), flags=(text,), **fields)

    def alone(own: Report) -> str:
        return class_html(class_page(ABOUT, [own], links=["students/x.html"]))

    @given(st.text(st.characters(), min_size=1).filter(lambda text: text.strip() and text.strip("\n") == text))
    @example(HOSTILE)
    @example("\ufffe\x00\x85\u2028")
    def holds(text: str) -> None:
        hostile = spoilt(text)

        assert shape(page_of(hostile, source="\n" * 4 + "y")) == shape(page_of(everywhere, source=source))
        assert shape(alone(hostile)) == shape(alone(everywhere))

    holds()
    found = parsed(page_of(spoilt(HOSTILE)))
    assert "".join(found.find(".//p[@class='reason']").itertext()) == readable(HOSTILE)  # type: ignore[union-attr]


def test_controls_and_marks_of_direction_are_shown_as_escapes() -> None:
    page = page_of(report("a\tb\x1b[2J\u202egpj\ud800\r"))

    assert "a       b\\x1b[2J\\u202egpj\\ud800\\r" in page
    assert not set(page_of(ODD)) & set("\x1b\u202e\ud800\r")


# -- what a student reads ----------------------------------------------------------------------------------------------


def test_a_student_reads_score_verdict_reason_hint_own_lines_and_output() -> None:
    said = words(page_of(ADA, source=SOURCE))

    assert "5.8 of 20 points" in said
    assert "1 of 5 checks earned all their points." in said
    assert "✗ raised 0 of 4 points" in said
    assert "RuntimeError: view size is not compatible with input tensor's size and stride" in said
    assert "Hint: what does the derivative of a maximum look like where two elements are equal?" in said
    assert "0 of 4 points 2 of 6 cases" in said
    assert "4 def echo(x): › 5 y = x.view(-1) 6 return y.cuda()" in said
    assert "What your code printed in values (2 lines) shape torch.Size([4, 3]) stride (1, 4)" in said
    assert "What your code printed in gradient (260 lines)" in said and "230 more lines are not shown." in said
    assert "1 other file was not read" in said
    for part in (ADA.digest, "2030-01-30 20:15 UTC", "2030-01-31 23:59 UTC", "cpu", "namespaces", "2.13 s"):
        assert part in said.partition("Receipt")[2]


def test_without_the_source_the_numbers_of_the_lines_are_told() -> None:
    assert "In your module: line 5." in words(page_of(ADA))


@pytest.mark.parametrize(
    ("feedback", "told"),
    [
        ("none", False),
        ("verdict", "your code used up its time in a hidden check Measured"),
        ("hint", "your code used up its time in a hidden check: think of what is larger than a batch Measured"),
    ],
)
def test_of_a_hidden_check_a_student_reads_what_the_course_allows(feedback: str, told: str | bool) -> None:
    html = page_of(report("ada", HIDDEN), feedback=feedback)

    said = words(html)
    for secret in ("SECRET", "123456", "123457"):
        assert secret not in html
    assert ("a million elements" in said) == (told is not False)
    if isinstance(told, str):
        assert told in said
    else:
        assert "hidden check" in said and "used up its time" not in said and "batch" not in said


def test_the_score_counts_hidden_checks_of_which_nothing_else_is_said() -> None:
    said = words(page_of(report("ada", HIDDEN), feedback="none"))

    assert "14 of 20 points" in said
    assert "4 of 5 checks earned all their points." in said
    assert "hidden checks what the hidden checks gave ✗ failed 0 of 6" in said


@pytest.mark.parametrize("feedback", ["none", "verdict", "hint"])
def test_what_is_for_the_instructor_alone_is_on_no_students_page(feedback: str) -> None:
    html = page_of(ADA, feedback=feedback)

    assert ADA.seed not in html
    assert "FLAG-OF-ADA" not in html
    assert CLASS_PAGE not in html


def test_a_reason_that_many_checks_share_is_given_once() -> None:
    cases = [
        replace(each, message=f"{each.message}\n  line 4: def echo(x)\n({n} of {n} cases)")
        for n, each in enumerate(NOT_LOADED, 2)
    ]
    passed = page_of(report("cy", *cases))
    nothing = page_of(report("cy", *cases, replace(HIDDEN, verdict="not_run")))

    assert passed.count("SyntaxError") == nothing.count("SyntaxError") == 1
    assert "values, gradient, speed, memory – not run echo.py does not load: SyntaxError" in words(passed)
    assert "Every check – not run echo.py does not load: SyntaxError" in words(nothing)
    assert "cases)" not in passed


def test_a_long_message_shows_its_first_line_and_folds_the_rest() -> None:
    message = "[(3, 4)] gradcheck: Jacobian mismatch,\n" + "numerical: 0.0\n" * 40 + "(3 of 6 cases)"
    root = parsed(page_of(report("cy", replace(FAILED, message=message, output=""))))

    assert ["".join(each.itertext()) for each in root.findall(".//p[@class='reason']")] == [
        "[(3, 4)] gradcheck: Jacobian mismatch,"
    ]
    assert "✗ failed 0 of 3 points 3 of 6 cases" in words(ElementTree.tostring(root, encoding="unicode"))
    assert [each.text for each in root.iter("summary")] == ["The rest of the message (40 lines)"]


def test_two_checks_of_one_reason_keep_their_own_titles() -> None:
    html = page_of(report("cy", *NOT_LOADED[:2]))

    assert html.count("SyntaxError") == 2


def test_a_submission_that_cannot_be_read_says_so_once() -> None:
    said = words(page_of(replace(report("cy", *NOT_LOADED), error="cy.py: is empty; expected a module")))

    assert "Nothing could be graded. cy.py: is empty; expected a module" in said
    assert "Where points were lost" not in said


def test_a_score_that_is_not_final_says_so() -> None:
    own = report("cy", check("memory", 0.0, 3.0, "grader_error"))

    assert "This score is not final." in words(page_of(own))
    assert "This score is not final." not in words(page_of(BOB))


def test_lateness_is_told_beside_the_score() -> None:
    late = student_html(student_page(ABOUT, BOB, standing=(2.0, 18.0)))
    in_time = student_html(student_page(ABOUT, BOB, standing=(0.0, 20.0)))

    assert "18 points are in the gradebook: the late penalty is 2." in words(late)
    assert "in the gradebook" not in words(in_time)
    assert "21 points are in the gradebook." in words(student_html(student_page(ABOUT, BOB, standing=(0.0, 21.0))))


# -- plots -------------------------------------------------------------------------------------------------------------

SLOW = Measure("ratio", 6.0, 5.8, 6.2, full_at=4.5, zero_at=9.0)
SPEED_UP = Measure("ratio", 0.02, 0.019, 0.021, full_at=0.0125, zero_at=0.05)


def stairs(path: str) -> Iterator[tuple[float, float, float]]:
    """Yield each level of a path with its ends: left, right, height."""
    x, y = (float(number) for number in path[1:].split("H")[0].split())
    for to, after in re.findall(r"H([\d.]+)(?:V([\d.]+))?", path):
        yield min(x, float(to)), max(x, float(to)), y
        x, y = float(to), float(after) if after else y


@pytest.mark.parametrize("measure", [SLOW, SPEED_UP])
@pytest.mark.parametrize("points", [0.25, 2.5, 4.0])
def test_the_drawn_credit_is_the_score_of_each_value(measure: Measure, points: float) -> None:
    plot = credit_plot(measure, points)
    levels = list(stairs(plot.stairs))

    for step in range(200):
        value = measure.full_at * (measure.zero_at / measure.full_at) ** (step / 199 * 0.998 + 0.001)
        # Full and no credit are drawn where they are: between them the axis is logarithmic.
        part = math.log(value / measure.full_at) / math.log(measure.zero_at / measure.full_at)
        x = plot.full.x + part * (plot.none.x - plot.full.x)
        earned = score(points, share(value, full_at=measure.full_at, zero_at=measure.zero_at))
        height = plot.floor - (plot.floor - plot.top) * earned / points
        assert any(left - 0.1 <= x <= right + 0.1 and abs(y - height) < 0.1 for left, right, y in levels), value


def test_the_dot_is_where_credit_is_taken() -> None:
    plot = credit_plot(SLOW, 4.0)

    assert plot.band[0] == pytest.approx(plot.dot[0])
    assert plot.full.x < plot.dot[0] < plot.value.x < plot.band[1] < plot.none.x
    earned = (plot.floor - plot.dot[1]) / (plot.floor - plot.top) * 4
    assert earned == pytest.approx(score(4.0, share(5.8, full_at=4.5, zero_at=9.0)))


def test_a_speed_up_grows_from_left_to_right() -> None:
    plot = credit_plot(SPEED_UP, 4.0)

    assert plot.left < plot.none.x < plot.band[0] < plot.value.x < plot.band[1] < plot.full.x < plot.right
    assert (plot.none.label, plot.value.label, plot.full.label) == ("20", "50", "80")
    assert plot.dot[0] == pytest.approx(plot.band[1])


@pytest.mark.parametrize("value", [1e-9, 0.0, 0.1, 1.0, 4.5, 9.0, 11.0, 1e9])
def test_every_value_lies_on_the_scale_and_says_where_it_does_not(value: float) -> None:
    plot = credit_plot(Measure("ratio", value, value, value, full_at=4.5, zero_at=9.0), 4.0)

    assert plot.left <= plot.value.x <= plot.right
    assert plot.beyond == (value < 2.5 or value > 19)
    assert plot.none.x - plot.full.x > 80  # so far apart that their labels do not touch
    assert plot.band[1] - plot.band[0] == pytest.approx(2)


def test_a_measure_that_did_not_decide_is_not_drawn() -> None:
    forbidden = check("speed", 0.0, 4.0, "forbidden", measured={"ratio": 2.0, "full_at": 4.5, "zero_at": 9.0})
    wrong_later = check("speed", 0.0, 4.0, "failed", measured={"ratio": 2.0, "full_at": 4.5, "zero_at": 9.0})

    assert [measure_of(each) for each in (forbidden, wrong_later, no_number(), LOST)] == [None] * 4
    assert measure_of(timed(30.0)) is not None


def test_memory_and_other_measures_are_drawn_by_their_names() -> None:
    (memory,) = (each for each in BOB.checks if each.name == "memory")

    assert measure_of(memory) == Measure("memory", 1.02, 1.02, 1.02, full_at=1.2, zero_at=2.0)
    assert "Measured: memory 1.02. Points fall in steps of 0.1 from full credit at 1.2 to none at 2;" in words(
        page_of(BOB)
    )


@pytest.mark.parametrize(("value", "limit_x"), [(0.2, 319.5), (0.8, 176.7)])
def test_a_measure_that_earns_all_or_nothing_is_a_bar_beside_its_limit(value: float, limit_x: float) -> None:
    kept = check("memory", 2.0, 2.0, measured={"memory": value, "most": 0.4})

    plot = limit_plot(Limit("memory", value, 0.4))
    page = words(page_of(report("ada", kept)))

    assert limit_of(kept) == Limit("memory", value, 0.4)
    assert (plot.left + plot.width <= plot.limit.x) is (value <= 0.4)
    assert plot.limit.x == pytest.approx(limit_x, abs=0.1)
    assert f"Measured: memory {value}, at most 0.4 was allowed." in page


def test_a_limit_without_a_number_is_not_drawn() -> None:
    assert limit_of(check("memory", 0.0, 2.0, "failed", measured={"memory": math.nan, "most": 0.4})) is None
    assert limit_of(timed(2.0)) is None


def test_the_measure_is_told_in_words_as_well() -> None:
    slow, fast = words(page_of(ADA)), words(page_of(FAST))

    assert "Measured: 5.8 times the baseline's time, between 5.63 and 5.97 (the band)." in slow
    assert "Measured: 50 times as fast as the baseline, between 48.5 and 51.5 (the band)." in fast


def test_a_histogram_counts_every_score_once() -> None:
    plot = histogram([0.0, 1.9, 2.0, 13.999, 14.0, 19.9, 20.0, 20.0], max_score=20.0, pass_mark=0.5)

    assert [bar.count for bar in plot.bars] == [2, 1, 0, 0, 0, 0, 1, 1, 0, 3]
    assert [(bar.label, bar.height) for bar in plot.bars[-1:]] == [("18 to 20", plot.floor - 28)]
    assert plot.pass_x == (plot.left + plot.right) / 2


def test_a_bar_of_points_gives_each_check_its_share() -> None:
    first, second = segments([(1.0, 4.0), (12.0, 12.0), (0.0, 0.0)], gap=0)

    assert (first.x, first.width, first.earned) == (0, 90, 22.5)
    assert (second.x, second.width, second.earned) == (90, 270, 270)


# -- the page of a class -----------------------------------------------------------------------------------------------


def test_the_page_of_a_class_says_that_it_is_not_for_students() -> None:
    html = page_of_class()

    assert "not-for-students" in CLASS_PAGE
    assert words(html).startswith("For the instructor. Not for students.")
    assert "(not for students)" in html.partition("</title>")[0]


def test_students_stand_in_the_order_of_their_names_and_lead_to_their_pages() -> None:
    root = parsed(page_of_class())

    rows = root.findall(".//table[@class='students']/tbody/tr/th/a")
    names = [row.text for row in rows]
    assert names.index("bob") < names.index("dana9") < names.index("dana10") < names.index("Fatima")
    assert len(names) == len(CLASS)
    assert [row.get("href") for row in rows if row.text == "bob"] == ["students/bob.html"]


def test_the_hardest_check_comes_first() -> None:
    reports = [report("ada", FAILED), report("bob", FAILED, LOST), report("cy", FAILED, timed(6.0))]

    rows = class_page(ABOUT, reports, links=["a", "b", "c"]).checks

    assert [(row.name, row.full, row.credit) for row in rows[:3]] == [
        ("gradient", 0, 0),
        ("values", 67, 67),
        ("speed", 67, 88),
    ]
    assert [(verdict.word, count) for verdict, count in rows[2].verdicts] == [("passed", 2), ("partly", 1)]


def test_flags_are_gathered_the_rarest_first() -> None:
    reports = [report(name, flags=("level user", "too fast")[: 1 + (name == "cy")]) for name in ("ada", "bob", "cy")]

    flags = class_page(ABOUT, reports, links=["a", "b", "c"]).flags

    assert [(flag.text, [name for name, _ in flag.students]) for flag in flags] == [
        ("too fast", ["cy"]),
        ("level user", ["ada", "bob", "cy"]),
    ]


def test_a_flag_of_many_submissions_folds_their_names() -> None:
    def folded(count: int) -> list[str | None]:
        root = parsed(page_of_class([report(f"s{number}", flags=("level user",)) for number in range(count)]))
        return [each.text for each in root.findall(".//ul[@class='flags']//summary")]

    assert (folded(12), folded(13)) == ([], ["13 submissions"])


def test_copies_ranks_and_what_is_not_graded_are_listed() -> None:
    said = words(page_of_class())

    assert "ada bob identical" in said
    assert "bob " + " ".join(readable(HOSTILE).split()) + " 73%" in said
    assert "Submitted and not graded yet: gregor" in said
    assert "Not final: a check ended in an internal grader error; grade again. Fatima" in said
    assert "speed on cpu" in said and "Full credit at 4.5, none at 9" in said
    assert "emil: forbidden: called torch.clone, which this assignment forbids" in said


def test_several_devices_are_told_apart(course: Course, tmp_path: Path) -> None:
    reports = [report("ada"), report("ada", timed(2.0), device="cuda"), report("bob")]

    paths = write_pages(tmp_path / "out", Graded(reports, findings=findings(reports)), course=course, name="echo")

    assert len({path.name.casefold() for path in paths}) == 4
    assert "ada 20 cpu" in words(paths[-1].read_text()) and "ada 20 cuda" in words(paths[-1].read_text())


# -- files -------------------------------------------------------------------------------------------------------------

NAMES = [
    *("ada", "Ada", "ADA", "ada.", "ada lovelace", "ada-lovelace", "Zoë", "Zoe\u0308", "zoe", "李雷", "韩梅梅"),
    *(
        "",
        " ",
        ".",
        "..",
        "../../etc/passwd",
        "a/b",
        "a\\b",
        "con",
        "CON",
        "nul.txt",
        "aux",
        "-rf",
        "~",
        "ada~5eed5eed",
    ),
    *("x" * 300, "x" * 299, "a:b", "\ud800", "\x00", "index.html", "class-not-for-students"),
]


def test_names_of_files_are_safe_and_never_the_same() -> None:
    names = file_names([report(name) for name in NAMES])

    assert len({name.casefold() for name in names}) == len(NAMES)
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9._~-]*\.html", name) and len(name) <= 110 and ".." not in name
        assert name.split(".")[0] not in ("con", "nul", "aux")
    assert names[0] == "ada.html"
    assert re.fullmatch(r"ada-lovelace~[0-9a-f]{8}\.html", names[4])
    assert names[5] == "ada-lovelace.html"


@given(st.lists(st.text(max_size=8), unique=True, max_size=20))
def test_two_names_never_share_a_file(names: list[str]) -> None:
    assert len({name.casefold() for name in file_names([report(name) for name in names])}) == len(names)


def test_pages_are_written_and_written_again(course: Course, tmp_path: Path) -> None:
    folder = tmp_path / "pages" / "deep"

    first = write_pages(folder, Graded(CLASS, findings=findings()), course=course, name="echo")
    again = write_pages(folder, Graded(CLASS, findings=findings()), course=course, name="echo")

    assert first == again and len(first) == len(CLASS) + 1
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(first)
    assert first[-1] == folder / CLASS_PAGE
    links = re.findall(r'href="(students/[^"]+)"', first[-1].read_text())
    assert {folder / link for link in links} == set(first[:-1])


def test_a_single_report_has_no_page_of_a_class(course: Course, tmp_path: Path) -> None:
    assert write_pages(tmp_path / "out", Graded([BOB]), course=course, name="echo") == [
        tmp_path / "out/students/bob.html"
    ]


def test_a_file_that_is_not_ours_is_never_replaced(tmp_path: Path) -> None:
    own = tmp_path / "students" / "ada.html"
    own.parent.mkdir()
    own.write_text("<h1>mine</h1>")

    with pytest.raises(CourseError) as refused:
        prepare(tmp_path, "echo")

    assert str(refused.value) == (
        f"{own}: is there already and is no page about echo that autograde wrote; "
        "expected a folder without it; name another one"
    )
    assert own.read_text() == "<h1>mine</h1>"


def test_pages_of_another_assignment_are_never_replaced(course: Course, tmp_path: Path) -> None:
    write_pages(tmp_path / "out", Graded([BOB]), course=course, name="echo")

    with pytest.raises(CourseError, match=r"bob\.html: is there already and is no page about sam that autograde wrote"):
        prepare(tmp_path / "out", "sam")


def test_a_folder_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CourseError) as is_file:
        prepare(tmp_path / "file", "echo")
    with pytest.raises(CourseError) as below:
        prepare(tmp_path / "file" / "out", "echo")

    assert str(is_file.value) == f"{tmp_path}/file: is a file; expected a folder for pages; name another one"
    assert str(below.value) == (
        f"{tmp_path}/file/out: Not a directory; expected a folder that can be written; name another one"
    )


# -- commands ----------------------------------------------------------------------------------------------------------


def autograde(root: Path, *arguments: str) -> Result:
    """Run a command in a course."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return CliRunner().invoke(main, arguments, catch_exceptions=False)


def test_pages_are_written_from_a_document_of_reports(course: Course) -> None:
    (course.root / "reports.json").write_text(to_json([ADA, BOB]), encoding="utf-8")

    result = autograde(course.root, "report", "echo", "--json", "reports.json", "--html", "out")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "pages: out/class-not-for-students.html\n"
    assert sorted(path.name for path in (course.root / "out" / "students").iterdir()) == ["ada.html", "bob.html"]
    page = (course.root / "out" / CLASS_PAGE).read_text(encoding="utf-8")
    assert '<h2 id="copies">' not in page  # without submissions none were looked for
    assert '<h2 id="speed">' not in page  # the course has no thresholds


def test_grading_writes_pages_of_a_class_and_later_of_one(lab: Lab) -> None:
    lab.make()
    lab.write("class/ada/echo.py", RIGHT)
    lab.write("class/bob/echo.py", "def echo(x):\n    print('look here')\n    raise ValueError(x.shape)\n")

    graded = autograde(lab.root, "grade", "echo", "class", "--html", "out", "--quiet")
    of_class = (lab.root / "out" / CLASS_PAGE).read_text(encoding="utf-8")
    again = autograde(lab.root, "grade", "echo", "class/bob/echo.py", "--html", "out", "--quiet")

    assert (graded.exit_code, again.exit_code) == (1, 1)
    assert again.stderr.endswith("pages: out/students/bob.html\n")
    assert (lab.root / "out" / CLASS_PAGE).read_text(encoding="utf-8") == of_class
    assert "None were found." in words(of_class)
    bob = words((lab.root / "out/students/bob.html").read_text(encoding="utf-8"))
    assert "1 def echo(x): 2 print('look here') › 3 raise ValueError(x.shape)" in bob
    assert "What your code printed in echo (1 line) look here" in bob


def test_a_place_for_pages_that_cannot_be_written_is_refused_before_anything_is_read(course: Course) -> None:
    (course.root / "file").write_text("", encoding="utf-8")

    for command in (("grade", "echo", "no-such-submission"), ("report", "echo")):
        result = autograde(course.root, *command, "--html", "file")

        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == "autograde: file: is a file; expected a folder for pages; name another one\n"
