"""Turn values into JSON nodes and buffers, and back.

Nothing here unpickles or evaluates what it reads. None, bool, int and str stand for themselves, every other type is an
object with one key that names the type. The grader decodes with ``strict=True``: contiguous tensors only, so that odd
strides, aliasing and subclasses do not survive the crossing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from autograder.wire.frames import MAX_BODY_BYTES, WireError

MAX_DEPTH = 24
MAX_NODES = 200_000

DTYPES: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64,
        torch.float32,
        torch.float16,
        torch.bfloat16,
        torch.complex64,
        torch.complex128,
        torch.int64,
        torch.int32,
        torch.int16,
        torch.int8,
        torch.uint8,
        torch.uint16,
        torch.uint32,
        torch.uint64,
        torch.bool,
    )
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class Opaque:
    """Stand for an object that may not cross the wire.

    Attributes:
        type_name: The name of the object's type.
        note: Why it did not cross, for a person; may be empty.
    """

    type_name: str
    note: str = ""


@dataclass
class Body:
    """Collect the buffers of one frame.

    Attributes:
        buffers: Flat uint8 CPU tensors or bytes, in the order of their indices.
        tensors: The tensors of the value in the order in which they were met (for graphs and pointers).
        pointers: Send addresses in place of bytes; the receiver reads them from the stopped process.
    """

    buffers: list[Any] = field(default_factory=list)
    tensors: list[torch.Tensor] = field(default_factory=list)
    pointers: bool = False

    def add(self, buffer: Any) -> int:
        """Append a buffer and return its index."""
        self.buffers.append(buffer)
        return len(self.buffers) - 1


def flat_bytes(tensor: torch.Tensor) -> torch.Tensor:
    """Return the bytes of a contiguous CPU tensor as a flat uint8 tensor that shares its memory."""
    if tensor.numel() == 0:
        return torch.empty(0, dtype=torch.uint8)
    # Not reshape: a lone element counts as contiguous whatever its stride, and then has no view as bytes.
    return tensor.as_strided((tensor.numel(),), (1,)).view(torch.uint8)


def _plain(tensor: torch.Tensor) -> str:
    """Say why a tensor may not cross; empty if it may."""
    if type(tensor) is not torch.Tensor:
        return "a subclass of torch.Tensor"
    if tensor.is_nested:
        return "a nested tensor"
    if tensor.layout != torch.strided:
        return f"a tensor of layout {tensor.layout}"
    if tensor.dtype not in DTYPE_NAMES:
        return f"a tensor of dtype {tensor.dtype}"
    if tensor.device.type == "meta":
        return "a tensor without data (device meta)"
    return ""


def span(shape: Sequence[int], stride: Sequence[int]) -> int:
    """Return how many elements of storage a strided tensor reaches over."""
    if any(size == 0 for size in shape):
        return 0
    return 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))


def _encode_tensor(tensor: torch.Tensor, body: Body, keep_strides: bool) -> dict[str, Any]:
    why = _plain(tensor)
    if why:
        return {"o": [type(tensor).__name__, why]}
    node: dict[str, Any] = {
        "dtype": DTYPE_NAMES[tensor.dtype],
        "shape": list(tensor.shape),
        "device": tensor.device.type,
        "grad": tensor.requires_grad,
    }
    body.tensors.append(tensor)
    plain = tensor.detach().resolve_conj().resolve_neg()
    if body.pointers:
        node["stride"], node["pointer"] = list(plain.stride()), plain.data_ptr()
    elif keep_strides and not plain.is_contiguous():
        reach = span(plain.shape, plain.stride())
        storage = torch.as_strided(plain, (reach,), (1,)).cpu()
        node["stride"], node["buffer"] = list(plain.stride()), body.add(flat_bytes(storage))
    else:
        node["buffer"] = body.add(flat_bytes(plain.cpu().contiguous()))
    return {"T": node}


def encode(value: Any, body: Body, *, keep_strides: bool = False, depth: int = 0) -> Any:
    """Encode a value as a JSON node, collecting its buffers in ``body``.

    Args:
        value: Anything; what the wire does not know becomes an ``Opaque``.
        body: Receives the buffers.
        keep_strides: Keep the strides of tensors (towards the worker) instead of making them contiguous.
        depth: How deep inside containers this value lies.
    """
    if depth > MAX_DEPTH:
        return {"o": [type(value).__name__, "nested too deeply"]}
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        return value if -(2**63) <= value < 2**64 else {"o": ["int", "beyond 64 bits"]}
    if kind is float:
        return {"f": value.hex()}
    if kind is complex:
        return {"c": [value.real.hex(), value.imag.hex()]}
    if kind in (bytes, bytearray):
        return {"b": body.add(bytes(value))}
    if isinstance(value, torch.Tensor):
        return _encode_tensor(value, body, keep_strides)
    if kind in (list, tuple):
        tag = "l" if kind is list else "t"
        return {tag: [encode(item, body, keep_strides=keep_strides, depth=depth + 1) for item in value]}
    if kind is dict and all(type(key) is str for key in value):
        items = value.items()
        return {"d": [[k, encode(v, body, keep_strides=keep_strides, depth=depth + 1)] for k, v in items]}
    if kind is torch.dtype and value in DTYPE_NAMES:
        return {"dtype": DTYPE_NAMES[value]}
    if kind is torch.device:
        return {"device": str(value)}
    if kind is Opaque:
        return {"o": [value.type_name, value.note]}
    return {"o": [kind.__name__, ""]}


@dataclass
class Decoder:
    """Decode the nodes of one frame.

    Attributes:
        buffers: The frame's buffers, flat uint8 CPU tensors.
        strict: Refuse strides and pointers (what comes from a worker).
        memory: Reads ``(address, nbytes)`` of a stopped worker, where pointers are expected.
        device: Where tensors that say they are on an accelerator are put; None leaves all on the CPU.
        tensors: The tensors met so far, in order.
    """

    buffers: Sequence[torch.Tensor]
    strict: bool = True
    memory: Any = None
    device: torch.device | None = None
    tensors: list[tuple[torch.Tensor, bool]] = field(default_factory=list)
    _nodes: int = 0

    def decode(self, node: Any, depth: int = 0) -> Any:
        """Return the value of a node.

        Raises:
            WireError: If the node does not follow the format.
        """
        self._nodes += 1
        if depth > MAX_DEPTH + 1 or self._nodes > MAX_NODES:
            raise WireError("a value is nested too deeply or has too many parts")
        if node is None or type(node) in (bool, str):
            return node
        if type(node) is int:
            if not -(2**63) <= node < 2**64:
                raise WireError("an int is beyond 64 bits")
            return node
        if type(node) is not dict or len(node) != 1:
            raise WireError("a node is neither a plain value nor an object with one key")
        ((tag, content),) = node.items()
        reader = getattr(self, f"_read_{tag}", None) if tag in _TAGS else None
        if reader is None:
            raise WireError("a node has an unknown tag")
        return reader(content, depth)

    def _read_f(self, content: Any, depth: int) -> float:
        if type(content) is not str or len(content) > 40:
            raise WireError("a float is malformed")
        try:
            return float.fromhex(content)
        except (ValueError, OverflowError) as error:
            raise WireError("a float is malformed") from error

    def _read_c(self, content: Any, depth: int) -> complex:
        if type(content) is not list or len(content) != 2:
            raise WireError("a complex number is malformed")
        return complex(self._read_f(content[0], depth), self._read_f(content[1], depth))

    def _read_b(self, content: Any, depth: int) -> bytes:
        return self._buffer(content).numpy().tobytes()

    def _items(self, content: Any) -> list[Any]:
        if type(content) is not list:
            raise WireError("a container is malformed")
        return content

    def _read_l(self, content: Any, depth: int) -> list[Any]:
        return [self.decode(item, depth + 1) for item in self._items(content)]

    def _read_t(self, content: Any, depth: int) -> tuple[Any, ...]:
        return tuple(self._read_l(content, depth))

    def _read_d(self, content: Any, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for item in self._items(content):
            if type(item) is not list or len(item) != 2 or type(item[0]) is not str or item[0] in result:
                raise WireError("a dict is malformed")
            result[item[0]] = self.decode(item[1], depth + 1)
        return result

    def _read_dtype(self, content: Any, depth: int) -> torch.dtype:
        if type(content) is not str or content not in DTYPES:
            raise WireError("a dtype is unknown")
        return DTYPES[content]

    def _read_device(self, content: Any, depth: int) -> torch.device:
        if type(content) is not str or content.partition(":")[0] not in ("cpu", "cuda", "mps", "meta"):
            raise WireError("a device is unknown")
        try:
            return torch.device(content)
        except RuntimeError as error:
            raise WireError("a device is unknown") from error

    def _read_o(self, content: Any, depth: int) -> Opaque:
        if type(content) is not list or len(content) != 2 or not all(type(part) is str for part in content):
            raise WireError("an object's description is malformed")
        return Opaque(content[0][:200], content[1][:200])

    def _buffer(self, index: Any) -> torch.Tensor:
        if type(index) is not int or not 0 <= index < len(self.buffers):
            raise WireError("a buffer is missing")
        return self.buffers[index]

    def _read_T(self, node: Any, depth: int) -> torch.Tensor:
        if type(node) is not dict or type(node.get("grad")) is not bool:
            raise WireError("a tensor is malformed")
        dtype = self._read_dtype(node.get("dtype"), depth)
        shape = _sizes(node.get("shape"))
        device = node.get("device")
        if device not in ("cpu", "cuda", "mps"):
            raise WireError("a tensor is on an unknown device")
        pointers = self.memory is not None
        allowed = {"dtype", "shape", "device", "grad"} | ({"stride", "pointer"} if pointers else {"buffer"})
        if not self.strict:
            allowed.add("stride")
        if set(node) - allowed:
            raise WireError("a tensor has an unknown field")
        stride = _sizes(node["stride"]) if "stride" in node else None
        if stride is not None and len(stride) != len(shape):
            raise WireError("a tensor's strides do not match its shape")
        count = span(shape, stride) if stride is not None else math.prod(shape)
        nbytes = count * dtype.itemsize
        reach = math.prod(max(size, 1) for size in shape)  # of an empty tensor too: its strides must not overflow
        if nbytes > MAX_BODY_BYTES or reach * dtype.itemsize > MAX_BODY_BYTES:
            raise WireError("a tensor is too large")
        if pointers:
            pointer = node.get("pointer")
            if type(pointer) is not int or not 0 <= pointer < 2**63:
                raise WireError("a tensor has no address")
            raw = self.memory(pointer, nbytes)
        else:
            raw = self._buffer(node.get("buffer"))
        if raw.numel() != nbytes:
            raise WireError("a tensor has the wrong number of bytes")
        tensor = self._rebuild(raw, dtype, shape, stride)
        if device != "cpu" and self.device is not None:
            tensor = tensor.to(self.device)
        self.tensors.append((tensor, node["grad"]))
        return tensor

    def _rebuild(
        self, raw: torch.Tensor, dtype: torch.dtype, shape: list[int], stride: list[int] | None
    ) -> torch.Tensor:
        flat = raw.ne(0) if dtype is torch.bool else raw.clone().view(dtype)
        if stride is None:
            return flat.view(shape)
        if math.prod(shape) == 0:
            return torch.empty(shape, dtype=dtype)
        view = torch.as_strided(flat, shape, stride)
        return view.contiguous() if self.strict else view


_TAGS = {"f", "c", "b", "l", "t", "d", "dtype", "device", "o", "T"}


def _sizes(value: Any) -> list[int]:
    if type(value) is not list or len(value) > 32:
        raise WireError("a tensor's sizes are malformed")
    if not all(type(size) is int and 0 <= size < 2**40 for size in value):
        raise WireError("a tensor's sizes are malformed")
    return value
