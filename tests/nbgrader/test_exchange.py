"""The exchange: what goes in and comes out, a clear word for whatever goes wrong, and nothing half copied."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from exchange_world import World, lines_of, make_course, refusal
from harness import RIGHT, STUB

from autograder.nbgrader.doctor import examine_nbgrader
from autograder.nbgrader.exchange.folders import read_folder, write_folder
from autograder.submission.reading import read_submission

DUE = "2030-01-31 23:59"
NOBODY = 65534


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A course with one assignment released."""
    world = make_course(tmp_path_factory.mktemp("template"), level="process", due={"echo": DUE})
    lines_of(world.instructor("build"))
    lines_of(world.instructor("release", "echo"))
    return world


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    """A copy of it that a test may change."""
    copy = World(tmp_path / "world")
    shutil.copytree(template.root, copy.root)
    for folder in copy.exchange.rglob("course.yml"):
        folder.write_text(folder.read_text().replace(str(template.root), str(copy.root)))
    return copy


@pytest.fixture
def ada(world: World) -> Path:
    """Her copy of the course, with the assignment fetched."""
    home = world.home("ada")
    shutil.copy(world.course / "course.yml", home)
    text = (home / "course.yml").read_text().replace("../exchange", str(world.exchange))
    (home / "course.yml").write_text(text)
    shutil.copytree(world.course / "assignments", home / "assignments")
    return home / "assignments" / "echo"


def entries(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.is_dir() else []


def put(world: World, name: str, **files: str) -> Path:
    """Put a folder into the inbound folder as anybody could."""
    folder = world.inbound / name
    folder.mkdir()
    for stem, text in files.items():
        (folder / {"py": "echo.py", "ipynb": "echo.ipynb", "timestamp": "timestamp.txt"}[stem]).write_text(text)
    return folder


def notebook(source: str) -> str:
    """Return a notebook of one cell."""
    cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None, "id": "a"}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f UTC")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's rights for a while, where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


# -- release and fetch -------------------------------------------------------------------------------------------------


def test_a_release_holds_what_students_need_and_says_where_it_lies(world: World) -> None:
    result = world.instructor("release", "echo")

    *files, last = lines_of(result)
    assert [file.strip() for file in files] == ["README.md", "check_echo.py", "course.yml", "echo.ipynb", "echo.py"]
    outbound = world.exchange / "made_up" / "outbound"
    assert last == f"echo: released again, the same as before: {outbound / 'echo'}"
    assert entries(outbound) == ["echo"]


def test_a_changed_release_takes_the_place_of_the_first(world: World) -> None:
    (world.course / "assignments/echo/hint.txt").write_text("Look at it.\n")

    last = lines_of(world.instructor("release", "echo"))[-1]

    folder = world.exchange / "made_up/outbound/echo"
    assert last == f"echo: released again, in place of the earlier one; who has fetched that keeps it: {folder}"
    assert "hint.txt" in entries(folder)


def test_a_stale_notebook_is_not_released(world: World) -> None:
    (world.course / "assignments/echo/echo.py").write_text(STUB + "\nnew = 1\n")

    assert refusal(world.instructor("release", "echo")) == (
        "assignments/echo/echo.ipynb: stale; expected the notebook of this stub; run `autograde build echo`"
    )


def test_instructors_commands_are_refused_in_a_students_copy(world: World, ada: Path) -> None:
    for command in ("release", "collect", "release-feedback"):
        assert refusal(world.student("ada", command, "echo")) == (
            f"{world.home('ada')}: has no solutions/; expected the instructor's copy; change to that"
        )


def test_fetching_needs_no_course_where_the_exchange_is_named(world: World) -> None:
    result = world.student("bob", "fetch", "echo", "--exchange", str(world.exchange), "--course-id", "made_up")

    target = world.home("bob") / "echo"
    assert lines_of(result)[-1] == f"echo: fetched to {target}"
    assert entries(target) == ["README.md", "check_echo.py", "course.yml", "echo.ipynb", "echo.py"]


