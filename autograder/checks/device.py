"""Choose the device that submissions are graded on."""

from __future__ import annotations

from autograder.course.loading import Course
from autograder.errors import CourseError
from autograder.worker.accelerator import FAKE


def choose_device(course: Course, wanted: str | None = None) -> str:
    """Return the device to grade on: the one that is wanted, else the course's.

    With ``auto`` that is an NVIDIA GPU where there is one, else the CPU; ``mps`` is taken by name only, because
    it has no float64, which many checks need.

    Raises:
        CourseError: If this machine does not have it.
    """
    wanted = wanted or course.device
    if wanted == "auto":
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"
    require_device(wanted)
    return wanted


def require_device(device: str) -> None:
    """Insist on a device.

    Raises:
        CourseError: If this machine does not have it.
    """
    if device == "cpu":
        return
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(device, device == FAKE):
        raise CourseError(f"device {device}: this machine has none; expected a machine with one; use --device cpu")
