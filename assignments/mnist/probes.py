"""Probes for mnist: they keep what the submission's functions return in the worker, for later calls to use."""

import ctypes
import sys
import threading
import time
from types import ModuleType
from typing import Any

import torch

_frames, _ident, _monotonic, _sleep = sys._current_frames, threading.get_ident, time.monotonic, time.sleep
_no_grad, _random, _manual_seed = torch.no_grad, torch.rand, torch.manual_seed
_raise_in_thread = ctypes.pythonapi.PyThreadState_SetAsyncExc
_PATIENCE_S = 1.0

_kept: dict[str, Any] = {}


def build(submission: ModuleType) -> bool:
    """Keep what build_model() returns; say whether it is a module."""
    _kept["model"] = submission.build_model()
    return isinstance(_kept["model"], torch.nn.Module)


def mode(submission: ModuleType, training: bool) -> None:
    """Put the kept model into training or evaluation mode."""
    _kept["model"].train(training)


def scores(submission: ModuleType, images: torch.Tensor) -> Any:
    """Return what the kept model itself makes of float images, (N, 1, 28, 28)."""
    with _no_grad():
        return _kept["model"](images)


def state(submission: ModuleType) -> list[torch.Tensor]:
    """Return copies of the kept model's weights and buffers."""
    model = _kept["model"]
    return [tensor.detach().clone().cpu() for tensor in (*model.parameters(), *model.buffers())]


def predict(submission: ModuleType, images: torch.Tensor) -> Any:
    """Return what the submission predicts with the kept model."""
    return submission.predict(_kept["model"], images)


def predict_twice(submission: ModuleType, images: torch.Tensor, others: torch.Tensor) -> Any:
    """Return what predict makes of `images`, looked at after it has been called with `others` too."""
    first = submission.predict(_kept["model"], images)
    submission.predict(_kept["model"], others)
    return first


def stage(submission: ModuleType, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Keep images and labels for the next training, which is then timed without their way through the pipe."""
    _kept["data"] = images, labels


def train(submission: ModuleType, device: torch.device, seed: int) -> None:
    """Train on the staged images, which are train's own from then on, and keep the model."""
    images, labels = _kept.pop("data")
    _kept.pop("model", None)
    _kept["model"] = submission.train(images, labels, device=device, seed=seed)


def probabilities(submission: ModuleType, images: torch.Tensor) -> torch.Tensor:
    """Return the probabilities, (N, 10), that follow from the kept model by the baseline's `scores`."""
    with _no_grad():
        return submission.scores(_kept["model"], images).softmax(1)


def stir(submission: ModuleType, seed: int) -> None:
    """Put the global generators of torch, random and numpy into some other state."""
    import random

    _manual_seed(seed)
    _random(seed % 97)
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)


def end_threads(submission: ModuleType) -> None:
    """End the Python threads that run beside this one: SystemExit is raised in each, until none is left."""
    deadline = _monotonic() + _PATIENCE_S
    while _monotonic() < deadline:
        others = [ident for ident in _frames() if ident != _ident()]
        if not others:
            return
        for ident in others:
            _raise_in_thread(ctypes.c_ulong(ident), ctypes.py_object(SystemExit))
        _sleep(0.01)