def test_a_fetched_folder_is_enough_for_the_other_commands(world: World) -> None:
    lines_of(world.student("bob", "fetch", "echo", "--exchange", str(world.exchange), "--course-id", "made_up"))
    (world.home("bob") / "echo/echo.py").write_text(RIGHT)

    submitted = lines_of(world.student("bob", "submit", "echo", "--no-check", within="echo"))
    listed = lines_of(world.student("bob", "list", within="echo"))

    assert "submitted echo as bob to made_up" in submitted
    assert listed[2].split()[:2] == ["echo", "Give"]
    assert "submitted" in listed[2]


def test_work_is_never_written_over(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    (ada / "README.md").unlink()

    refused = refusal(world.student("ada", "fetch", "echo"))
    put_back = lines_of(world.student("ada", "fetch", "echo", "--missing"))
    again = lines_of(world.student("ada", "fetch", "echo", "--missing"))

    assert refused == (
        f"{ada}: is there already; expected to make it; your work is not overwritten; "
        "give --missing to put back files that it lacks, or move it away"
    )
    assert put_back == ["  README.md", f"echo: put back into {ada}"]
    assert again == [f"echo: nothing is missing in {ada}"]
    assert (ada / "echo.py").read_text() == RIGHT


def test_what_is_not_released_is_refused_with_what_is(world: World) -> None:
    result = world.student("bob", "fetch", "eco", "--exchange", str(world.exchange), "--course-id", "made_up")

    assert refusal(result) == (
        f"eco: not released in {world.exchange}/made_up/outbound; there are echo; "
        "check the name, or ask your instructor when it comes"
    )


def test_without_a_course_and_a_name_for_it_nothing_is_guessed(world: World) -> None:
    result = world.student("bob", "fetch", "echo", "--exchange", str(world.exchange))

    assert refusal(result) == (
        "course: neither a course.yml nor nbgrader's configuration says which; expected one of them; "
        "change to the folder that you fetched, or give --exchange and --course-id"
    )


# -- submit ------------------------------------------------------------------------------------------------------------


def test_a_module_goes_in_with_the_released_notebook_and_nothing_else(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    (ada / "data.bin").write_bytes(bytes(1 << 20))

    result = world.student("ada", "submit", "echo", "--no-check")

    digest = read_submission(ada / "echo.py", name="echo").digest
    (folder,) = world.inbound.iterdir()
    student, assignment, _, random = folder.name.split("+")
    assert (student, assignment, len(random)) == ("ada", "echo", 12)
    assert entries(folder) == ["echo.ipynb", "echo.py", "submission_secret.txt", "timestamp.txt"]
    assert (folder / "echo.py").read_text() == RIGHT
    assert (folder / "echo.ipynb").read_bytes() == (world.exchange / "made_up/outbound/echo/echo.ipynb").read_bytes()
    assert folder.stat().st_mode & 0o777 == 0o777  # the instructor may have to delete it
    lines = lines_of(result)
    assert lines[:3] == [
        f"{ada / 'echo.py'}: {len(RIGHT.splitlines())} lines, {digest}",
        "left out: data.bin; a submission is one file",
        "submitted echo as ada to made_up",
    ]
    assert lines[4:6] == [f"  digest  {digest}", f"  place   {folder}"]
    assert lines[6].startswith("in time: ")


def test_the_receipt_is_kept_and_printed_again(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    printed = lines_of(world.student("ada", "submit", "echo", "--no-check"))

    again = lines_of(world.student("ada", "list", "echo"))

    assert again == printed[1:5]
    (kept,) = world.cached("ada").iterdir()
    receipt = json.loads((kept / "receipt.json").read_text())
    assert receipt["schema"] == "autograde/receipt/v1"
    assert (receipt["student"], receipt["assignment"], receipt["file"]) == ("ada", "echo", "echo.py")
    assert receipt["digest"] in printed[3]


def test_a_file_under_any_name_goes_in_under_the_assignments(world: World, ada: Path) -> None:
    (ada / "final_v2.py").write_text(RIGHT)
    (ada / "work.ipynb").write_text(notebook(RIGHT))

    module = lines_of(world.student("ada", "submit", "echo", str(ada / "final_v2.py"), "--no-check"))
    other = lines_of(world.student("ada", "submit", "echo", str(ada / "work.ipynb"), "--no-check"))

    assert module[0].startswith(f"{ada / 'final_v2.py'} as echo.py: ")
    assert other[0].startswith(f"{ada / 'work.ipynb'} as echo.ipynb: ")
    first, second = sorted(world.inbound.iterdir(), key=lambda folder: folder.name)
    assert (first / "echo.py").read_text() == RIGHT
    assert entries(second) == ["echo.ipynb", "submission_secret.txt", "timestamp.txt"]


def test_what_goes_in_is_read_as_what_was_shown(world: World, ada: Path) -> None:
    (ada / "work.ipynb").write_text(notebook(RIGHT))
    shutil.make_archive(str(ada / "packed"), "zip", ada, "work.ipynb")

    lines = lines_of(world.student("ada", "submit", "echo", str(ada / "packed.zip"), "--no-check"))

    (folder,) = world.inbound.iterdir()
    digest = read_submission(folder, name="echo", stub=(world.course / "assignments/echo/echo.py").read_text()).digest
    assert f"  digest  {digest}" in lines


def test_where_module_and_notebook_both_changed_one_has_to_be_named(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    (ada / "echo.ipynb").write_text(notebook(RIGHT + "\nx = 1\n"))

    assert refusal(world.student("ada", "submit", "echo")) == (
        f"{ada}: both echo.py and echo.ipynb differ from the stub; expected one; name the one that counts"
    )
    assert entries(world.inbound) == []


def test_failing_checks_are_a_warning(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text("def echo(x):\n    return x.clone()\n")

    lines = lines_of(world.student("ada", "submit", "echo"))

    assert lines[1:4] == [
        "public checks: 2 of 3 points",
        "warning: points are lost in twice; `autograde check echo` says why",
        "submitted echo as ada to made_up",
    ]


def test_broken_checks_stop_no_submission(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    (ada / "check_echo.py").write_text("this is no Python\n")

    lines = lines_of(world.student("ada", "submit", "echo"))

    assert lines[1].startswith("not checked: ")
    assert lines[2] == "submitted echo as ada to made_up"


def test_what_is_due_soon_goes_in_first_and_is_checked_afterwards(world: World, ada: Path) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=10)
    change(ada, f"due: {DUE}", f"due: {soon:%Y-%m-%d %H:%M}")
    (ada / "echo.py").write_text(RIGHT)

    lines = lines_of(world.student("ada", "submit", "echo"))

    assert lines[1] == "submitted echo as ada to made_up"
    assert lines[-2:] == [
        "It was submitted first because it is due so soon; now the checks:",
        "public checks: 3 of 3 points",
    ]


def change(folder: Path, old: str, new: str) -> None:
    """Change the course.yml above an assignment's folder."""
    path = folder.parent.parent / "course.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "in time: "), (0.5, "that costs nothing"), (2.5, "that costs 20 % of the score"), (90, "costs 50 %")],
)
def test_early_and_late_are_said_with_what_they_cost(world: World, ada: Path, days: float, words: str) -> None:
    due = datetime.now(UTC) - timedelta(days=days)
    change(ada, f"due: {DUE}", f"due: {due:%Y-%m-%d %H:%M}")
    (ada / "echo.py").write_text(RIGHT)

    last = lines_of(world.student("ada", "submit", "echo", "--no-check"))[-1]

    assert words in last
    assert last.startswith("late by ") == (days > 0)


def test_a_second_submission_says_that_it_replaces_the_first(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    first = lines_of(world.student("ada", "submit", "echo", "--no-check"))
    same = lines_of(world.student("ada", "submit", "echo", "--no-check"))[-1]
    (ada / "echo.py").write_text(RIGHT + "\n# better\n")

    other = lines_of(world.student("ada", "submit", "echo", "--no-check"))[-1]

    digest = first[0].partition(" lines, ")[2][:19]
    assert same.startswith("it is the same as your submission of ") and f"({digest}); the latest counts" in same
    assert other.startswith("it replaces your submission of ") and other.endswith(f"({digest}); the latest counts")


def test_the_unchanged_stub_goes_in_with_a_warning(world: World, ada: Path) -> None:
    lines = lines_of(world.student("ada", "submit", "echo", "--no-check"))

    assert lines[1] == "warning: this is echo as it was released; if you wrote an answer, save it or name its file"
    assert len(entries(world.inbound)) == 1


def test_an_empty_file_is_refused(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text("# nothing yet\n\n")

    assert refusal(world.student("ada", "submit", "echo")) == (
        f"{ada / 'echo.py'}: holds no code; expected your echo.py or echo.ipynb; save your work and submit it again"
    )
    assert entries(world.inbound) == entries(world.cached("ada")) == []


def test_an_oversized_file_is_refused(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text("x = 1\n" * 300_000)

    assert refusal(world.student("ada", "submit", "echo")) == (
        f"{ada / 'echo.py'}: is larger than 1 MiB; expected at most that; take data out of the code"
    )
    assert entries(world.inbound) == entries(world.cached("ada")) == []


def test_a_link_is_no_submission(world: World, ada: Path) -> None:
    (ada / "echo.py").unlink()
    (ada / "echo.ipynb").unlink()
    (ada / "echo.py").symlink_to(world.course / "solutions")

    assert refusal(world.student("ada", "submit", "echo", str(ada / "echo.py"))).endswith(
        "is a symbolic link; expected a regular file or a folder; submit the file itself"
    )


def test_without_a_copy_of_the_assignment_there_is_nothing_to_submit(world: World) -> None:
    options = ("--exchange", str(world.exchange), "--course-id", "made_up")

    assert refusal(world.student("bob", "submit", "echo", *options)) == (
        f"echo: no copy of it here; expected {world.home('bob') / 'echo'}; run `autograde fetch echo`, or name your file"
    )


def test_without_an_exchange_there_is_one_line(world: World, ada: Path) -> None:
    shutil.rmtree(world.exchange)

    line = refusal(world.student("ada", "submit", "echo"))
    listed = world.student("ada", "list")

    assert line == (
        f"{world.exchange}: there is no exchange; expected the folder that `autograde release` makes; "
        "ask your instructor, or name it with --exchange"
    )
    assert lines_of(listed)[1].split() == ["name", "title", "due", "checks"]
    assert listed.stderr == f"autograde: {line}\n"


def test_without_permission_nothing_is_half_copied(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    lines_of(world.student("ada", "list"))  # imports what nobody may not be able to
    world.inbound.chmod(0o700 if os.geteuid() == 0 else 0o500)
    cache = world.cached("ada").parent
    cache.mkdir(parents=True)
    cache.chmod(0o777)
    let_everybody_in(world.root)

    with as_nobody():
        if not os.access(ada, os.X_OK, effective_ids=True):
            pytest.skip("the account nobody may not enter the folder of temporary files")
        result = world.student("ada", "submit", "echo", "--no-check")

    world.inbound.chmod(0o2733)
    assert refusal(result) == (
        f"{world.inbound}: Permission denied; expected a folder that you may write to; "
        "ask your instructor to run `autograde doctor`"
    )
    assert entries(world.inbound) == entries(world.cached("ada")) == []


def let_everybody_in(path: Path) -> None:
    """Open the folders of this test's own that lead to a path."""
    top = Path(tempfile.gettempdir())
    for folder in (path, *path.parents):
        if folder == top or not folder.is_relative_to(top):
            return
        folder.chmod(folder.stat().st_mode | 0o755)


@pytest.mark.parametrize("student", ["../bob", "a+b", "a*", ".", "a\nb"])
def test_a_name_that_is_none_is_refused(world: World, ada: Path, student: str) -> None:
    result = world.run(ada, "submit", "echo", "--student", student, student="ada")

    assert refusal(result).endswith(
        "expected a name without *, + and / that begins with no dot; give it with --student"
    )


# -- list --------------------------------------------------------------------------------------------------------------


def test_the_list_shows_where_each_assignment_stands(world: World, ada: Path) -> None:
    before = lines_of(world.student("ada", "list"))
    (ada / "echo.py").write_text(RIGHT)
    digest = read_submission(ada / "echo.py", name="echo").digest
    lines_of(world.student("ada", "submit", "echo", "--no-check"))

    after = lines_of(world.student("ada", "list"))

    assert before[1].split() == ["name", "title", "due", "checks", "state", "submitted", "digest", "feedback"]
    assert before[2].split()[-5:] == ["2", "fetched", "-", "-", "-"]
    words = after[2].split()
    assert words[words.index("2") + 1] == "submitted"
    assert words[-2:] == [digest.removeprefix("sha256:")[:12], "-"]


def test_the_instructors_list_counts_what_waits(world: World, ada: Path) -> None:
    empty = lines_of(world.instructor("list"))
    lines_of(world.student("ada", "submit", "echo", "--no-check"))
    waiting = lines_of(world.instructor("list"))[2].split()
    lines_of(world.instructor("collect", "echo"))

    collected = lines_of(world.instructor("list"))[2].split()

    assert empty[1].split()[-3:] == ["released", "waiting", "collected"]
    assert empty[2].split()[-3:] == ["yes", "0", "0"]
    assert waiting[-3:] == ["yes", "1", "0"]
    assert collected[-3:] == ["yes", "0", "1"]


# -- collect -----------------------------------------------------------------------------------------------------------


def collected(world: World, *arguments: str) -> tuple[list[str], list[str]]:
    """Collect and return the lines and the warnings, but for the one that root owns every file here."""
    result = world.instructor("collect", "echo", *arguments)
    lines = [line for line in result.stderr.splitlines() if not line.startswith("next: ")]
    warnings = [line.removeprefix("warning: ") for line in lines]
    return lines_of(result), [line for line in warnings if "submitted by the account" not in line]


def test_the_latest_submission_is_collected_once(world: World, ada: Path) -> None:
    lines_of(world.student("ada", "submit", "echo", "--no-check"))
    first = collected(world)
    (ada / "echo.py").write_text(RIGHT)
    lines_of(world.student("ada", "submit", "echo", "--no-check"))
    second = collected(world)

    third = collected(world)

    assert first == (["ada: collected", "echo: 1 submission collected, 0 there already"], [])
    words = "ada: collected, in place of an earlier one"
    assert second == ([words, "echo: 1 submission collected, 0 there already"], [])
    assert third == (["echo: 0 submissions collected, 1 there already"], [])
    assert (world.course / "submitted/ada/echo/echo.py").read_text() == RIGHT
    assert entries(world.course / "submitted/ada") == ["echo"]


def test_collecting_before_anything_was_released_is_refused(world: World) -> None:
    shutil.rmtree(world.exchange)

    assert refusal(world.instructor("collect", "echo")) == (
        f"{world.inbound}: there is no such folder; expected what was submitted; run `autograde release echo` first"
    )


def test_an_exchange_that_cannot_be_made_is_one_line(world: World) -> None:
    shutil.rmtree(world.exchange)
    world.exchange.write_text("no folder")

    assert refusal(world.instructor("release", "echo")) == (
        f"{world.exchange}: echo is not released ([Errno 20] Not a directory: '{world.exchange}/made_up'); "
        "expected nbgrader to do it; run `autograde doctor`"
    )


def test_an_earlier_submission_stays_until_the_later_one_is_whole(world: World, ada: Path) -> None:
    (ada / "echo.py").write_text(RIGHT)
    lines_of(world.student("ada", "submit", "echo", "--no-check"))
    collected(world)
    later = put(world, f"ada+echo+{stamp(datetime.now(UTC))}+later", py="x = 1\n")
    (later / "timestamp.txt").mkdir()
    (later / "timestamp.txt" / "x").touch()

    lines, warnings = collected(world)

    assert lines == ["echo: 0 submissions collected, 0 there already"]
    assert warnings[0].startswith("ada: not collected ([Errno 21] Is a directory: ")
    assert entries(world.course / "submitted/ada") == ["echo"]
    assert (world.course / "submitted/ada/echo/echo.py").read_text() == RIGHT


def test_a_link_in_a_submission_reaches_nothing_of_the_instructors(world: World) -> None:
    secret = world.course / "solutions/echo.py"
    secret.write_text(RIGHT)
    folder = put(world, f"eve+echo+{stamp(datetime.now(UTC))}+abc", ipynb="{}")
    (folder / "echo.py").symlink_to(secret)
    (folder / "more").symlink_to(world.course / "solutions")

    lines, warnings = collected(world)

    assert lines[0] == "eve: collected"
    assert entries(world.course / "submitted/eve/echo") == ["echo.ipynb", "timestamp.txt"]
    assert [warning for warning in warnings if "is a symbolic link" in warning and warning.startswith("eve: left out ")]


def test_odd_folders_stop_nobody_elses_collection(world: World, ada: Path) -> None:
    lines_of(world.student("ada", "submit", "echo", "--no-check"))
    now = stamp(datetime.now(UTC))
    for name in ("..+echo+" + now + "+x", "eve+echo+yesterday+x", "eve+echo+99999999-01-01+x", "+echo+"):
        put(world, name, py=RIGHT)
    (world.inbound / f"joe+echo+{now}+x").write_text("no folder")

    lines, warnings = collected(world)

    assert lines == ["ada: collected", "echo: 1 submission collected, 0 there already"]
    assert len(warnings) == 4  # nobody looks at names that begin with a dot
    words = "no submission; expected a folder STUDENT+ASSIGNMENT+TIME+RANDOM; left where it is"
    assert all(warning.endswith(words) for warning in warnings)
    assert not (world.course / "echo").exists()


def test_a_time_that_was_set_back_is_told(world: World) -> None:
    earlier = datetime.now(UTC) - timedelta(hours=3, minutes=10)
    put(world, f"eve+echo+{stamp(earlier)}+abc", py=RIGHT, timestamp=stamp(earlier))

    _, warnings = collected(world)

    assert warnings == [
        f"eve: says that it was submitted {earlier:%Y-%m-%d %H:%M} UTC, but the disk saw its last change 3 h later; "
        "the time was set back, files were changed afterwards, or the exchange was moved; review it"
    ]


def test_the_folders_name_says_the_time_and_not_the_file_in_it(world: World) -> None:
    now = stamp(datetime.now(UTC))
    put(world, f"eve+echo+{now}+abc", py=RIGHT, timestamp="2020-01-01 00:00:00.000000 UTC")

    _, warnings = collected(world)

    assert warnings == [f"eve: timestamp.txt differs from the folder's name, which says {now}; took the name"]
    assert (world.course / "submitted/eve/echo/timestamp.txt").read_text() == now


def test_anothers_folder_under_a_students_name_does_not_take_the_place_of_their_own(world: World, ada: Path) -> None:
    import pwd

    me = pwd.getpwuid(os.getuid()).pw_name
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder to another account")
    now = datetime.now(UTC)
    put(world, f"{me}+echo+{stamp(now)}+own", py=RIGHT)
    forged = put(world, f"{me}+echo+{stamp(now + timedelta(seconds=30))}+forged", py="x = 1\n")
    os.chown(forged, NOBODY, -1)

    collected(world)

    assert (world.course / f"submitted/{me}/echo/echo.py").read_text() == RIGHT


def test_what_nbgraders_own_submit_put_there_is_collected_and_listed(world: World, ada: Path) -> None:
    from nbgrader.coursedir import CourseDirectory
    from nbgrader.exchange.default import ExchangeSubmit
    from traitlets.config import Config

    (ada / "echo.py").write_text(RIGHT)
    config = Config()
    config.Exchange.root, config.Exchange.assignment_dir = str(world.exchange), str(ada.parent)
    config.Exchange.cache = str(world.cached("ada").parent)
    config.CourseDirectory.update(course_id="made_up", student_id="ada", assignment_id="echo")
    directory = CourseDirectory(config=config)
    from nbgrader.auth import Authenticator

    ExchangeSubmit(coursedir=directory, authenticator=Authenticator(config=config), config=config).start()

    listed = lines_of(world.student("ada", "list"))[2].split()
    lines, warnings = collected(world)

    digest = read_submission(ada / "echo.py", name="echo").digest
    assert digest.removeprefix("sha256:")[:12] in listed
    assert (lines[0], warnings) == ("ada: collected", [])
    assert (world.course / "submitted/ada/echo/echo.py").read_text() == RIGHT


# -- feedback ----------------------------------------------------------------------------------------------------------


def test_feedback_before_there_is_any_is_refused_with_the_reason(world: World, ada: Path) -> None:
    nothing = refusal(world.student("ada", "feedback", "echo"))
    lines_of(world.student("ada", "submit", "echo", "--no-check"))

    not_yet = refusal(world.student("ada", "feedback", "echo"))
    ungraded = refusal(world.instructor("release-feedback", "echo"))
    instructors = refusal(world.instructor("feedback", "echo"))

    assert nothing == (
        f"echo: no submission of ada in {world.cached('ada')}; expected one submitted from this account; "
        "run `autograde submit echo` first"
    )
    assert not_yet.startswith("echo: no feedback yet for your submission of ")
    assert ungraded == "echo: nothing is graded; expected autograded/; run `autograde grade echo` first"
    assert instructors == (
        f"{world.course}: is the instructor's copy; expected a student's; return feedback with "
        "`autograde release-feedback echo`, or give --student"
    )


# -- folders -----------------------------------------------------------------------------------------------------------


def test_a_folder_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    write_folder(target, {"a.txt": b"1", "b/c.txt": b"2"})

    with pytest.raises(TypeError):
        write_folder(target, {"a.txt": b"3", "d.txt": None}, replace=True)  # type: ignore[dict-item]
    with pytest.raises(FileExistsError):
        write_folder(target, {"a.txt": b"3"})

    assert entries(tmp_path) == ["folder"]
    assert read_folder(target) == ({"a.txt": b"1", "b/c.txt": b"2"}, [])


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    write_folder(target, {"a.txt": b"1"})

    write_folder(target, {"b.txt": b"2"}, replace=True)

    assert entries(tmp_path) == ["folder"]
    assert entries(target) == ["b.txt"]


# -- doctor ------------------------------------------------------------------------------------------------------------


def findings(world: World) -> dict[str, tuple[str, str]]:
    from autograder.course.loading import load_course

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(world.course)
        for name, value in world.environment().items():
            patch.setenv(name, value)
        looked = examine_nbgrader(load_course(world.course / "course.yml"))
        return {name: (state, text) for name, state, text in looked}


def test_a_course_in_order_has_nothing_to_complain_about(world: World) -> None:
    found = findings(world)

    for name in ("nbgrader", "exchange", "inbound", "outbound", "nbgrader_config.py", "gradebook"):
        assert found[name][0] == "ok", found[name]


def test_the_doctor_says_what_the_exchange_lacks(world: World) -> None:
    world.exchange.chmod(0o755)
    world.inbound.chmod(0o755)

    modes = findings(world)
    shutil.rmtree(world.exchange)
    missing = findings(world)

    assert modes["exchange"] == (
        "warning",
        f"{world.exchange} has mode 755; nbgrader needs 777; run `chmod 777 '{world.exchange}'`",
    )
    assert modes["inbound"] == (
        "warning",
        f"{world.inbound} has mode 755; nbgrader needs 733; run `chmod 733 '{world.inbound}'`",
    )
    assert missing["exchange"] == (
        "warning",
        f"{world.exchange} does not exist; run `mkdir -p {world.exchange} && chmod 777 {world.exchange}`, "
        "or set `exchange` in course.yml",
    )


def test_the_doctor_shows_no_password(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.root / "nowhere" / "gradebook.db"
    monkeypatch.setenv("AUTOGRADE_GRADEBOOK", f"sqlite:///{path}")
    folder = findings(world)["gradebook"]
    monkeypatch.setenv("AUTOGRADE_GRADEBOOK", "postgresql+nodriver://me:swordfish@localhost/gradebook")

    driver = findings(world)["gradebook"]

    assert folder == ("warning", f"{path.parent} cannot be written; set `gradebook` in course.yml")
    assert driver[0] == "warning"
    assert "swordfish" not in driver[1]


def test_the_doctor_misses_the_configuration(world: World) -> None:
    (world.course / "nbgrader_config.py").unlink()

    state, text = findings(world)["nbgrader_config.py"]

    assert state == "warning"
    assert text == (
        f"{world.course / 'nbgrader_config.py'} is missing; copy it from the autograder's repository, "
        "or plain nbgrader commands grade with kernels"
    )
