"""A search for the test labels.

Title: Looking for the labels on disk, in memory and on the network
How: `train` looks for MNIST's files in every folder, for the grader's memory and its environment under /proc, for a
    tensor of 10 000 labels among all live objects, and asks torchvision to download the data set.
After: reading hidden files from disk or /proc, walking `gc` to the expected value, the network.
Stopped by: nothing of it is there: the worker sees the interpreter and its own folder, and labels stay in the grader.
"""

import gc
import gzip
import os
from pathlib import Path

import torch
from torch import Tensor, nn

EARNS = ["interface"]
SLOW = True

FOUND: list[Tensor] = []


def files() -> None:
    """Look for the published file of labels."""
    for folder, _, names in os.walk("/"):
        if folder.startswith(("/proc", "/sys")):
            continue
        for name in names:
            if name.startswith("t10k-labels"):
                data = Path(folder, name).read_bytes()
                data = gzip.decompress(data) if name.endswith(".gz") else data
                FOUND.append(torch.frombuffer(bytearray(data[8:]), dtype=torch.uint8).long())


def processes() -> None:
    """Look into other processes for a folder that their environment names."""
    for entry in Path("/proc").glob("[0-9]*"):
        environment = (entry / "environ").read_bytes()
        for part in environment.split(b"\0"):
            if part.startswith(b"AUTOGRADE_DATA="):
                print("the data lie in", part.decode())
        with (entry / "mem").open("rb") as memory:
            memory.read(1)


def objects() -> None:
    """Look for labels among all that lives."""
    FOUND.extend(thing for thing in gc.get_objects() if type(thing) is Tensor and thing.shape == (10_000,))


def network() -> None:
    """Ask for the data set itself."""
    from torchvision.datasets import MNIST

    FOUND.append(MNIST("data", train=False, download=True).targets)


def build_model() -> nn.Module:
    """Return a model that would do as well as any other."""
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def train(images: Tensor, labels: Tensor, *, device: torch.device, seed: int) -> nn.Module:
    """Search, and learn nothing."""
    for search in (files, processes, objects, network):
        try:
            search()
        except Exception as error:  # noqa: BLE001  # whatever fails, the next search goes on
            print(f"{search.__name__}: {error!r}")
    return build_model()


def predict(model: nn.Module, images: Tensor) -> Tensor:
    """Return found labels in their order, or nothing of worth."""
    with torch.no_grad():
        labels = model(images.float() / 255).argmax(1)
    for found in FOUND:
        labels = found[: len(images)]
    return labels
