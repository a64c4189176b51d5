"""A channel carries whole frames, in order, over a socket or two pipes, however they are cut on the way."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest
import torch

from autograder.wire import frames, values
from autograder.wire.channel import Channel, Closed

Pair = tuple[Channel, Channel]


@pytest.fixture(params=["socket", "pipes"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    if request.param == "socket":
        fds = [end.detach() for end in socket.socketpair()]
        one, other = (Channel(fd, fd) for fd in fds)
    else:
        (read_a, write_a), (read_b, write_b) = os.pipe(), os.pipe()
        one, other = Channel(read_a, write_b), Channel(read_b, write_a)
    yield one, other
    one.close()
    other.close()


def test_frames_arrive_whole_and_in_order(pair: Pair) -> None:
    one, other = pair
    for number in range(5):
        one.send({"number": number}, [bytes([number]) * number, torch.full((3,), number, dtype=torch.uint8)])

    for number in range(5):
        header, buffers = other.receive()
        assert header == {"number": number}
        assert [buffer.tolist() for buffer in buffers] == [[number] * number, [number] * 3]


def test_a_frame_larger_than_any_buffer_of_the_kernel_arrives(pair: Pair) -> None:
    one, other = pair
    large = torch.arange(3 << 20, dtype=torch.int32)
    thread = threading.Thread(target=one.send, args=({"large": True}, [values.flat_bytes(large), b"end"]))
    thread.start()

    header, (body, end) = other.receive()

    thread.join()
    assert header == {"large": True}
    assert torch.equal(body.clone().view(torch.int32), large)
    assert bytes(end.tolist()) == b"end"


def test_more_buffers_than_one_write_takes_arrive(pair: Pair) -> None:
    one, other = pair
    one.send({}, [bytes([number % 251]) * (number % 7) for number in range(300)])

    _, buffers = other.receive()

    assert [buffer.tolist() for buffer in buffers] == [[number % 251] * (number % 7) for number in range(300)]


def test_a_frame_that_comes_byte_by_byte_arrives(pair: Pair) -> None:
    one, other = pair
    frame = b"".join(bytes(view) for view in frames.pack({"slow": 1}, [b"abc"]))

    def trickle() -> None:
        for index in range(len(frame)):
            os.write(one.write_fd, frame[index : index + 1])

    thread = threading.Thread(target=trickle)
    thread.start()
    header, (body,) = other.receive()

    thread.join()
    assert (header, bytes(body.tolist())) == ({"slow": 1}, b"abc")


def test_what_came_unasked_is_noticed_and_the_end_is_not(pair: Pair) -> None:
    one, other = pair
    assert not other.unread()
    one.send({})
    one.send({})
    assert other.unread()

    other.receive()
    assert other.unread()
    other.receive()
    assert not other.unread()

    one.close()
    assert not other.unread()


def test_the_end_of_the_other_side_is_closed(pair: Pair) -> None:
    one, other = pair
    one.close()
    one.close()

    with pytest.raises(Closed):
        other.receive()
    with pytest.raises(Closed):
        other.send({}, [bytes(1 << 20)])


def test_two_threads_may_send(pair: Pair) -> None:
    one, other = pair

    def send(name: str) -> None:
        for _ in range(20):
            one.send({"name": name}, [name.encode() * 500])

    threads = [threading.Thread(target=send, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    received = [other.receive() for _ in range(40)]
    for thread in threads:
        thread.join()

    assert sorted(header["name"] for header, _ in received) == ["a"] * 20 + ["b"] * 20
    assert all(bytes(body.tolist()) == header["name"].encode() * 500 for header, (body,) in received)
