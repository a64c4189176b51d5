"""Read from outside how much of a GPU's memory a process holds."""

from __future__ import annotations

import functools
from typing import Any


@functools.cache
def _nvml() -> Any:
    """Return NVML's Python module, ready to use; None where it or the driver is missing."""
    try:
        import pynvml  # type: ignore[import-not-found]  # optional: nvidia-ml-py

        pynvml.nvmlInit()
    except Exception:  # noqa: BLE001  # without the library, the driver or a GPU alike there is no outside view
        return None
    return pynvml


def used_bytes(pid: int) -> int | None:
    """Return the bytes that a process holds on all GPUs, as the driver sees it; None where it does not tell.

    Source: NVIDIA Management Library, nvmlDeviceGetComputeRunningProcesses.

    Args:
        pid: Its number outside its pid namespace.
    """
    nvml = _nvml()
    if nvml is None:
        return None
    found = None
    for index in range(nvml.nvmlDeviceGetCount()):
        for process in nvml.nvmlDeviceGetComputeRunningProcesses(nvml.nvmlDeviceGetHandleByIndex(index)):
            if process.pid == pid and process.usedGpuMemory is not None:
                found = (found or 0) + int(process.usedGpuMemory)
    return found
