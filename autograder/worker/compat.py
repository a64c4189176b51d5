"""Make PyTorch behave in a sandbox: torchvision beside a CPU torch, one process, no compiler."""

from __future__ import annotations

import functools
import importlib.util
import sys
from typing import Any

import torch

_LIBRARIES: list[Any] = []


def define_torchvision_operators() -> None:
    """Define the schemas that ``import torchvision`` registers fake kernels for.

    torchvision's wheel from PyPI is built for CUDA; beside a CPU build of torch its compiled operators do not
    load, and importing it then fails on ``operator torchvision::nms does not exist``.
    """
    if importlib.util.find_spec("torchvision") is None:
        return
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for schema in (
        "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
        "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    ):
        try:
            library.define(schema)
        except RuntimeError:
            return  # the compiled operators are there after all
    _LIBRARIES.append(library)


def keep_one_process() -> None:
    """Run ``DataLoader(num_workers=n)`` in this process, with a word about it, and refuse ``torch.compile``."""
    from torch.utils.data import DataLoader

    original = DataLoader.__init__

    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        if kwargs.get("num_workers") or args[5:6] not in ((), (0,)):
            print("DataLoader: num_workers=0 is used, for a submission is one process", file=sys.stderr)
        args = (*args[:5], 0, *args[6:]) if len(args) > 5 else args
        if "num_workers" in kwargs:
            kwargs["num_workers"] = 0
        for name in ("persistent_workers", "prefetch_factor", "multiprocessing_context", "timeout", "worker_init_fn"):
            kwargs.pop(name, None)
        original(self, *args, **kwargs)

    DataLoader.__init__ = init  # type: ignore[method-assign]

    def unavailable(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("torch.compile is not available: there is no compiler in the sandbox")

    torch.compile = unavailable
