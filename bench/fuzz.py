"""Feed the grader's two doors, the wire and the intake, with inputs that nobody would send in good faith.

    python -m bench.fuzz [--frames N] [--archives N] [--seed N] [--atheris frames|archives]

Frames: values of every kind are packed as a worker packs them, then damaged (bytes, lengths, cuts, splices, the header
as JSON), and received over a real socket. Archives: modules, notebooks, .zip and .tar.gz files with names and contents
of all kinds are damaged alike and read as a student's submission and as a class. An input may be read or refused in the
words for it; anything else is a crash, which is shown with the bytes that caused it. What is read must be plain:
contiguous tensors of no more bytes than came, names that print, members that stay inside their archive.

Hypothesis draws the inputs, in one process. With --atheris, where it is installed (it is not among the requirements),
its coverage-guided engine runs the same two functions until it is stopped; its own options follow ``--``.
"""

from __future__ import annotations

import argparse
import gzip
import inspect
import io
import json
import os
import random
import socket
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from autograder.errors import SubmissionError
from autograder.submission import archive, notebook, source, tarball
from autograder.submission import locating as candidates
from autograder.submission.notebook_template import build_notebook
from autograder.submission.reading import read_submission, read_submissions
from autograder.wire import frames, values
from autograder.wire.channel import Channel, Closed
from bench import figures

FRAMES, ARCHIVES = 100_000, 10_000
VARIANTS = 25  # damaged copies of each frame or archive that hypothesis draws
ROUND = 400  # hypothesis remembers what it drew: a new start now and then keeps it fast
SOCKET_BYTES = 60_000
STUB = '"""Double."""\n\n\ndef f(x):\n    raise NotImplementedError("f")\n'
QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck), "phases": [Phase.generate]}


# -- what is drawn -----------------------------------------------------------------------------------------------------


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    """Draw small tensors of every dtype that crosses."""
    dtype = values.DTYPES[draw(st.sampled_from(sorted(values.DTYPES)))]
    shape = draw(st.lists(st.integers(0, 3), max_size=4))
    tensor = torch.zeros(shape, dtype=dtype)
    return tensor.mT if draw(st.booleans()) and tensor.ndim > 1 else tensor


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=8),
    st.binary(max_size=20),
    st.sampled_from([torch.float16, torch.device("cpu"), torch.device("cuda:1"), values.Opaque("X", "y")]),
    tensors(),
)
VALUES = st.recursive(
    LEAVES,
    lambda values: st.one_of(
        st.lists(values, max_size=4),
        st.lists(values, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5), values, max_size=4),
    ),
    max_leaves=8,
)
NAMES = st.text(alphabet="a.~/\\:_\0\x1b\nä\u202e", max_size=12) | st.sampled_from(
    [
        "double.py",
        "double.ipynb",
        "x/double.py",
        "double/double.py",
        "__MACOSX/._double.py",
        "double.zip",
        "../double.py",
    ]
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=6,
)
CELLS = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "raw", "", 1]), "source": st.one_of(JSON, st.text(max_size=40))},
    optional={"metadata": JSON, "outputs": JSON, "execution_count": JSON},
)
NOTEBOOKS = st.fixed_dictionaries(
    {"nbformat": st.sampled_from([4, 3, "4"]) | JSON, "cells": st.lists(CELLS, max_size=4)}
)
CONTENTS = st.one_of(
    st.binary(max_size=60),
    st.just(STUB.encode()),
    st.just(build_notebook(STUB, name="double").encode()),
    NOTEBOOKS.map(lambda notebook: json.dumps(notebook).encode()),
)
MEMBERS = st.dictionaries(NAMES, CONTENTS, max_size=4)


# -- how it is damaged -------------------------------------------------------------------------------------------------

NASTY = [0, 1, 4, 24, 127, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, 2**62, 2**63 - 1, 2**63, 2**64 - 1, -1]


def damaged(data: bytes, draw: random.Random) -> bytes:
    """Return a copy with a few changes of the kinds that parsers trip over."""
    copy = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(copy) + 1)
        kind = draw.randrange(6)
        if kind == 0 and place < len(copy):
            copy[place] = draw.randrange(256)
        elif kind == 1 and place < len(copy):
            copy[place] ^= 1 << draw.randrange(8)
        elif kind == 2:
            del copy[place : place + draw.randrange(1, 16)]
        elif kind == 3:
            copy[place:place] = copy[draw.randrange(len(copy) + 1) :][: draw.randrange(1, 32)]
        elif kind == 4:
            number = draw.choice(NASTY) % 2**64
            size = draw.choice((1, 2, 4, 8))
            copy[place : place + size] = (number % 2 ** (8 * size)).to_bytes(size, draw.choice(("little", "big")))
        else:
            copy[place:place] = draw.randbytes(draw.randrange(1, 8))
    return bytes(copy)


