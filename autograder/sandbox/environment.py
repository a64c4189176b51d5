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


def worker_environment(home: str) -> dict[str, str]:
    """Return the environment of a worker whose home and temporary folder is ``home``."""
    system = {name: os.environ[name] for name in _SYSTEM if name in os.environ}
    # Importing torch._dynamo, as torchvision does, makes the compiler's cache folder: let it be one that is there.
    return {**_FIXED, **system, "HOME": home, "TMPDIR": home, "TORCHINDUCTOR_CACHE_DIR": home}
