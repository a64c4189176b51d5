"""Lay out frames and read them: lengths, a JSON header, raw bytes.

A frame is

    4 bytes   magic
    4 bytes   length of the header, little endian
    8 bytes   length of the body, little endian
    header    JSON, UTF-8
    body      the buffers' bytes, each padded to 64 bytes
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import torch

MAGIC = b"agw1"
PREFIX = struct.Struct("<4sIQ")
MAX_HEADER_BYTES = 8 << 20
MAX_BODY_BYTES = 2 << 30
ALIGNMENT = 64


class WireError(Exception):
    """A frame or a value that does not follow the format."""


def byte_view(flat: torch.Tensor) -> memoryview:
    """Return the memory of a flat uint8 tensor."""
    return memoryview(flat.numpy())  # type: ignore[arg-type]  # NumPy's arrays are buffers


def pack(header: dict[str, Any], buffers: Sequence[Any] = ()) -> list[memoryview]:
    """Lay out a frame as a list of memory views to be written in order."""
    views: list[memoryview] = []
    lengths = []
    total = 0
    for buffer in buffers:
        view = byte_view(buffer) if isinstance(buffer, torch.Tensor) else memoryview(buffer)
        padding = -view.nbytes % ALIGNMENT
        lengths.append(view.nbytes)
        if view.nbytes:
            views.append(view)
        if padding:
            views.append(memoryview(bytes(padding)))
        total += view.nbytes + padding
    text = _to_json({**header, "buffers": lengths}).encode()
    if len(text) > MAX_HEADER_BYTES or total > MAX_BODY_BYTES:
        raise WireError("a frame is too large")
    return [memoryview(PREFIX.pack(MAGIC, len(text), total) + text), *views]


def unpack_prefix(prefix: bytes) -> tuple[int, int]:
    """Return the lengths of header and body.

    Raises:
        WireError: If the prefix is not one of ours or asks for too much.
    """
    magic, header_bytes, body_bytes = PREFIX.unpack(prefix)
    if magic != MAGIC or header_bytes > MAX_HEADER_BYTES or body_bytes > MAX_BODY_BYTES:
        raise WireError("a frame's prefix is malformed")
    return header_bytes, body_bytes


def unpack_header(text: bytes, body: torch.Tensor) -> tuple[dict[str, Any], list[torch.Tensor]]:
    """Return a frame's header and its buffers.

    Args:
        text: The JSON header.
        body: The body, flat uint8.

    Raises:
        WireError: If the header is malformed or its lengths do not add up.
    """
    try:
        header = _from_json(text.decode())
    except (ValueError, RecursionError) as error:
        raise WireError("a frame's header is not JSON") from error
    if type(header) is not dict or type(header.get("buffers")) is not list:
        raise WireError("a frame's header is malformed")
    buffers = []
    position = 0
    for length in header.pop("buffers"):
        if type(length) is not int or length < 0:
            raise WireError("a frame's buffers are malformed")
        buffers.append(body[position : position + length])
        position += length + -length % ALIGNMENT
    if position != body.numel():
        raise WireError("a frame's buffers do not fill its body")
    return header, buffers


def _no_constant(text: str) -> Any:
    raise ValueError(text)


# Made once: json.dumps and json.loads make new ones in every call that has options.
_to_json = json.JSONEncoder(separators=(",", ":")).encode
_from_json = json.JSONDecoder(parse_constant=_no_constant).decode
