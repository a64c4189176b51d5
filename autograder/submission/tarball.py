"""Walk the entries of an uncompressed tar file in memory: ustar, with the long names of pax and of GNU tar.

The standard library's `tarfile` is not used: its parser of extended headers has needed quadratic time on hostile ones
(CVE-2024-6232) and it follows formats (sparse files, negative sizes) that no submission may have.

Source: POSIX.1-2017, `pax`, sections "ustar Interchange Format" and "pax Extended Header"; GNU tar manual, "Basic Tar
Format".
"""

from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = 512
_EXTENSION_BYTES = 4 << 20
_REGULAR = (b"0", b"\0", b"7")
_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_EXTENSIONS = (_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK)
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a named pipe",
}


@dataclass(frozen=True)
class TarEntry:
    """One member of a tar file: `kind` is "a file", "a folder" or the words for what no submission may hold."""

    name: str
    kind: str
    start: int
    size_bytes: int


def tar_entries(tar: bytes) -> Iterator[TarEntry]:
    """Yield the entries of `tar` in order, up to its end mark or its end.

    Raises:
        ValueError: It is not a tar file or a damaged one.
    """
    start = 0
    extension_bytes = 0
    extended: dict[str, str] = {}
    while start + _BLOCK <= len(tar):
        header = tar[start : start + _BLOCK]
        if not header.strip(b"\0"):
            return
        _check_sum(header)
        kind = header[156:157]
        size = _number(header[124:136])
        if kind not in _EXTENSIONS and "size" in extended:
            size = _decimal(extended["size"].encode())
        has_body = kind in _REGULAR or kind in _EXTENSIONS
        start += _BLOCK
        if has_body and start + size > len(tar):
            raise ValueError("it ends too early")
        body = tar[start : start + size] if kind in _EXTENSIONS else b""
        extension_bytes += len(body)
        if extension_bytes > _EXTENSION_BYTES:
            raise ValueError("its extended headers are too large")
        if kind == _PAX:
            extended |= _pax_records(body)
        elif kind == _LONG_NAME:
            extended["path"] = _text(body.rstrip(b"\0"))
        elif kind not in _EXTENSIONS:
            name = extended.get("path", _name(header))
            extended = {}
            yield TarEntry(name, _kind(kind, name), start, size)
        if has_body:
            start += -(-size // _BLOCK) * _BLOCK


def _kind(kind: bytes, name: str) -> str:
    if kind in _REGULAR:
        return "a folder" if name.endswith("/") else "a file"  # version 7 of Unix marked folders so
    return _KINDS.get(kind, "of an unknown type")


def _name(header: bytes) -> str:
    name = _text(header[:100].split(b"\0", 1)[0])
    prefix = _text(header[345:500].split(b"\0", 1)[0]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _check_sum(header: bytes) -> None:
    # The field of the sum itself counts as eight spaces.
    if _number(header[148:156]) != sum(header) - sum(header[148:156]) + 8 * ord(" "):
        raise ValueError("a checksum does not fit")


def _number(field: bytes) -> int:
    """Read octal digits, or GNU tar's base 256 for sizes that they cannot hold."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = field.split(b"\0", 1)[0].strip()
    if digits.strip(b"01234567"):
        raise ValueError("a number in a header is not octal")
    return int(digits or b"0", 8)


def _decimal(field: bytes) -> int:
    if not field.isdigit() or len(field) > 20:
        raise ValueError("a number in a header is not decimal")
    return int(field)


def _pax_records(body: bytes) -> dict[str, str]:
    """Read the records (`LENGTH KEY=VALUE`, newline) that matter here: `path` and `size`."""
    records = {}
    start = 0
    while start < len(body):
        space = body.find(b" ", start, start + 21)
        end = start + (_decimal(body[start:space]) if space > start else 0)
        if not start < space < end <= len(body):
            raise ValueError("an extended header is damaged")
        key, _, value = body[space + 1 : end - 1].partition(b"=")
        if key in {b"path", b"size"}:
            records[key.decode()] = _text(value)
        start = end
    return records
