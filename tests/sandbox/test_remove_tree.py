"""What a worker leaves in its folder is taken away, and nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from autograder.sandbox.remove_tree import remove_tree


def test_a_folder_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "file").write_text("x")
    (folder / "a" / "b" / "file").write_text("x")

    remove_tree(str(folder))

    assert not folder.exists()


def test_folders_may_be_nested_deeper_than_any_path_or_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(tmp_path)

    remove_tree(str(folder))

    assert not folder.exists()


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    folder, course = tmp_path / "work", tmp_path / "course"
    folder.mkdir()
    course.mkdir()
    (course / "file").write_text("kept")
    (folder / "link").symlink_to(course)
    (folder / "itself").symlink_to("itself")
    (folder / "in").mkdir()
    (folder / "in" / "link").symlink_to(course)

    remove_tree(str(folder))

    assert not folder.exists()
    assert (course / "file").read_text() == "kept"


def test_a_folder_that_is_a_link_by_now_is_left_alone(tmp_path: Path) -> None:
    course = tmp_path / "course"
    course.mkdir()
    (course / "file").write_text("kept")
    (tmp_path / "work").symlink_to(course)

    remove_tree(str(tmp_path / "work"))
    remove_tree(str(tmp_path / "nothing"))

    assert (course / "file").read_text() == "kept"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # the child makes system calls only
def test_folders_without_rights_are_taken_away_by_their_owner() -> None:
    place = Path(tempfile.mkdtemp(dir="/tmp"))
    place.chmod(0o777)
    child = os.fork()
    if child == 0:  # root may do anything: somebody else has to try
        try:
            if os.geteuid() == 0:
                os.setuid(12_345)
            (place / "work" / "closed" / "inner").mkdir(parents=True)
            (place / "work" / "closed" / "inner" / "file").write_text("x")
            (place / "work" / "closed" / "inner").chmod(0)
            (place / "work" / "closed").chmod(0)
            remove_tree(str(place / "work"))
            os._exit((place / "work").exists())
        finally:
            os._exit(2)

    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    shutil.rmtree(place, ignore_errors=True)

    assert code == 0
