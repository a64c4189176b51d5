"""Send and receive frames over a pair of file descriptors."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

import torch

from autograder import wire

_VIEWS_A_WRITE = 64


class Closed(Exception):
    """The other side is gone."""


class Channel:
    """Frames over a socket, or over two pipes.

    Attributes:
        read_fd: Where frames come from.
        write_fd: Where frames go; the same descriptor for a socket.
    """

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self.read_fd = read_fd
        self.write_fd = write_fd
        self._write_lock = threading.Lock()

    def send(self, header: dict[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Write one frame.

        Raises:
            Closed: If the other side is gone.
            wire.WireError: If the frame is too large.
        """
        views = wire.pack(header, buffers)
        with self._write_lock:
            try:
                while views:
                    written = os.writev(self.write_fd, views[:_VIEWS_A_WRITE])
                    while views and written >= views[0].nbytes:
                        written -= views.pop(0).nbytes
                    if written:
                        views[0] = views[0][written:]
            except OSError as error:
                raise Closed(str(error)) from error

    def receive(self) -> tuple[dict[str, Any], list[torch.Tensor]]:
        """Read one frame: its header and its buffers (flat uint8).

        Raises:
            Closed: If the other side is gone.
            wire.WireError: If what came is no frame.
        """
        prefix = bytearray(wire.PREFIX.size)
        self._fill(memoryview(prefix))
        header_bytes, body_bytes = wire.unpack_prefix(bytes(prefix))
        text = bytearray(header_bytes)
        self._fill(memoryview(text))
        body = torch.empty(body_bytes, dtype=torch.uint8)
        if body_bytes:
            self._fill(memoryview(body.numpy()))
        return wire.unpack_header(bytes(text), body)

    def _fill(self, view: memoryview) -> None:
        while view.nbytes:
            try:
                count = os.readv(self.read_fd, [view])
            except OSError as error:
                raise Closed(str(error)) from error
            if count == 0:
                raise Closed("end of file")
            view = view[count:]

    def close(self) -> None:
        """Close the descriptors; a second call does nothing."""
        for fd in {self.read_fd, self.write_fd} - {-1}:
            os.close(fd)
        self.read_fd = self.write_fd = -1