def damaged_header(frame: bytes, draw: random.Random) -> bytes:
    """Return a frame whose header says something else somewhere, and whose lengths are right."""
    size, _ = frames.unpack_prefix(frame[: frames.PREFIX.size])
    text, body = frame[frames.PREFIX.size :][:size].decode(), frame[frames.PREFIX.size + size :]
    parts = [i for i, char in enumerate(text) if char in '0123456789[]{},:"-ntf']
    for _ in range(draw.randint(1, 3)):
        place = draw.choice(parts)
        word = draw.choice(['"T"', '"x"', "[]", "{}", "null", "1e999", "NaN", "[[", "]", ",", *map(str, NASTY)])
        text = text[:place] + word + text[place + draw.randrange(3) :]
    header = text.encode()
    return frames.PREFIX.pack(frames.MAGIC, len(header), len(body)) + header + body


# -- what is done with it ----------------------------------------------------------------------------------------------


def receive(data: bytes, *, strict: bool = True) -> str:
    """Receive one frame over a socket and decode it; say how that ended."""
    ours, theirs = socket.socketpair()
    try:
        theirs.sendall(data[:SOCKET_BYTES])
        theirs.close()
        header, buffers = Channel(ours.fileno(), ours.fileno()).receive()
        check_plain(values.Decoder(buffers, strict=strict).decode(header.get("value")), len(data))
    except frames.WireError:
        return "refused"
    except Closed:
        return "cut short"
    finally:
        ours.close()
        theirs.close()
    return "read"


def check_plain(value: Any, nbytes: int) -> None:
    """Insist on plain values that are no larger than what came."""
    if isinstance(value, torch.Tensor):
        assert type(value) is torch.Tensor and value.is_contiguous() and value.nbytes <= nbytes, value.shape
        assert value.untyped_storage().nbytes() == value.nbytes
    elif isinstance(value, list | tuple | dict):
        for part in value.values() if isinstance(value, dict) else value:
            check_plain(part, nbytes)
    else:
        plain = (type(None), bool, int, float, complex, str, bytes, torch.dtype, torch.device, values.Opaque)
        assert type(value) in plain, type(value)


def read_in(data: bytes, suffix: str, folder: Path) -> str:
    """Read a file as one student's submission and as a class; say how that ended."""
    path = folder / f"ada{suffix}"
    path.write_bytes(data)
    refusal = ""
    try:
        submission = read_submission(path, name="double", stub=STUB)
        assert submission.student.isprintable() and submission.path.isprintable()
        submission.source.encode()
    except SubmissionError as error:
        refusal = str(error)
    assert refusal.isprintable(), refusal
    (submission,) = read_submissions([path], name="double", stub=STUB)
    assert bool(submission.error) == bool(refusal)
    if suffix in archive.ARCHIVE_SUFFIXES and not refusal:
        for member in archive.archive_members(data, where=path.name):
            assert os.path.normpath(f"/in/{member.name}").startswith("/in/"), member.name
    assert os.listdir(folder) == [path.name]
    path.unlink()
    return "refused" if refusal else "read"


def packed(value: Any) -> bytes:
    """Return the frame of a value."""
    body = values.Body()
    node = values.encode(value, body)
    return b"".join(bytes(view) for view in frames.pack({"value": node}, body.buffers))


