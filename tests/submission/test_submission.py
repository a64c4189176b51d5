"""Whatever students submit is read into one module, or refused in words that say what to do."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import stat
import subprocess
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.errors import SubmissionError
from autograder.submission import archive, folder
from autograder.submission.notebook_template import build_notebook
from autograder.submission.reading import Submission, read_submission, read_submissions
from autograder.submission.source import shown

STUB = '# %% [markdown]\n# # Doubling\n\n# %%\n"""Double."""\n\n\n# %%\ndef f(x):\n    raise NotImplementedError("f")\n'
SOLVED = STUB.replace('raise NotImplementedError("f")', "return 2 * x")
OTHER = STUB.replace('raise NotImplementedError("f")', "return x + x")


def notebook(source: str) -> str:
    return build_notebook(source, name="double")


def zipped(members: dict[str, str | bytes], mode: int = 0) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w") as file:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    return buffer.getvalue()


def tarred(members: dict[str, str | bytes], kind: bytes = tarfile.REGTYPE, form: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", format=form) as file:
        for name, content in members.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.type, info.size, info.linkname = kind, len(data), "/etc/passwd"
            file.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path) -> Submission:
    return read_submission(path, name="double", stub=STUB)


def message_of(path: Path) -> str:
    """Return the words in which `path` is refused, with the folder around it left out."""
    with pytest.raises(SubmissionError) as caught:
        read(path)
    return str(caught.value).replace(f"{path.parent}{os.sep}", "")


# --- One submission -----------------------------------------------------------------------------------------------


def test_a_module_is_read_under_any_name(tmp_path: Path) -> None:
    path = put(tmp_path / "ada.py", SOLVED)

    submission = read(path)

    digest = f"sha256:{hashlib.sha256(SOLVED.encode()).hexdigest()}"
    assert submission == Submission("ada", "double", SOLVED, digest, str(path))


def test_a_notebook_is_read_as_its_module(tmp_path: Path) -> None:
    submission = read(put(tmp_path / "ada.ipynb", notebook(SOLVED.replace("return", "%time 1\n    return"))))

    assert "return 2 * x" in submission.source
    assert submission.notes == ("not part of the module: code cell 1, line 4: %time 1",)


def test_only_the_first_removed_lines_are_told(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": "%x\n" * 25, "metadata": {}}
    path = put(tmp_path / "ada.ipynb", json.dumps({"nbformat": 4, "cells": [cell]}))

    assert len(read(path).notes) == 11
    assert read(path).notes[-1] == "not part of the module: 15 more lines"


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tgz", ".ZIP"])
@pytest.mark.parametrize("inside", ["double.py", "double/double.py", "./double/double.py", "ada/work.py"])
def test_a_module_is_found_in_an_archive(tmp_path: Path, suffix: str, inside: str) -> None:
    pack = zipped if suffix.lower() == ".zip" else tarred

    submission = read(put(tmp_path / f"ada{suffix}", pack({inside: SOLVED})))

    assert (submission.student, submission.source) == ("ada", SOLVED)
    assert submission.path == str(tmp_path / f"ada{suffix}") + "/" + inside.removeprefix("./")


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_tar_files_are_understood(tmp_path: Path, form: int) -> None:
    deep = "/".join(["a" * 60] * 3)
    data = tarred({f"{deep}/double.py": SOLVED, "ä" * 40 + ".txt": "x"}, form=form)

    assert read(put(tmp_path / "ada.tar.gz", data)).source == SOLVED


def test_what_tar_itself_packs_is_read(tmp_path: Path) -> None:
    put(tmp_path / "work" / "double" / "double.py", SOLVED)
    put(tmp_path / "work" / "double" / "notes" / "a.txt", "a")
    subprocess.run(["tar", "-czf", tmp_path / "ada.tar.gz", "-C", tmp_path / "work", "."], check=True)

    assert read(tmp_path / "ada.tar.gz").source == SOLVED


def test_folders_in_a_zip_may_be_written_with_backslashes(tmp_path: Path) -> None:
    assert read(put(tmp_path / "ada.zip", zipped({"work\\double.py": SOLVED}))).source == SOLVED


@pytest.mark.parametrize("inside", ["double.py", "double/double.py", "work.py", "a/b/double.py", "double.zip"])
def test_a_module_is_found_in_a_folder(tmp_path: Path, inside: str) -> None:
    put(tmp_path / "ada" / inside, zipped({"double.py": SOLVED}) if inside == "double.zip" else SOLVED)

    submission = read(tmp_path / "ada")

    assert (submission.student, submission.source) == ("ada", SOLVED)
    assert submission.notes == ()


def test_junk_is_not_seen_and_other_files_are_not_read(tmp_path: Path) -> None:
    junk = ["__pycache__/double.py", ".ipynb_checkpoints/double.ipynb", "__MACOSX/double.py", "._double.py", ".x"]
    others = ["conftest.py", "random.py", "data.csv"]
    files = {"double.py": SOLVED} | dict.fromkeys([*junk, *others], "nothing")
    for name, content in files.items():
        put(tmp_path / "ada" / name, content)
    put(tmp_path / "bob.zip", zipped(dict(files)))

    for submission in (read(tmp_path / "ada"), read(tmp_path / "bob.zip")):
        assert submission.source == SOLVED
        assert submission.notes == ("3 other files were not read",)


def test_the_least_deep_file_of_the_right_name_counts(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "work" / "double.py", SOLVED)
    put(tmp_path / "ada" / "work" / "old" / "double.py", OTHER)

    assert read(tmp_path / "ada").source == SOLVED


def test_another_assignment_in_its_own_folder_is_not_taken_for_this_one(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "half" / "half.py", SOLVED)

    assert message_of(tmp_path / "ada") == "ada: holds no module; expected double.py or double.ipynb; put it there"


# --- A module and a notebook side by side -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "in_notebook", "counts", "notes", "flags"),
    [
        (SOLVED, STUB, "double.py", (), ()),
        (STUB, SOLVED, "double.ipynb", ("double.py is still the stub; double.ipynb counts",), ()),
        (
            STUB.replace("\n", "  \r\n"),
            SOLVED,
            "double.ipynb",
            ("double.py is still the stub; double.ipynb counts",),
            (),
        ),
        (SOLVED, OTHER, "double.py", (), ("both double.py and double.ipynb differ from the stub; graded double.py",)),
        (STUB, STUB, "double.py", (), ()),
    ],
    ids=["module", "notebook", "white space", "both", "neither"],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "zip"])
def test_the_one_that_differs_from_the_stub_counts(
    tmp_path: Path,
    module: str,
    in_notebook: str,
    counts: str,
    notes: tuple[str, ...],
    flags: tuple[str, ...],
    packed: bool,
) -> None:
    files: dict[str, str | bytes] = {"double.py": module, "double.ipynb": notebook(in_notebook)}
    for name, content in files.items():
        put(tmp_path / "ada" / name, content)
    put(tmp_path / "ada.zip", zipped(files))

    submission = read(tmp_path / ("ada.zip" if packed else "ada"))

    assert submission.path.endswith(f"/{counts}")
    assert (submission.notes, submission.flags) == (notes, flags)


def test_without_a_stub_the_module_counts_and_is_flagged(tmp_path: Path) -> None:
    made_by_hand = json.loads(notebook(OTHER))
    made_by_hand["metadata"] = {}
    put(tmp_path / "ada" / "double.py", SOLVED)
    put(tmp_path / "ada" / "double.ipynb", json.dumps(made_by_hand))

    submission = read_submission(tmp_path / "ada", name="double")

    assert submission.source == SOLVED
    assert submission.flags == (
        "double.py and double.ipynb lie side by side and there is no stub to compare with; graded double.py",
    )


@pytest.mark.parametrize(("module", "edited", "counts"), [(SOLVED, STUB, "double.py"), (STUB, SOLVED, "double.ipynb")])
def test_without_a_stub_the_notebook_says_what_it_was_built_from(
    tmp_path: Path, module: str, edited: str, counts: str
) -> None:
    released, own = json.loads(notebook(STUB)), json.loads(notebook(edited))
    put(tmp_path / "ada" / "double.py", module)
    put(tmp_path / "ada" / "double.ipynb", json.dumps(own | {"metadata": released["metadata"]}))

    submission = read_submission(tmp_path / "ada", name="double")

    assert (submission.path.rpartition("/")[2], submission.flags) == (counts, ())


def test_a_damaged_notebook_does_not_harm_a_solved_module(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "double.py", SOLVED)
    put(tmp_path / "ada" / "double.ipynb", "{")

    submission = read(tmp_path / "ada")

    assert submission.source == SOLVED
    assert submission.flags == ("both double.py and double.ipynb differ from the stub; graded double.py",)


def test_a_damaged_notebook_beside_the_stub_is_told(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "double.py", STUB)
    put(tmp_path / "ada" / "double.ipynb", "{")

    assert message_of(tmp_path / "ada").startswith("ada/double.ipynb: not a notebook (")


# --- The text of a module -----------------------------------------------------------------------------------------


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    marked = read(put(tmp_path / "ada.py", b"\xef\xbb\xbf" + SOLVED.encode()))

    assert marked.digest == read(put(tmp_path / "bob.py", SOLVED)).digest


@pytest.mark.parametrize("line", ["# coding: utf-8", "# -*- coding: latin-1 -*-", "x = 1  # coding: rot13"])
def test_harmless_declarations_of_an_encoding_are_kept(tmp_path: Path, line: str) -> None:
    assert read(put(tmp_path / "ada.py", f"{line}\nx = 1\n")).source == f"{line}\nx = 1\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"x = 1\ny = '\xe4'\n",
            "ada.py: line 2, byte 6 is 0xe4, which is not UTF-8; expected UTF-8; save the file in that encoding",
        ),
        (
            "x = 1\n".encode("utf-16"),
            "ada.py: line 1, byte 1 is 0xff, which is not UTF-8; expected UTF-8; save the file in that encoding",
        ),
        (b"x = 1\n\0", "ada.py: line 2 holds a NUL byte; expected Python source; save the file as text"),
        (
            b"#" * 5000 + b"coding: rot13\nk = 1",
            "ada.py: declares the encoding rot13; expected UTF-8; save the file as UTF-8 and take that line out",
        ),
        (
            "#!/bin/python\n# coding: latin-1\nx = 'ä'".encode(),
            "ada.py: declares the encoding latin-1; expected UTF-8; save the file as UTF-8 and take that line out",
        ),
        (b"#" * (1 << 20) + b"\n", "ada.py: is larger than 1 MiB; expected at most that; take data out of the code"),
    ],
    ids=["latin-1", "utf-16", "nul", "rot13", "cookie", "size"],
)
def test_text_that_python_might_read_otherwise_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    assert message_of(put(tmp_path / "ada.py", content)) == expected


def test_a_syntax_error_is_for_the_student_to_read_later(tmp_path: Path) -> None:
    assert read(put(tmp_path / "ada.py", "def f(:\n")).source == "def f(:\n"


def test_a_notebook_with_huge_outputs_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "ada.ipynb", " " * (16 << 20) + "{}")

    assert message_of(path) == (
        "ada.ipynb: is larger than 16 MiB; expected at most that; "
        "clear the outputs, save the notebook and submit it again"
    )


def test_a_notebook_with_large_outputs_is_read(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [{"text": "x" * (8 << 20)}]}

    assert "x = 1" in read(put(tmp_path / "ada.ipynb", json.dumps({"nbformat": 4, "cells": [cell]}))).source


# --- Files that are no files --------------------------------------------------------------------------------------


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "solutions" / "double.py", SOLVED)
    (tmp_path / "ada.py").symlink_to(secret)
    (tmp_path / "bob").mkdir()
    (tmp_path / "bob" / "double.py").symlink_to(secret)
    (tmp_path / "eve").symlink_to(secret.parent)

    assert message_of(tmp_path / "ada.py") == (
        "ada.py: is a symbolic link; expected a regular file or a folder; submit the file itself"
    )
    assert message_of(tmp_path / "bob") == (
        "bob/double.py: is a symbolic link; expected a regular file; submit the file itself"
    )
    assert message_of(tmp_path / "eve").startswith("eve: is a symbolic link;")


def test_a_linked_folder_inside_a_submission_is_not_entered(tmp_path: Path) -> None:
    put(tmp_path / "solutions" / "double.py", SOLVED)
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada" / "double").symlink_to(tmp_path / "solutions")

    assert message_of(tmp_path / "ada").startswith("ada: holds no module;")


def test_a_folder_that_turns_into_a_link_is_not_entered(tmp_path: Path) -> None:
    put(tmp_path / "solutions" / "double.py", SOLVED)
    put(tmp_path / "ada" / "double" / "double.py", OTHER)
    (member,) = [m for level in folder.folder_levels(tmp_path, ("ada",)) for m in level]
    (tmp_path / "ada" / "double").rename(tmp_path / "away")
    (tmp_path / "ada" / "double").symlink_to(tmp_path / "solutions")

    with pytest.raises(SubmissionError, match="cannot be read"):
        member.read(100)


def test_a_named_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ada.py")
    (tmp_path / "bob").mkdir()
    os.mkfifo(tmp_path / "bob" / "double.py")

    assert message_of(tmp_path / "ada.py").startswith("ada.py: is a named pipe; expected a regular file or a folder;")
    assert message_of(tmp_path / "bob").startswith("bob/double.py: is a named pipe; expected a regular file;")


def test_a_device_is_not_opened() -> None:
    assert message_of(Path("/dev/zero")).startswith("zero: is a device;")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    put(tmp_path / "ada.py", SOLVED).chmod(0)

    assert "cannot be read (Permission denied)" in message_of(tmp_path / "ada.py")


def test_what_is_missing_empty_or_of_no_known_kind_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert message_of(tmp_path / "ada.py") == (
        "ada.py: cannot be read (No such file or directory); expected a module, a notebook, an archive or a folder; "
        "check the path and its permissions"
    )
    assert message_of(tmp_path / "empty") == "empty: holds no module; expected double.py or double.ipynb; put it there"
    assert message_of(put(tmp_path / "ada.docx", "x")) == (
        "ada.docx: is no .py, .ipynb, .zip, .tar.gz or .tgz; expected double.py or double.ipynb, alone, in a folder "
        "or in an archive; submit one of these"
    )


def test_several_files_that_could_be_meant_are_told(tmp_path: Path) -> None:
    for name in ("a.py", "b.py", "c.py", "d.ipynb"):
        put(tmp_path / "ada" / name, SOLVED)

    assert message_of(tmp_path / "ada") == (
        "ada: holds a.py, b.py, c.py and 1 more; expected one double.py or double.ipynb; "
        "submit only the file that counts"
    )


def test_a_folder_of_too_many_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "ENTRIES", 3)
    for number in range(4):
        put(tmp_path / "ada" / f"{number}.csv", "x")

    assert message_of(tmp_path / "ada") == (
        "ada: holds more than 3 files; expected the module; submit the module alone"
    )


# --- Hostile archives ---------------------------------------------------------------------------------------------

OUTSIDE = "could lie outside the archive; expected a relative name with forward slashes; pack the module alone"


@pytest.mark.parametrize("name", ["../double.py", "a/../../double.py", "/tmp/double.py", "C:/double.py"])
@pytest.mark.parametrize(("suffix", "pack"), [(".zip", zipped), (".tar.gz", tarred)], ids=["zip", "tar"])
def test_names_that_climb_or_are_absolute_are_refused(tmp_path: Path, suffix: str, pack: object, name: str) -> None:
    data = zipped({"double.py": SOLVED, name: "x"}) if suffix == ".zip" else tarred({"double.py": SOLVED, name: "x"})

    assert message_of(put(tmp_path / f"ada{suffix}", data)) == f"ada{suffix}: member '{name}' {OUTSIDE}"


@pytest.mark.parametrize("name", ["..\\double.py", "C:\\double.py", "\\double.py"])
def test_names_that_climb_by_backslashes_are_refused(tmp_path: Path, name: str) -> None:
    assert OUTSIDE in message_of(put(tmp_path / "ada.zip", zipped({name: "x"})))
    assert OUTSIDE in message_of(put(tmp_path / "ada.tar.gz", tarred({name: "x"})))


def test_control_characters_in_names_are_refused_and_not_printed(tmp_path: Path) -> None:
    path = put(tmp_path / "ada.zip", zipped({"\x1b[2J.py": "x"}))

    assert message_of(path) == (
        "ada.zip: member '\\x1b[2J.py' has control characters in its name; expected a plain name; pack the module alone"
    )


def test_a_name_that_ends_at_nul_is_refused(tmp_path: Path) -> None:
    data = zipped({"double.pyX.txt": "x"}).replace(b"double.pyX", b"double.py\0")

    assert "has control characters in its name" in message_of(put(tmp_path / "ada.zip", data))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a named pipe"),
        (tarfile.GNUTYPE_SPARSE, "of an unknown type"),
    ],
)
def test_only_regular_files_may_be_in_a_tar(tmp_path: Path, kind: bytes, words: str) -> None:
    assert message_of(put(tmp_path / "ada.tgz", tarred({"double.py": b""}, kind))) == (
        f"ada.tgz: member 'double.py' is {words}; expected plain regular files; pack the module alone"
    )


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (stat.S_IFLNK, "a symbolic link"),
        (stat.S_IFCHR, "a device"),
        (stat.S_IFIFO, "a named pipe"),
        (stat.S_IFSOCK, "a socket"),
    ],
)
def test_only_regular_files_may_be_in_a_zip(tmp_path: Path, mode: int, words: str) -> None:
    assert message_of(put(tmp_path / "ada.zip", zipped({"double.py": "/etc/passwd"}, mode))) == (
        f"ada.zip: member 'double.py' is {words}; expected plain regular files; pack the module alone"
    )


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"double.py": SOLVED}))
    data[data.index(b"PK\x01\x02") + 8] |= 1

    assert message_of(put(tmp_path / "ada.zip", bytes(data))) == (
        "ada.zip: member 'double.py' is encrypted; expected plain regular files; pack the module alone"
    )


def test_a_zip_by_a_rare_method_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("double.py", SOLVED)

    assert "is compressed by method 14" in message_of(put(tmp_path / "ada.zip", buffer.getvalue()))


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    expected = "member 'double.py' is there twice; expected one file of each name; pack the module alone"
    zip_path = put(tmp_path / "ada.zip", zipped({"double.py": STUB, "./double.py": SOLVED}))
    tar_path = put(tmp_path / "ada.tgz", tarred({"double.py": STUB, "double.py/.": SOLVED}))

    assert message_of(zip_path) == f"ada.zip: {expected}"
    assert message_of(tar_path) == f"ada.tgz: {expected}"


def test_bombs_are_refused_before_they_go_off(tmp_path: Path) -> None:
    zeros = bytes(65 << 20)
    expected = "unpacks to more than 64 MiB; expected little more than the module; pack the module alone"

    assert message_of(put(tmp_path / "ada.zip", zipped({"double.py": zeros}))) == f"ada.zip: {expected}"
    assert message_of(put(tmp_path / "ada.tgz", gzip.compress(zeros, 1))) == f"ada.tgz: {expected}"


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path: Path) -> None:
    data = zipped({"double.py": b"#" * (2 << 20)}).replace((2 << 20).to_bytes(4, "little"), (9).to_bytes(4, "little"))

    assert "ada.zip: member 'double.py' cannot be read (Bad CRC-32" in message_of(put(tmp_path / "ada.zip", data))


def test_a_large_module_in_an_archive_is_refused(tmp_path: Path) -> None:
    for name, data in {
        "ada.zip": zipped({"double.py": b"#" * (2 << 20)}),
        "ada.tgz": tarred({"double.py": b"#" * (2 << 20)}),
    }.items():
        assert message_of(put(tmp_path / name, data)) == (
            f"{name}/double.py: is larger than 1 MiB; expected at most that; take data out of the code"
        )


def test_archives_of_too_many_files_or_bytes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many: dict[str, str | bytes] = {f"{number}.txt": "" for number in range(1001)}
    expected = "holds more than 1000 files; expected little more than the module; pack the module alone"

    assert message_of(put(tmp_path / "ada.zip", zipped(many))) == f"ada.zip: {expected}"
    assert message_of(put(tmp_path / "ada.tgz", tarred(many))) == f"ada.tgz: {expected}"
    assert message_of(put(tmp_path / "eve.zip", b"PK\x01\x02" * 10_001)) == f"eve.zip: {expected}"
    assert message_of(put(tmp_path / "eve.tgz", bytes((32 << 20) + 1))) == (
        "eve.tgz: is larger than 32 MiB; expected at most that; pack the module alone"
    )


def test_names_that_are_too_deep_or_too_long_are_refused(tmp_path: Path) -> None:
    deep = put(tmp_path / "ada.zip", zipped({"a/" * 20 + "double.py": SOLVED}))
    long = put(tmp_path / "ada.tgz", tarred({"a" * 1001: SOLVED}))

    assert message_of(deep).endswith("lies too deep; expected at most 16 levels; pack the module alone")
    assert message_of(long).endswith("has too long a name; expected at most 1000 characters; pack the module alone")


def test_an_archive_in_an_archive_is_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "ada.zip", zipped({"ada/inner.zip": zipped({"double.py": SOLVED})}))

    assert message_of(path) == (
        "ada.zip/ada/inner.zip: is an archive in an archive; expected double.py or double.ipynb; pack the module alone"
    )


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("ada.zip", b"Rar!", ".zip archive (File is not a zip file)"),
        ("ada.tgz", b"Rar!", ".tar.gz archive (Error -3 while decompressing data: incorrect header check)"),
        ("ada.tgz", tarred({"double.py": SOLVED})[:-9], ".tar.gz archive (it ends too early)"),
        ("ada.tgz", gzip.compress(b"x" * 512, mtime=0), ".tar.gz archive (a number in a header is not octal)"),
        ("ada.tgz", gzip.compress(b"", mtime=0) * 17, ".tar.gz archive (it is made of too many streams)"),
    ],
)
def test_a_damaged_archive_is_told(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    assert message_of(put(tmp_path / name, data)) == (
        f"{name}: not a readable {reason}; expected one that holds the module; "
        "pack it again or submit the module itself"
    )


def test_nothing_is_written_beside_an_archive(tmp_path: Path) -> None:
    read(put(tmp_path / "ada.zip", zipped({"double.py": SOLVED, "data/x.csv": "x"})))

    assert os.listdir(tmp_path) == ["ada.zip"]


# --- A class ------------------------------------------------------------------------------------------------------


def test_a_class_is_read_in_natural_order(tmp_path: Path) -> None:
    put(tmp_path / "ada10" / "double.py", SOLVED)
    put(tmp_path / "ada9.py", SOLVED)
    put(tmp_path / "bob" / "double" / "double.ipynb", notebook(SOLVED))
    put(tmp_path / "carl.tar.gz", tarred({"double.py": SOLVED}))
    put(tmp_path / "dora.zip", zipped({"dora/answer.ipynb": notebook(SOLVED)}))
    put(tmp_path / "grades.csv", "not a submission")
    put(tmp_path / ".hidden" / "double.py", SOLVED)

    submissions = read_submissions([tmp_path], name="double", stub=STUB)

    assert [submission.student for submission in submissions] == ["ada9", "ada10", "bob", "carl", "dora"]
    assert all("return 2 * x" in submission.source and not submission.error for submission in submissions)


def test_the_folders_of_nbgrader_are_a_class(tmp_path: Path) -> None:
    for student in ("ada", "bob"):
        put(tmp_path / "submitted" / student / "double" / "double.ipynb", notebook(SOLVED))
        put(tmp_path / "submitted" / student / "double" / "timestamp.txt", "1970-01-01 00:00:00 UTC")
        put(tmp_path / "submitted" / student / "half" / "half.py", "x = 1")

    submissions = read_submissions([tmp_path / "submitted"], name="double")

    assert [(s.student, s.notes, s.submitted_at) for s in submissions] == [("ada", (), None), ("bob", (), None)]


def test_one_unreadable_submission_leaves_the_others_alone(tmp_path: Path) -> None:
    put(tmp_path / "ada.py", SOLVED)
    put(tmp_path / "bob.zip", "no archive")
    (tmp_path / "carl").mkdir()
    (tmp_path / "eve").symlink_to("/etc")
    os.mkfifo(tmp_path / "mallory.py")

    ada, bob, carl, eve, mallory = read_submissions([tmp_path], name="double")

    assert ada.source == SOLVED
    assert bob.error.endswith("pack it again or submit the module itself")
    assert carl.error.endswith("expected double.py or double.ipynb; put it there")
    assert "is a symbolic link" in eve.error
    assert "is a named pipe" in mallory.error
    assert {s.source for s in (bob, carl, eve, mallory)} == {""}
    assert len({s.digest for s in (ada, bob, carl, eve, mallory)}) == 5


def test_one_path_may_be_one_submission(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "double.py", SOLVED)
    put(tmp_path / "bob" / "double" / "double.py", SOLVED)
    put(tmp_path / "carl.py", SOLVED)
    paths = [tmp_path / "ada", tmp_path / "bob", tmp_path / "carl.py"]

    assert [s.student for s in read_submissions(paths, name="double")] == ["ada", "bob", "carl"]


def test_a_module_and_a_notebook_of_one_student_are_one_submission(tmp_path: Path) -> None:
    put(tmp_path / "ada.py", STUB)
    put(tmp_path / "ada.ipynb", notebook(SOLVED))

    (ada,) = read_submissions([tmp_path], name="double", stub=STUB)

    assert ada.path.endswith("ada.ipynb")


def test_a_second_submission_of_one_student_is_kept_and_told(tmp_path: Path) -> None:
    put(tmp_path / "ada" / "double.py", SOLVED)
    put(tmp_path / "ada.py", OTHER)

    first, second = read_submissions([tmp_path], name="double")

    assert (first.student, second.student) == ("ada", "ada (2)")
    assert first.source == SOLVED
    assert second.error == (
        f"{tmp_path}/ada.py: is a second submission of ada, after {tmp_path}/ada/double.py; expected one; take one away"
    )


def test_the_same_path_twice_is_one_submission(tmp_path: Path) -> None:
    path = put(tmp_path / "ada.py", SOLVED)

    assert len(read_submissions([path, path, tmp_path], name="double")) == 1


@pytest.mark.parametrize(
    ("path", "student"),
    [
        ("double.py", "me"),
        ("assignments/double/double.py", "me"),
        ("assignments/double", "me"),
        ("submitted/ada/double/double.py", "ada"),
        ("submitted/ada/double", "ada"),
        ("ada/double.ipynb", "ada"),
        ("ada.tar.gz", "ada"),
    ],
)
def test_a_student_is_named_by_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, student: str
) -> None:
    monkeypatch.chdir(tmp_path)
    target = Path(path) if Path(path).suffix else Path(path) / "double.py"
    packed: dict[str, str | bytes] = {".gz": tarred({"double.py": SOLVED}), ".ipynb": notebook(SOLVED)}
    put(target, packed.get(target.suffix, SOLVED))

    assert [s.student for s in read_submissions([Path(path)], name="double")] == [student]
    assert read_submission(Path(path), name="double", student="bob").student == "bob"


def test_a_path_with_nothing_to_grade_is_the_callers_mistake(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="does not exist; expected a submission or a folder of them"):
        read_submissions([tmp_path / "no"], name="double")
    with pytest.raises(SubmissionError, match="holds no submissions; expected a folder, an archive or a file"):
        read_submissions([tmp_path], name="double")


def test_names_of_students_cannot_steer_a_terminal(tmp_path: Path) -> None:
    put(tmp_path / "\x1b[31meve\udcff.py", SOLVED)

    (eve,) = read_submissions([tmp_path], name="double")

    assert eve.student == "\\x1b[31meve\\udcff"
    assert "\x1b" not in eve.path


@given(text=st.text())
def test_shown_names_print_on_one_line(text: str) -> None:
    assert shown(text).isprintable()


# --- Anything at all ----------------------------------------------------------------------------------------------

NAMES = st.text(alphabet="a.~/\\:_\0\x1b\nä", max_size=12) | st.sampled_from(
    ["double.py", "double.ipynb", "x/double.py"]
)
MEMBERS = st.dictionaries(NAMES, st.binary(max_size=40), max_size=4)
HASTY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _read_as(folder_path: Path, data: bytes, suffix: str) -> None:
    """Read `data` alone, where it may be refused, and as a class, where nothing may be raised."""
    path = put(folder_path / f"ada{suffix}", data)
    with contextlib.suppress(SubmissionError):
        read(path)
    (submission,) = read_submissions([path], name="double", stub=STUB)
    assert not (submission.error and submission.source)


@given(data=st.binary(max_size=300), suffix=st.sampled_from([".py", ".ipynb", ".zip", ".tar.gz"]))
@example(data=b"", suffix=".zip")
@HASTY
def test_random_bytes_are_read_or_refused(tmp_path: Path, data: bytes, suffix: str) -> None:
    _read_as(tmp_path, data, suffix)


@given(members=MEMBERS, place=st.floats(0, 1), patch=st.binary(max_size=8))
@HASTY
def test_damaged_archives_are_read_or_refused(
    tmp_path: Path, members: dict[str, bytes], place: float, patch: bytes
) -> None:
    packed = zipped(dict(members))
    at = int(place * len(packed))
    _read_as(tmp_path, packed[:at] + patch + packed[at + len(patch) :], ".zip")

    tar = gzip.decompress(tarred(dict(members)))
    at = int(place * min(len(tar), 1536 * (1 + len(members))))
    _read_as(tmp_path, gzip.compress(tar[:at] + patch + tar[at + len(patch) :], 1), ".tar.gz")


@given(members=MEMBERS)
@HASTY
def test_names_in_an_archive_stay_inside_it(members: dict[str, bytes]) -> None:
    for name, data in {"a.zip": zipped(dict(members)), "a.tgz": tarred(dict(members))}.items():
        try:
            found = archive.archive_members(data, where=name)
        except SubmissionError:
            continue
        for member in found:
            assert os.path.normpath(os.path.join("/in", member.name)).startswith("/in/")


def test_reading_submissions_does_not_import_torch() -> None:
    program = "import sys, autograder.submission.reading; print([m for m in ('torch', 'jupytext', 'nbformat') if m in sys.modules])"

    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "[]\n"
