"""The environment of forkserver and workers: an allow-list, with no token of the grader's."""

from __future__ import annotations

import os

_FIXED = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",  # a submission's own threads share a core: one that spins takes it from the others
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# Windows cannot start Python without these; they name folders of the system.
_SYSTEM = ("SYSTEMROOT", "WINDIR")


# Which GPUs there are, and where a container has the driver's libraries.
_GPU = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "NVIDIA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")


def worker_environment(home: str, device: str = "cpu") -> dict[str, str]:
    """Return the environment of a worker.

    Args:
        home: Its home and temporary folder.
        device: The device that it computes on.
    """
    names = _SYSTEM + (_GPU if device == "cuda" else ())
    system = {name: os.environ[name] for name in names if name in os.environ}
    # Importing torch._dynamo, as torchvision does, makes the compiler's cache folder: let it be one that is there.
    return {**_FIXED, **system, "HOME": home, "TMPDIR": home, "TORCHINDUCTOR_CACHE_DIR": home}
