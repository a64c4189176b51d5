"""Turn the bytes that a student submitted into the text of one Python module, and names into text safe to print."""

import hashlib
import re

from autograder.errors import SubmissionError

SOURCE_BYTES = 1 << 20

# Source: PEP 263, which reads a declaration from the first two lines only, and from the second only below a comment.
_CODING = re.compile(r"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_COMMENT_OR_BLANK = re.compile(r"[ \t\f]*(?:#|$)")
_SAME_FOR_ASCII = {"ascii", "us-ascii", "latin-1", "latin1", "iso-8859-1", "iso-8859-15", "cp1252", "windows-1252"}


def shown(text: str) -> str:
    """Return `text` with everything that does not print (controls, terminal codes, stray bytes) as an escape."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def code_lines(source: str) -> tuple[str, ...]:
    """Return the lines without white space, blank lines and comments, which tools rewrite on their own."""
    lines = ("".join(line.split()) for line in source.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def code_digest(source: str) -> str:
    """Return a digest of the lines of code, by which an untouched stub is known again."""
    return hashlib.sha256("\n".join(code_lines(source)).encode(errors="backslashreplace")).hexdigest()


def decode(data: bytes, *, where: str) -> str:
    """Decode UTF-8, with or without a byte order mark, and nothing else.

    Raises:
        SubmissionError: A byte is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise SubmissionError(
            f"{where}: line {line}, byte {column} is 0x{error.object[error.start]:02x}, which is not UTF-8; "
            "expected UTF-8; save the file in that encoding"
        ) from None


def check_source(text: str, *, where: str) -> str:
    """Return `text` if every reader of it, ours and Python's, would see the same module.

    Whether it is valid Python is not asked here: a syntax error is for the student to read when the module loads.

    Raises:
        SubmissionError: It is too long, holds NUL or lone surrogates, or declares an encoding that is not its own.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise SubmissionError(
            f"{where}: line {line} holds half a surrogate pair; expected valid Unicode; type that character again"
        ) from None
    if size > SOURCE_BYTES:
        raise SubmissionError(
            f"{where}: the code is longer than 1 MiB; expected a module written by hand; take data out of the code"
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SubmissionError(f"{where}: line {line} holds a NUL byte; expected Python source; save the file as text")
    _check_coding(text, where)
    return text


def _check_coding(text: str, where: str) -> None:
    """Refuse a declared encoding under which Python would read other code than we do."""
    for line in re.split(r"\r\n|\r|\n", text, maxsplit=2)[:2]:
        if declared := _CODING.match(line):
            name = declared[1].lower().replace("_", "-")
            is_utf8 = name in {"utf-8", "utf8"} or name.startswith("utf-8-")
            if not is_utf8 and not (name in _SAME_FOR_ASCII and text.isascii()):
                raise SubmissionError(
                    f"{where}: declares the encoding {shown(declared[1][:40])}; expected UTF-8; "
                    "save the file as UTF-8 and take that line out"
                )
            return
        if not _COMMENT_OR_BLANK.match(line):
            return
