"""List and read the members of a .zip or .tar.gz in memory; nothing is ever unpacked to disk.

An archive is refused whole where a member is anything but a regular file or a folder, where a name points outside,
and where it is larger than any honest submission.
"""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from autograder.errors import SubmissionError
from autograder.submission.source import shown
from autograder.submission.tarball import tar_entries

ARCHIVE_SUFFIXES = (".zip", ".tar.gz", ".tgz")
ARCHIVE_BYTES = 32 << 20
UNPACKED_BYTES = 64 << 20
MEMBERS = 1000
DEPTH = 16
NAME_CHARS = 1000
_GZIP_STREAMS = 16

_UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError, LookupError)
_KINDS = {
    0: "a file",
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
}
_Read = Callable[[int], bytes]


@dataclass(frozen=True)
class Member:
    """A file of a submission: its name below the submission's root, and a way to read at most so many bytes of it."""

    name: str
    read: _Read


@dataclass(frozen=True)
class _Entry:
    name: str
    kind: str
    size_bytes: int
    read: _Read


def kind_of(mode: int) -> str:
    """Say what a file is from its `st_mode`: "a file", "a folder", "a symbolic link" and so on."""
    return _KINDS.get(stat.S_IFMT(mode), "of an unknown type")


def archive_members(data: bytes, *, where: str) -> list[Member]:
    """List the regular files of the archive `data`, whose format the end of its name `where` tells.

    Raises:
        SubmissionError: It is no such archive, or it holds what none may hold (see this module's docstring).
    """
    is_zip = where.lower().endswith(".zip")
    members: dict[str, Member] = {}
    unpacked_bytes = 0
    try:
        for count, entry in enumerate(_zip_entries(data, where) if is_zip else _tar_entries(data, where), start=1):
            unpacked_bytes += entry.size_bytes
            if count > MEMBERS:
                raise _too_much(where, f"holds more than {MEMBERS} files")
            if unpacked_bytes > UNPACKED_BYTES:
                raise _too_much(where, "unpacks to more than 64 MiB")
            name = _safe_name(entry.name, where)
            if entry.kind not in {"a file", "a folder"}:
                raise _refusal(where, name, f"is {entry.kind}", "plain regular files")
            if entry.kind == "a folder" or not name:
                continue
            if name in members:
                raise _refusal(where, name, "is there twice", "one file of each name")
            members[name] = Member(name, _reader(entry, where))
    except _UNREADABLE as error:
        raise SubmissionError(
            f"{where}: not a readable {'.zip' if is_zip else '.tar.gz'} archive ({_reason(error)}); "
            "expected one that holds the module; pack it again or submit the module itself"
        ) from None
    return list(members.values())


def _too_much(where: str, found: str) -> SubmissionError:
    return SubmissionError(f"{where}: {found}; expected little more than the module; pack the module alone")


def _refusal(where: str, name: str, found: str, expected: str) -> SubmissionError:
    label = name if len(name) <= 80 else name[:80] + "…"
    return SubmissionError(f"{where}: member '{shown(label)}' {found}; expected {expected}; pack the module alone")


def _reason(error: BaseException) -> str:
    return shown(str(error)[:100]) or type(error).__name__


def _safe_name(raw: str, where: str) -> str:
    """Return the name without its empty and `.` parts, or refuse one that could mean a place outside the archive."""
    parts = raw.split("/")
    if len(raw) > NAME_CHARS:
        raise _refusal(where, raw, "has too long a name", f"at most {NAME_CHARS} characters")
    if any(ord(char) < 32 or ord(char) == 127 for char in raw):
        raise _refusal(where, raw, "has control characters in its name", "a plain name")
    if raw.startswith("/") or "\\" in raw or ".." in parts or parts[0][1:2] == ":":
        raise _refusal(where, raw, "could lie outside the archive", "a relative name with forward slashes")
    parts = [part for part in parts if part not in {"", "."}]
    if len(parts) > DEPTH:
        raise _refusal(where, raw, "lies too deep", f"at most {DEPTH} levels")
    return "/".join(parts)


def _reader(entry: _Entry, where: str) -> _Read:
    def read(limit_bytes: int) -> bytes:
        try:
            return entry.read(limit_bytes)
        except _UNREADABLE as error:
            raise _refusal(where, entry.name, f"cannot be read ({_reason(error)})", "a readable file") from None

    return read


def _zip_entries(data: bytes, where: str) -> Iterator[_Entry]:
    # zipfile parses the whole directory at once; so its entries are first counted, by their signature.
    if data.count(b"PK\x01\x02") > 10 * MEMBERS:
        raise _too_much(where, f"holds more than {MEMBERS} files")
    archive = zipfile.ZipFile(io.BytesIO(data))
    for info in archive.infolist():
        kind = kind_of(info.external_attr >> 16)
        if kind == "a file" and info.orig_filename.endswith(("/", "\\")):
            kind = "a folder"
        elif info.flag_bits & 0x1:
            kind = "encrypted"
        elif info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            kind = f"compressed by method {info.compress_type}"
        # The name as it is written: `filename` ends at the first NUL. PowerShell 5.1 writes `folder\\file`.
        yield _Entry(info.orig_filename.replace("\\", "/"), kind, info.file_size, _zip_read(archive, info))


def _zip_read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Read:
    def read(limit_bytes: int) -> bytes:
        with archive.open(info) as file:
            return file.read(limit_bytes)

    return read


def _tar_entries(data: bytes, where: str) -> Iterator[_Entry]:
    tar = _gunzip(data, where)
    for entry in tar_entries(tar):
        yield _Entry(entry.name, entry.kind, entry.size_bytes, _slice_read(tar, entry.start, entry.size_bytes))


def _slice_read(data: bytes, start: int, size: int) -> _Read:
    return lambda limit_bytes: data[start : start + min(size, limit_bytes)]


def _gunzip(data: bytes, where: str) -> bytes:
    unpacked = bytearray()
    for _ in range(_GZIP_STREAMS):
        stream = zlib.decompressobj(wbits=31)
        unpacked += stream.decompress(data, UNPACKED_BYTES + 1 - len(unpacked))
        if len(unpacked) > UNPACKED_BYTES:
            raise _too_much(where, "unpacks to more than 64 MiB")
        if not stream.eof:
            raise EOFError("it ends too early")
        data = stream.unused_data.lstrip(b"\0")
        if not data:
            return bytes(unpacked)
    raise ValueError("it is made of too many streams")
