"""The device beside the CPU that a worker computes on, and what has to be done about it around a call.

What a submission rebinds in torch is not what is called here: each accelerator takes the functions that it needs
before the submission loads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import torch

DEVICES = ("cpu", "cuda", "mps")
FAKE = "fake"
"""Stands for an accelerator where there is none: its tensors lie on the CPU, all else is done as for a real one."""


class Accelerator(Protocol):
    """A device that works beside the process.

    Attributes:
        device: Where its tensors lie.
    """

    device: torch.device

    def synchronize(self) -> None:
        """Wait until everything that was launched is done, on all streams."""

    def flush(self) -> None:
        """Push what is in the device's cache out of it."""

    def reset_peak(self) -> None:
        """Let the peak of the memory begin anew."""

    def memory(self) -> tuple[int, int]:
        """Return the bytes that tensors hold now, and the most that they held since the last reset."""


class Cuda:
    """The current GPU of NVIDIA's, or of AMD's under torch's same name."""

    def __init__(self) -> None:
        torch.cuda.init()  # type: ignore[no-untyped-call]
        self.device = torch.device("cuda")
        self._synchronize, self._reset = torch.cuda.synchronize, torch.cuda.reset_peak_memory_stats
        self._allocated, self._peak = torch.cuda.memory_allocated, torch.cuda.max_memory_allocated
        cache_bytes = int(getattr(torch.cuda.get_device_properties(0), "L2_cache_size", 0)) or 64 << 20
        # Twice the cache, written once: nothing of before is left in it.
        self._scratch = torch.empty(2 * cache_bytes, dtype=torch.uint8, device=self.device)
        self._zero = self._scratch.zero_
        torch.ones(64, 64, device=self.device).mm(torch.ones(64, 64, device=self.device))  # cuBLAS makes its workspace
        self.synchronize()

    def synchronize(self) -> None:
        """Wait for the whole device, and so for every stream."""
        self._synchronize()

    def flush(self) -> None:
        """Write twice the size of the L2 cache."""
        self._zero()

    def reset_peak(self) -> None:
        """Let the allocator's peak begin anew."""
        self._reset()

    def memory(self) -> tuple[int, int]:
        """Return what the caching allocator gave out, now and at its peak."""
        return int(self._allocated()), int(self._peak())


class Mps:
    """The GPU of an Apple machine. It has no float64, and tells no peak."""

    def __init__(self) -> None:
        self.device = torch.device("mps")
        self._synchronize, self._allocated = torch.mps.synchronize, torch.mps.current_allocated_memory
        self._scratch = torch.empty(64 << 20, dtype=torch.uint8, device=self.device)
        self._zero = self._scratch.zero_

    def synchronize(self) -> None:
        """Wait for all command buffers."""
        self._synchronize()

    def flush(self) -> None:
        """Write more than the system's cache holds."""
        self._zero()

    def reset_peak(self) -> None:
        """Do nothing: there is no peak to reset."""

    def memory(self) -> tuple[int, int]:
        """Return what is allocated now, for the peak as well."""
        now = int(self._allocated())
        return now, now


class Fake:
    """A device made of threads: work is launched on it, goes on beside the process, and may fail for good."""

    def __init__(self) -> None:
        self.device = torch.device("cpu")
        self.flushed = 0
        self.broken = False
        self._streams: list[threading.Thread] = []
        self._tensors_bytes = self._peak_bytes = 0
        torch.fake_accelerator = self  # type: ignore[attr-defined]  # where submissions of tests find it

    def launch(self, work: Callable[[], object]) -> None:
        """Begin work on a stream of its own, and return at once."""
        stream = threading.Thread(target=work, daemon=True)
        stream.start()
        self._streams.append(stream)

    def hold(self, nbytes: int) -> None:
        """Allocate memory of the device, or free it where the number is negative."""
        self._tensors_bytes += nbytes
        self._peak_bytes = max(self._peak_bytes, self._tensors_bytes)

    def synchronize(self) -> None:
        """Wait for every stream.

        Raises:
            RuntimeError: If the device is broken.
        """
        while self._streams:
            self._streams.pop().join()
        if self.broken:
            raise RuntimeError("fake error: an illegal memory access was encountered")

    def flush(self) -> None:
        """Count."""
        self.flushed += 1

    def reset_peak(self) -> None:
        """Let the peak begin anew."""
        self._peak_bytes = self._tensors_bytes

    def memory(self) -> tuple[int, int]:
        """Return what is held now, and the most since the last reset."""
        return self._tensors_bytes, self._peak_bytes


_KINDS: dict[str, Callable[[], Accelerator]] = {"cuda": Cuda, "mps": Mps, FAKE: Fake}


def make_accelerator(name: str) -> Accelerator | None:
    """Return the accelerator of a name, ready to compute; None for the CPU.

    Raises:
        RuntimeError: If the device cannot be used.
    """
    return _KINDS[name]() if name in _KINDS else None


def torch_device(name: str) -> torch.device:
    """Return where the tensors of a device lie."""
    return torch.device("cpu" if name == FAKE else name)


class Modes:
    """The modes of computing that a submission may leave behind, as they were before it loaded.

    Lower precision in products, automatic casting, searched kernels: what one call sets does not reach the next one.
    """

    def __init__(self) -> None:
        backends: Any = torch.backends
        precise = [backends, backends.cuda.matmul, backends.cudnn, backends.cudnn.conv, backends.cudnn.rnn]
        precise += [backends.mkldnn, backends.mkldnn.matmul, backends.mkldnn.conv]
        places = [(owner, "fp32_precision") for owner in precise]
        places += [(backends.cudnn, "benchmark"), (backends.cudnn, "deterministic")]
        self._attributes = [(owner, name, getattr(owner, name)) for owner, name in places]
        self._precision = torch.get_float32_matmul_precision()
        self._set_precision = torch.set_float32_matmul_precision
        self._set_autocast, self._is_autocast = torch.set_autocast_enabled, torch.is_autocast_enabled
        self._autocast = {kind: torch.is_autocast_enabled(kind) for kind in ("cpu", "cuda", "mps")}

    def restore(self) -> None:
        """Set back what differs."""
        if any(getattr(owner, name) != value for owner, name, value in self._attributes):
            self._set_precision(self._precision)  # first: it writes several of the others
            for owner, name, value in self._attributes:
                setattr(owner, name, value)
        for kind, enabled in self._autocast.items():
            if self._is_autocast(kind) != enabled:
                self._set_autocast(kind, enabled)
