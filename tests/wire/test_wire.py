"""What crosses the wire arrives as it was; what follows no format is refused, whatever it is."""

from __future__ import annotations

import json
import math
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from harness import LIMITS
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograder.checks.launcher import Launcher, Sources
from autograder.checks.student import Student
from autograder.sandbox.handle import WorkerHandle
from autograder.sandbox.process import Process
from autograder.verdicts import CallFailed, Crashed, StudentError
from autograder.wire import frames, values
from autograder.wire.channel import Channel, Closed
from autograder.wire.values import DTYPES, Body, Decoder, Opaque, WireError, encode


def packed(value: Any, *, keep_strides: bool = False) -> bytes:
    """Return the frame of a value."""
    body = Body()
    node = encode(value, body, keep_strides=keep_strides)
    return b"".join(bytes(view) for view in frames.pack({"value": node}, body.buffers))


def unpacked(frame: bytes, *, strict: bool = True) -> Any:
    """Return the value of a frame, or raise WireError."""
    if len(frame) < frames.PREFIX.size:
        raise WireError("too short")
    header_bytes, body_bytes = frames.unpack_prefix(frame[: frames.PREFIX.size])
    rest = frame[frames.PREFIX.size :]
    if len(rest) != header_bytes + body_bytes:
        raise WireError("the wrong length")
    body = torch.frombuffer(bytearray(rest[header_bytes:]) or bytearray(1), dtype=torch.uint8)[:body_bytes]
    header, buffers = frames.unpack_header(rest[:header_bytes], body)
    return Decoder(buffers, strict=strict).decode(header.get("value"))


