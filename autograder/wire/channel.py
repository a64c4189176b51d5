"""Send and receive frames over a pair of file descriptors."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Sequence
from typing import Any

import torch

from autograder.wire import frames

_VIEWS_A_WRITE = 64
_READ_BYTES = 1 << 14


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
        self._ahead = bytearray()

    def send(self, header: dict[str, Any], buffers: Sequence[Any] = ()) -> None:
        """Write one frame.

        Raises:
            Closed: If the other side is gone.
            frames.WireError: If the frame is too large.
        """
        views = frames.pack(header, buffers)
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
            frames.WireError: If what came is no frame.
        """
        prefix = self._take(frames.PREFIX.size)
        header_bytes, body_bytes = frames.unpack_prefix(prefix)
        text = self._take(header_bytes)
        body = torch.empty(body_bytes, dtype=torch.uint8)
        if body_bytes:
            view = frames.byte_view(body)
            count = min(len(self._ahead), body_bytes)
            view[:count] = self._ahead[:count]
            del self._ahead[:count]
            self._fill(view[count:])
        return frames.unpack_header(text, body)

    def unread(self) -> bool:
        """Say whether something came that nobody asked for; the end of the file does not count."""
        if not self._ahead and select.select([self.read_fd], [], [], 0)[0]:
            try:
                self._ahead += self._read(_READ_BYTES)
            except Closed:
                return False
        return bool(self._ahead)

    def _take(self, count: int) -> bytes:
        """Return so many bytes; what a read brings beyond them is kept for later."""
        while len(self._ahead) < count:
            self._ahead += self._read(_READ_BYTES)
        taken = bytes(self._ahead[:count])
        del self._ahead[:count]
        return taken

    def _read(self, most: int) -> bytes:
        try:
            data = os.read(self.read_fd, most)
        except OSError as error:
            raise Closed(str(error)) from error
        if not data:
            raise Closed("end of file")
        return data

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
