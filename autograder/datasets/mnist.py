"""Find the data sets that assignments train on, and read them into plain tensors.

MNIST comes from the first of these places that has it: the data folder that the caller names (`data:` in
`course.yml`), the folder in the environment variable `AUTOGRADE_DATA`, this user's cache, torchvision's download into
that cache. Where none has it, the project draws digits of its own, and `MnistData.source` says so.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch

from autograder.datasets.drawn_digits import draw_digits
from autograder.errors import CourseError

VARIABLE = "AUTOGRADE_DATA"
DRAWN_IMAGES = (12_000, 2_000)
_DRAWN_SEED = 28
_NETWORK_TIMEOUT_S = 10.0
_UINT8 = 0x08

# Source: torchvision.datasets.MNIST.resources, the files of LeCun, Cortes and Burges.
_FILES = {
    "train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "ec29112dd5afa0611ce80d1b7f02629c",
}


@dataclass(frozen=True)
class MnistData:
    """Hold the images and labels of MNIST, or of digits that stand in for them.

    Attributes:
        train_images: (N, 28, 28) uint8; N is 60 000 for MNIST.
        train_labels: (N,) int64, from 0 to 9.
        test_images: (M, 28, 28) uint8; M is 10 000 for MNIST.
        test_labels: (M,) int64.
        source: `files` and `download` for MNIST, `drawn` for digits of our own.
    """

    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    source: Literal["files", "download", "drawn"]


def mnist(root: Path | None = None, *, download: bool = True) -> MnistData:
    """Return MNIST, or digits of our own where it cannot be had; read once a process.

    Args:
        root: The data folder, with MNIST in `MNIST/raw/` below it, as torchvision keeps it; None for none.
        download: Whether the network may be asked.

    Raises:
        CourseError: If a file of the data set is there and is not what it should be.
    """
    return _mnist(root, os.environ.get(VARIABLE, ""), download)


@functools.cache
def _mnist(root: Path | None, variable: str, download: bool) -> MnistData:
    cache = _cache_folder()
    for place in (root, Path(variable) if variable else None, cache):
        if place is not None and (found := _read_folder(place / "MNIST" / "raw", "files")):
            return found
    if download and _download(cache) and (found := _read_folder(cache / "MNIST" / "raw", "download")):
        return found
    return drawn_digits(*DRAWN_IMAGES)


def drawn_digits(train: int, test: int, *, seed: int = _DRAWN_SEED) -> MnistData:
    """Return so many drawn digits for training and testing; the same seed gives the same ones."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(0, 10, (train + test,), generator=generator)
    images = draw_digits(labels, generator)
    return MnistData(images[:train], labels[:train], images[train:], labels[train:], "drawn")


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autograde"


def _read_folder(folder: Path, source: Literal["files", "download"]) -> MnistData | None:
    """Return the data set that lies in a folder, packed or unpacked; None if a file is missing."""
    paths = []
    for name in _FILES:
        packed, unpacked = folder / f"{name}.gz", folder / name
        paths.append(packed if packed.is_file() else unpacked)
    if not all(path.is_file() for path in paths):
        return None
    train_images, train_labels, test_images, test_labels = (_read_idx(path) for path in paths)
    return MnistData(train_images, train_labels.long(), test_images, test_labels.long(), source)


def _read_idx(path: Path) -> torch.Tensor:
    """Read one file in the idx format, verified where it is packed as it was published.

    Source: the file format on the MNIST page: two zero bytes, the type, the number of dimensions, each size in four
    bytes, most significant first, then the values.

    Raises:
        CourseError: If the file is damaged or another one.
    """
    problem = "delete it, and it is fetched again, or put the published one there"
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
            if digest != _FILES[path.stem]:
                raise CourseError(f"{path}: its MD5 is {digest}; expected {_FILES[path.stem]}; {problem}")
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise CourseError(f"{path}: cannot be read ({error}); expected a file of MNIST; {problem}") from error
    dimensions = data[3] if len(data) > 3 else 0
    header = 4 + 4 * dimensions
    shape = [int.from_bytes(data[place : place + 4], "big") for place in range(4, header, 4)]
    values = torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8) if len(data) > header else torch.empty(0)
    if data[:3] != bytes((0, 0, _UINT8)) or values.numel() != torch.Size(shape).numel():
        raise CourseError(f"{path}: holds no array of bytes in the idx format; expected a file of MNIST; {problem}")
    return values.reshape(shape)


def _download(folder: Path) -> bool:
    """Let torchvision fetch MNIST into a folder; say whether it could."""
    from autograder.worker.compat import define_torchvision_operators

    define_torchvision_operators()
    try:
        from torchvision.datasets import MNIST  # type: ignore[import-untyped]

        with _network_timeout(_NETWORK_TIMEOUT_S):
            MNIST(str(folder), download=True)
    except (ImportError, OSError, RuntimeError, ValueError):
        return False  # no torchvision, no network, no room, or something else than MNIST behind the address
    return True


@contextlib.contextmanager
def _network_timeout(seconds: float) -> Iterator[None]:
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