def zipped(members: dict[str, bytes]) -> bytes:
    """Return a .zip with these members, whatever their names."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"), zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def tarred(members: dict[str, bytes], draw: random.Random, *, damage: bool) -> bytes:
    """Return a .tar.gz with these members, damaged before it is compressed: a changed .gz ends at its checksum."""
    buffer = io.BytesIO()
    form = draw.choice((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT))
    with tarfile.open(fileobj=buffer, mode="w", format=form) as file:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            info.type = draw.choice((tarfile.REGTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, b"z"))
            file.addfile(info, io.BytesIO(content))
    data = buffer.getvalue()[: 512 * (2 + 3 * len(members))] if damage else buffer.getvalue()
    return gzip.compress(damaged(data, draw) if damage else data, 1)


# -- the runs ----------------------------------------------------------------------------------------------------------


class Count:
    """How many inputs there were, how each ended, and the slowest.

    Attributes:
        outcomes: The number of inputs by how they ended.
        slowest_s: The seconds that the slowest input took.
    """

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.outcomes: Counter[str] = Counter()
        self.slowest_s = 0.0

    @property
    def full(self) -> bool:
        """Whether there were enough."""
        return self.outcomes.total() >= self.wanted

    def add(self, data: bytes, use: Callable[[], str]) -> None:
        """Use one input and note how that ended.

        Raises:
            RuntimeError: If it crashed; with the input.
        """
        if self.full:
            return
        started = time.perf_counter()
        try:
            outcome = use()
        except Exception as error:
            raise RuntimeError(f"input {data!r} is a crash") from error
        self.slowest_s = max(self.slowest_s, time.perf_counter() - started)
        self.outcomes[outcome] += 1


def fuzz_frames(count: Count, start: int) -> None:
    """Receive frames until there were enough."""
    for number in rounds(count):

        @seed(start + number)
        @settings(max_examples=ROUND, **QUIET)
        @given(VALUES, st.integers(0, 2**32), st.booleans())
        def run(value: Any, choice: int, strict: bool) -> None:
            frame, draw = packed(value), random.Random(choice)
            count.add(frame, lambda: receive(frame))
            for _ in range(VARIANTS - 1):
                bad = (damaged, damaged_header)[draw.randrange(2)](frame, draw)
                count.add(bad, lambda bad=bad: receive(bad, strict=strict))

        run()


def fuzz_archives(count: Count, start: int, folder: Path) -> None:
    """Read submissions until there were enough."""
    for number in rounds(count):

        @seed(start + number)
        @settings(max_examples=ROUND, **QUIET)
        @given(MEMBERS, CONTENTS, st.integers(0, 2**32))
        def run(members: dict[str, bytes], content: bytes, choice: int) -> None:
            draw, whole = random.Random(choice), zipped(members)
            for turn in range(VARIANTS):
                suffix = draw.choice((".zip", ".zip", ".tar.gz", ".tgz", ".py", ".ipynb"))
                if suffix == ".zip":
                    data = damaged(whole, draw) if turn else whole
                elif suffix in archive.ARCHIVE_SUFFIXES:
                    data = tarred(members, draw, damage=bool(turn))
                else:
                    data = damaged(content, draw) if turn else content
                count.add(data, lambda data=data, suffix=suffix: read_in(data, suffix, folder))

        run()


def rounds(count: Count) -> Iterator[int]:
    """Yield numbers until there were enough inputs."""
    number = 0
    while not count.full:
        yield number
        number += 1


def with_atheris(what: str, folder: Path) -> None:
    """Run one of the two by atheris, which takes over the process."""
    try:
        import atheris
    except ImportError:
        raise SystemExit("bench.fuzz: atheris is not installed; pip install atheris, or leave --atheris out") from None
    suffixes = (".zip", ".tar.gz", ".py", ".ipynb")

    def one(data: bytes) -> None:
        if what == "frames":
            receive(data)
        else:
            read_in(data[1:], suffixes[data[0] % len(suffixes)] if data else ".zip", folder)

    options = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []
    for module in (frames, values, archive, tarball, notebook, source, candidates):
        for thing in vars(module).values():
            for function in (thing, *(vars(thing).values() if isinstance(thing, type) else ())):
                if inspect.isfunction(function) and function.__module__ == module.__name__:
                    atheris.instrument_func(function)
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def main() -> None:
    """Fuzz and print."""
    parser = argparse.ArgumentParser(description="Feed the wire and the intake with hostile input.")
    parser.add_argument("--frames", type=int, default=FRAMES, help=f"how many frames (default {FRAMES})")
    parser.add_argument("--archives", type=int, default=ARCHIVES, help=f"how many submissions (default {ARCHIVES})")
    parser.add_argument("--seed", type=int, default=None, help="draws the same inputs again (default: of the clock)")
    parser.add_argument("--atheris", choices=("frames", "archives"), help="let atheris choose the inputs")
    own = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    chosen = parser.parse_args(own)
    start = time.time_ns() % 2**31 if chosen.seed is None else chosen.seed
    with tempfile.TemporaryDirectory() as folder:
        if chosen.atheris:
            with_atheris(chosen.atheris, Path(folder))
        print(f"fuzz: {figures.machine()}, --seed {start}")
        for name, wanted in (("frames", chosen.frames), ("archives", chosen.archives)):
            count, began = Count(wanted), time.perf_counter()
            try:
                if name == "frames":
                    fuzz_frames(count, start)
                else:
                    fuzz_archives(count, start, Path(folder))
            finally:
                ended = ", ".join(f"{number} {how}" for how, number in count.outcomes.most_common())
                seconds = time.perf_counter() - began
                print(f"{name}: {count.outcomes.total()} in {seconds:.0f} s ({ended or 'none'}), ", end="")
                print(f"the slowest took {1e3 * count.slowest_s:.0f} ms")
    print("no crash")


if __name__ == "__main__":
    main()
