"""The course's secret is made once, whichever process is first, and is never seen half written."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.course.secret import VARIABLE, read_secret
from autograder.errors import CourseError

_READERS = 8


@pytest.fixture(autouse=True)
def _no_secret_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def read_all_at_once(path: Path) -> set[bytes]:
    """Let several readers start at the same moment; return what they found."""
    barrier = threading.Barrier(_READERS)

    def read(_: int) -> bytes:
        barrier.wait()
        return read_secret(path)

    with ThreadPoolExecutor(_READERS) as pool:
        return set(pool.map(read, range(_READERS)))


def test_readers_that_start_together_find_one_secret(tmp_path: Path) -> None:
    for turn in range(20):
        folder = tmp_path / str(turn)

        (found,) = read_all_at_once(folder / "secret")

        assert len(found) == 64
        assert [path.name for path in folder.iterdir()] == ["secret"]
        assert (folder / "secret").stat().st_mode & 0o777 == 0o600


def test_a_file_system_without_links_holds_a_secret_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)

    first, second = read_secret(tmp_path / "secret"), read_secret(tmp_path / "secret")

    assert first == second and len(first) == 64
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_a_secret_cut_short_is_said_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("short\n")

    with pytest.raises(CourseError) as caught:
        read_secret(path)

    assert str(caught.value) == f"{path}: found 5 characters; expected 16 or more; delete it to renew it"
    assert path.read_text() == "short\n"


def test_a_secret_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CourseError) as caught:
        read_secret(tmp_path / "file" / "secret")

    assert str(caught.value).endswith(f"; set {VARIABLE} or make the folder writable")