def same(one: Any, other: Any) -> bool:
    """Say whether two values are alike to the last bit, type and shape included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor):
        geometry = one.dtype == other.dtype and one.shape == other.shape
        return geometry and bits(one) == bits(other)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", other) or (math.isnan(one) and math.isnan(other))
    if isinstance(one, complex):
        return same(one.real, other.real) and same(one.imag, other.imag)
    return bool(one == other)


def bits(tensor: torch.Tensor) -> bytes:
    return bytes(values.flat_bytes(tensor.contiguous()).tolist())


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    """Draw tensors of every dtype with all kinds of strides."""
    dtype = DTYPES[draw(st.sampled_from(sorted(DTYPES)))]
    shape = draw(st.lists(st.integers(0, 4), max_size=4))
    count = math.prod(shape) * dtype.itemsize
    raw = bytearray(draw(st.binary(min_size=count, max_size=count)))
    flat = torch.frombuffer(raw or bytearray(1), dtype=torch.uint8)[:count]
    tensor = (flat % 2).bool() if dtype is torch.bool else flat.view(dtype)
    tensor = tensor.reshape(shape)
    for _ in range(draw(st.integers(0, 2))):
        kind = draw(st.sampled_from(["transpose", "slice", "expand", "select", "flip"]))
        if kind == "transpose" and tensor.ndim > 1:
            tensor = tensor.transpose(0, tensor.ndim - 1)
        elif kind == "slice" and tensor.ndim:
            tensor = tensor[draw(st.integers(0, 2)) :: draw(st.integers(1, 3))]
        elif kind == "expand":
            tensor = tensor.unsqueeze(0).expand(draw(st.integers(0, 3)), *tensor.shape)
        elif kind == "select" and tensor.ndim and tensor.shape[-1]:
            tensor = tensor.select(-1, draw(st.integers(0, tensor.shape[-1] - 1)))
    return tensor


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(max_size=100),
    st.sampled_from(list(DTYPES.values())),
    st.sampled_from([torch.device("cpu"), torch.device("cuda:1"), torch.device("meta")]),
    tensors(),
)


def containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(values, max_size=4),
        st.lists(values, max_size=4).map(tuple),
        st.dictionaries(st.text(max_size=5), values, max_size=4),
    )


VALUES = st.recursive(LEAVES, containers, max_leaves=8)


# -- what crosses ----------------------------------------------------------------------------------------------------


@given(VALUES)
def test_every_value_arrives_as_it_was(value: Any) -> None:
    assert same(unpacked(packed(value)), value)


@given(tensors())
def test_tensors_from_a_worker_arrive_contiguous(tensor: torch.Tensor) -> None:
    back = unpacked(packed(tensor))

    assert same(back, tensor)
    assert back.is_contiguous() and back.storage_offset() == 0
    assert back.untyped_storage().nbytes() == back.nbytes


@given(tensors())
def test_tensors_to_a_worker_keep_their_strides(tensor: torch.Tensor) -> None:
    back = unpacked(packed(tensor, keep_strides=True), strict=False)

    assert same(back, tensor)
    assert back.is_contiguous() == tensor.is_contiguous()
    if not tensor.is_contiguous():
        assert back.stride() == tensor.stride()


def test_a_lone_element_crosses_whatever_its_stride() -> None:
    columns = torch.arange(5.0).reshape(1, 5)[:, 3]

    assert columns.stride() == (5,)
    assert unpacked(packed(columns)).tolist() == [3.0]
    assert unpacked(packed(columns, keep_strides=True), strict=False).tolist() == [3.0]


@pytest.mark.parametrize("make", [torch.conj, lambda x: x.conj().imag])
def test_lazy_tensors_arrive_resolved(make: Any) -> None:
    tensor = make(torch.tensor([1 + 2j, 3 - 4j]))

    back = unpacked(packed(tensor))

    assert not back.is_conj() and not back.is_neg()
    assert torch.equal(back, tensor)


def test_values_that_share_memory_arrive_apart() -> None:
    x = torch.zeros(3)

    one, other = unpacked(packed([x, x]))
    one.fill_(1)

    assert other.tolist() == [0.0] * 3


class Sly(torch.Tensor):
    pass


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    ("value", "opaque"),
    [
        (torch.ones(1).as_subclass(Sly), Opaque("Sly", "a subclass of torch.Tensor")),
        (torch.nn.Parameter(torch.ones(1)), Opaque("Parameter", "a subclass of torch.Tensor")),
        (torch.eye(2).to_sparse(), Opaque("Tensor", "a tensor of layout torch.sparse_coo")),
        (torch.ones(1, device="meta"), Opaque("Tensor", "a tensor without data (device meta)")),
        (torch.ones(1).to(torch.float8_e4m3fn), Opaque("Tensor", "a tensor of dtype torch.float8_e4m3fn")),
        (2**64, Opaque("int", "beyond 64 bits")),
        (Name("x"), Opaque("Name")),
        ({1: 2}, Opaque("dict")),
        ({1}, Opaque("set")),
        (torch.Size([1]), Opaque("Size")),
        (object(), Opaque("object")),
        (Opaque("Other", "a note"), Opaque("Other", "a note")),
    ],
)
def test_what_is_no_plain_value_arrives_as_a_name(value: Any, opaque: Opaque) -> None:
    assert unpacked(packed([value])) == [opaque]


def test_a_value_that_contains_itself_ends() -> None:
    value: list[Any] = []
    value.append(value)

    back = unpacked(packed(value))

    for _ in range(values.MAX_DEPTH + 1):
        (back,) = back
    assert back == Opaque("list", "nested too deeply")


def test_a_frame_beyond_the_caps_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_BODY_BYTES", 1000)

    with pytest.raises(WireError, match="^a frame is too large$"):
        frames.pack({}, [bytes(1001)])
    with pytest.raises(WireError, match="^a frame is too large$"):
        frames.pack({"text": "x" * (frames.MAX_HEADER_BYTES + 1)})


# -- what is refused -------------------------------------------------------------------------------------------------


def refused(node: Any, buffers: tuple[torch.Tensor, ...] = (), **settings: Any) -> str:
    """Return the words with which a node is refused."""
    with pytest.raises(WireError) as caught:
        Decoder(buffers, **settings).decode(node)
    return str(caught.value)


def tensor_node(**changes: Any) -> dict[str, Any]:
    node = {"dtype": "float32", "shape": [2], "device": "cpu", "grad": False, "buffer": 0} | changes
    return {"T": {key: value for key, value in node.items() if value is not ...}}


EIGHT = torch.zeros(8, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stride": [1]}, "a tensor has an unknown field"),
        ({"pointer": 4096, "buffer": ...}, "a tensor has an unknown field"),
        ({"storage_offset": 1}, "a tensor has an unknown field"),
        ({"dtype": "float33"}, "a dtype is unknown"),
        ({"dtype": ["float32"]}, "a dtype is unknown"),
        ({"dtype": ...}, "a dtype is unknown"),
        ({"device": "xla"}, "a tensor is on an unknown device"),
        ({"device": "meta"}, "a tensor is on an unknown device"),
        ({"grad": 1}, "a tensor is malformed"),
        ({"grad": ...}, "a tensor is malformed"),
        ({"shape": [3]}, "a tensor has the wrong number of bytes"),
        ({"shape": []}, "a tensor has the wrong number of bytes"),
        ({"shape": [-2]}, "a tensor's sizes are malformed"),
        ({"shape": [True, 2]}, "a tensor's sizes are malformed"),
        ({"shape": [2.0]}, "a tensor's sizes are malformed"),
        ({"shape": 2}, "a tensor's sizes are malformed"),
        ({"shape": [1] * 33}, "a tensor's sizes are malformed"),
        ({"shape": [2**40]}, "a tensor's sizes are malformed"),
        ({"shape": [2**39]}, "a tensor is too large"),
        ({"shape": [2**20, 2**20]}, "a tensor is too large"),
        ({"shape": [0, 2**39, 2**39], "buffer": 1}, "a tensor is too large"),
        ({"buffer": 2}, "a buffer is missing"),
        ({"buffer": -1}, "a buffer is missing"),
        ({"buffer": False}, "a buffer is missing"),
        ({"buffer": ...}, "a buffer is missing"),
    ],
)
def test_a_malformed_tensor_is_refused(changes: dict[str, Any], words: str) -> None:
    assert refused(tensor_node(**changes), (EIGHT, EIGHT[:0])) == words


def test_addresses_are_followed_only_where_they_are_expected() -> None:
    asked = []

    def memory(pointer: int, nbytes: int) -> torch.Tensor:
        asked.append((pointer, nbytes))
        return torch.zeros(nbytes, dtype=torch.uint8)

    node = tensor_node(stride=[3], pointer=4096, buffer=...)
    tensor = Decoder((), memory=memory).decode(node)

    assert asked == [(4096, 16)]
    assert (tensor.tolist(), tensor.is_contiguous()) == ([0.0, 0.0], True)
    for changes, words in (
        ({"pointer": -1}, "a tensor has no address"),
        ({"pointer": 2**63}, "a tensor has no address"),
        ({"pointer": ...}, "a tensor has no address"),
        ({"buffer": 0}, "a tensor has an unknown field"),
        ({"stride": [1, 1]}, "a tensor's strides do not match its shape"),
        ({"stride": [2**39]}, "a tensor is too large"),
        ({"stride": [0], "shape": [2**39]}, "a tensor is too large"),
        ({"stride": [-1]}, "a tensor's sizes are malformed"),
        ({"stride": [1, 1, 1], "shape": [0, 2**39, 2**39]}, "a tensor is too large"),
    ):
        assert (
            refused(tensor_node(**({"stride": [3], "pointer": 4096, "buffer": ...} | changes)), memory=memory) == words
        )


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (1.5, "a node is neither a plain value nor an object with one key"),
        ([], "a node is neither a plain value nor an object with one key"),
        ({}, "a node is neither a plain value nor an object with one key"),
        ({"l": [], "t": []}, "a node is neither a plain value nor an object with one key"),
        (2**64, "an int is beyond 64 bits"),
        ({"x": 1}, "a node has an unknown tag"),
        ({"_": 1}, "a node has an unknown tag"),
        ({"f": 1.5}, "a float is malformed"),
        ({"f": "one"}, "a float is malformed"),
        ({"f": "0x1p99999"}, "a float is malformed"),
        ({"f": "0" * 41}, "a float is malformed"),
        ({"c": ["0x1p0"]}, "a complex number is malformed"),
        ({"b": "0"}, "a buffer is missing"),
        ({"l": {}}, "a container is malformed"),
        ({"d": [["a"]]}, "a dict is malformed"),
        ({"d": [[1, 2]]}, "a dict is malformed"),
        ({"d": [["a", 1], ["a", 2]]}, "a dict is malformed"),
        ({"device": "tpu"}, "a device is unknown"),
        ({"device": "cpu:x"}, "a device is unknown"),
        ({"device": "cuda:99999999999999999999"}, "a device is unknown"),
        ({"o": ["x"]}, "an object's description is malformed"),
        ({"l": [None] * values.MAX_NODES}, "a value is nested too deeply or has too many parts"),
    ],
)
def test_a_malformed_node_is_refused(node: Any, words: str) -> None:
    assert refused(node) == words


def test_nesting_is_bounded() -> None:
    node: Any = None
    for _ in range(values.MAX_DEPTH + 2):
        node = {"l": [node]}

    assert refused(node) == "a value is nested too deeply or has too many parts"


@pytest.mark.parametrize(
    "text",
    [
        *(b"", b"{", b"[]", b"{}", b'{"buffers": 1}', b'{"buffers": [-1]}', b'{"buffers": [true]}', b"\xff"),
        *(b'{"buffers": [], "x": NaN}', b"[" * 100_000, b'{"buffers": [], "x": ' + b"9" * 5000 + b"}"),
        *(b'{"buffers": [1]}', b'{"buffers": [1e3]}'),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_a_malformed_header_is_refused(text: bytes) -> None:
    with pytest.raises(WireError):
        frames.unpack_header(text, torch.empty(0, dtype=torch.uint8))


@given(st.binary(max_size=300))
@example(frames.PREFIX.pack(frames.MAGIC, 2, 0) + b"{}")
@example(frames.PREFIX.pack(frames.MAGIC, 2**32 - 1, 2**64 - 1))
def test_random_bytes_are_refused(data: bytes) -> None:
    try:
        unpacked(data)
    except WireError:
        pass


FRAMES = [
    packed([torch.arange(6.0).reshape(2, 3), {"a": (1, 0.5, None)}, b"bytes", torch.device("cpu"), 1 + 2j]),
    packed([torch.ones(2, 0, dtype=torch.int8), torch.tensor(True), torch.float16, Opaque("X", "y"), "text"]),
]


@given(
    st.sampled_from(FRAMES),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
    st.booleans(),
)
@settings(max_examples=300)
def test_a_mutated_frame_is_read_or_refused(frame: bytes, changes: list[tuple[int, int]], strict: bool) -> None:
    data = bytearray(frame)
    for place, byte in changes:
        data[place % len(data)] = byte

    try:
        unpacked(bytes(data), strict=strict)
    except WireError:
        pass


JUNK = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(),
        st.sampled_from(["float32", "cpu", "cuda:-1", "cpu:0:0", "meta", "0x1p0", "nan", "", "-inf"]),
        st.text(max_size=4),
    ),
    lambda junk: st.one_of(
        st.lists(junk, max_size=4),
        st.tuples(st.sampled_from(["f", "c", "b", "l", "t", "d", "dtype", "device", "o", "T"]), junk).map(
            lambda pair: {pair[0]: pair[1]}
        ),
        st.fixed_dictionaries(
            {
                "T": st.fixed_dictionaries(
                    {
                        "dtype": st.sampled_from(sorted(DTYPES)),
                        "shape": st.lists(st.integers(0, 2**40), max_size=4),
                        "device": st.sampled_from(["cpu", "cuda"]),
                        "grad": st.booleans(),
                    },
                    optional={"buffer": junk, "stride": st.lists(st.integers(0, 2**40), max_size=4)},
                )
            }
        ),
    ),
    max_leaves=8,
)


@given(JUNK, st.booleans())
@settings(max_examples=300)
def test_a_node_of_junk_is_read_or_refused(node: Any, strict: bool) -> None:
    try:
        Decoder((torch.empty(0, dtype=torch.uint8), EIGHT), strict=strict).decode(node)
    except WireError:
        pass


# -- a worker that says anything ---------------------------------------------------------------------------------------


class Stand:
    """A handle on a process that waits, with a channel whose other end says what a test wants."""

    def __init__(self) -> None:
        self.popen = subprocess.Popen(["cat"], stdin=subprocess.PIPE)
        ours, self.theirs = socket.socketpair()
        descriptor = ours.detach()
        output, write = os.pipe()
        os.close(write)
        self.worker = WorkerHandle(Process(self.popen.pid), Channel(descriptor, descriptor), output, LIMITS)

    def say(self, data: bytes, *, leave: bool = True) -> None:
        """Answer the next request with these bytes and nothing more; then the process ends, too."""

        def answer() -> None:
            fd = self.theirs.fileno()
            Channel(fd, fd).receive()
            self.theirs.sendall(data)
            self.theirs.shutdown(socket.SHUT_WR)
            if leave:
                self.popen.communicate()

        self._thread = threading.Thread(target=answer)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self.worker.close()
        self.theirs.close()
        self.popen.communicate()


@pytest.fixture
def stands() -> Iterator[list[Stand]]:
    made: list[Stand] = []
    yield made
    for stand in made:
        stand.close()


def calls(worker: WorkerHandle) -> Student:
    class One:
        level, device = "process", "cpu"

    return Student(worker, Launcher(One(), Sources("echo", ""), LIMITS))  # type: ignore[arg-type]


ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "forbidden": st.one_of(st.just([]), JUNK),
        "result": JUNK,
        "changed": st.one_of(st.just([]), JUNK),
        "node": JUNK,
        "error": st.one_of(
            JUNK,
            st.fixed_dictionaries(
                {
                    "type": st.text(max_size=3),
                    "message": st.text(max_size=3),
                    "traceback": st.text(max_size=3),
                    "mro": st.lists(st.text(max_size=3), max_size=2),
                    "line": JUNK,
                }
            ),
        ),
        "buffers": st.just([]),
    },
)


@given(st.one_of(st.binary(max_size=64), ANSWERS), st.booleans())
@settings(max_examples=60)
def test_whatever_a_worker_says_ends_in_a_result_or_a_verdict(said: bytes | dict[str, Any], grad: bool) -> None:
    stand = Stand()
    try:
        if isinstance(said, dict):
            text = json.dumps({"buffers": [], "serial": 1, **said}).encode()
            said = frames.PREFIX.pack(frames.MAGIC, len(text), 0) + text
        stand.say(said)

        try:
            calls(stand.worker).f(torch.ones(2, requires_grad=grad))
        except (CallFailed, StudentError):
            pass
    finally:
        stand.close()


def test_an_answer_cut_short_is_a_crash(stands: list[Stand]) -> None:
    frame = packed(torch.ones(4))
    for length in (0, 3, frames.PREFIX.size, frames.PREFIX.size + 5, len(frame) - 1):
        stands.append(Stand())
        stands[-1].say(frame[:length])

        with pytest.raises(Crashed, match="^the worker died before it answered$"):
            stands[-1].worker.request("call")


def test_a_malformed_answer_ends_the_worker(stands: list[Stand]) -> None:
    stands.append(Stand())
    stands[0].say(b"HTTP/1.1 200 OK\r\n\r\n", leave=False)

    with pytest.raises(Crashed, match="^the worker's answer is malformed: a frame's prefix is malformed$"):
        stands[0].worker.request("call")

    assert stands[0].popen.wait(30) == -9


def test_an_answer_to_another_request_is_a_crash(stands: list[Stand]) -> None:
    stands.append(Stand())
    stands[0].say(b"".join(bytes(view) for view in frames.pack({"serial": 2, "forbidden": []})))

    with pytest.raises(Crashed, match="^the worker's answer is malformed: it answers another request$"):
        stands[0].worker.request("call")


def test_a_channel_that_ends_is_closed() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    channel = Channel(ours.fileno(), ours.fileno())

    with pytest.raises(Closed, match="^end of file$"):
        channel.receive()
    with pytest.raises(Closed):
        channel.send({"op": "call"})
    ours.close()
