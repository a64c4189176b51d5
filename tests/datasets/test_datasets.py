"""Tests of the data sets: reading, fetching, and the digits that stand in for them."""

import gzip
from pathlib import Path

import pytest
import torch

from autograder.datasets import mnist as datasets
from autograder.datasets.drawn_digits import draw_digits
from autograder.datasets.mnist import drawn_digits, mnist
from autograder.errors import CourseError

IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"


def idx(values: torch.Tensor) -> bytes:
    """Return a tensor of bytes in the idx format."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes((0, 0, 8, values.ndim)) + sizes + bytes(values.flatten().tolist())


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with five training and three test images; nothing else is available."""
    folder = tmp_path / "data" / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name, count in ((IMAGES, 5), (TEST_IMAGES, 3)):
        (folder / name).write_bytes(idx(torch.full((count, 28, 28), count)))
    for name, count in ((LABELS, 5), (TEST_LABELS, 3)):
        (folder / name).write_bytes(idx(torch.arange(count)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("AUTOGRADE_DATA", raising=False)
    return tmp_path / "data"


def test_unpacked_files_are_read(root: Path) -> None:
    data = mnist(root, download=False)

    assert data.source == "files"
    assert data.train_images.shape == (5, 28, 28)
    assert data.train_images.dtype == torch.uint8
    assert data.test_images.unique().tolist() == [3]
    assert torch.equal(data.train_labels, torch.arange(5))
    assert torch.equal(data.test_labels, torch.arange(3))


def test_the_environment_names_a_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADE_DATA", str(root))

    assert mnist(None, download=False).source == "files"


def test_a_packed_file_that_is_not_the_published_one_is_refused(root: Path) -> None:
    path = root / "MNIST" / "raw" / f"{LABELS}.gz"
    path.write_bytes(gzip.compress(idx(torch.arange(5)), mtime=0))

    with pytest.raises(CourseError) as error:
        mnist(root, download=False)

    found, expected, *todo = str(error.value).split("; ")
    assert found.startswith(f"{path}: its MD5 is ")
    assert expected == "expected d53e105ee54ea40749a09fcbcd1e9432"
    assert todo == ["delete it, and it is fetched again, or put the published one there"]


@pytest.mark.parametrize("damaged", [b"", b"\0\0\x08", b"\0\0\x08\x01\0\0\0\x06\1\2", b"\0\0\x0d\x01\0\0\0\x01\1"])
def test_a_damaged_file_is_refused(root: Path, damaged: bytes) -> None:
    path = root / "MNIST" / "raw" / LABELS
    path.write_bytes(damaged)

    with pytest.raises(CourseError, match="holds no array of bytes in the idx format; expected a file of MNIST"):
        mnist(root, download=False)


def test_what_torchvision_fetches_is_read(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(folder: Path) -> bool:
        (root / "MNIST").rename(folder.mkdir(parents=True) or folder / "MNIST")
        return True

    monkeypatch.setattr(datasets, "_download", fetch)

    assert mnist(tmp_path / "nothing here").source == "download"


def test_digits_are_drawn_where_there_is_nothing_else(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "DRAWN_IMAGES", (40, 20))
    monkeypatch.setattr(datasets, "_download", lambda folder: False)

    data = mnist(tmp_path / "nothing at all")

    assert data.source == "drawn"
    assert data.train_images.shape == (40, 28, 28)
    assert data.test_labels.shape == (20,)


def test_the_same_seed_draws_the_same_digits() -> None:
    one, same, other = (drawn_digits(30, 10, seed=seed) for seed in (1, 1, 2))

    assert torch.equal(one.train_images, same.train_images)
    assert torch.equal(one.test_labels, same.test_labels)
    assert not torch.equal(one.train_images, other.train_images)


def test_drawn_digits_have_ink_on_a_background_of_nothing() -> None:
    images = draw_digits(torch.arange(10).repeat(60), torch.Generator().manual_seed(0))

    assert images.shape == (600, 28, 28)
    assert images.dtype == torch.uint8
    assert (images == 0).double().mean() > 0.6
    assert images.flatten(1).amax(1).min() > 150
    assert not images[:, 0].any() or images[:, 0].double().mean() < 1


def test_no_labels_are_no_images() -> None:
    assert draw_digits(torch.empty(0, dtype=torch.int64), torch.Generator()).shape == (0, 28, 28)
