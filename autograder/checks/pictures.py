"""Draw what people look at rather than read: times against size, a confusion matrix, images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

_INCHES = (6.4, 4.0)
_DPI = 120


class Pictures:
    """Draws pictures into a folder, or does nothing where none are wanted.

    Attributes:
        folder: Where they go; None where none are wanted.
        paths: What was drawn so far.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self.paths: list[Path] = []

    @property
    def wanted(self) -> bool:
        """Whether it is worth computing what only a picture needs."""
        return self.folder is not None

    def curves(self, name: str, title: str, curves: Mapping[str, Sequence[tuple[float, float]]], labels: str) -> None:
        """Draw curves on logarithmic axes.

        Args:
            name: The file's stem.
            title: What is shown.
            curves: For each curve its points.
            labels: The axes' labels, separated by a bar: ``size|seconds``.
        """
        if not self.wanted:
            return
        figure, axes = _figure(_INCHES)
        for label, points in curves.items():
            axes.loglog([x for x, _ in points], [y for _, y in points], marker="o", label=label)
        across, _, up = labels.partition("|")
        axes.set(title=title, xlabel=across, ylabel=up)
        axes.grid(True, which="both", alpha=0.25)
        axes.legend()
        self._save(figure, name)

    def confusion(self, name: str, title: str, matrix: torch.Tensor) -> None:
        """Draw a confusion matrix, (C, C) int64: rows target, columns prediction."""
        if not self.wanted:
            return
        figure, axes = _figure((5.6, 5.2))
        off = matrix.clone().fill_diagonal_(0)
        axes.imshow(off.numpy(), cmap="Oranges")
        for row, counts in enumerate(matrix.tolist()):
            for column, count in enumerate(counts):
                if count:
                    axes.text(column, row, str(count), ha="center", va="center", fontsize=8)
        places = list(range(matrix.shape[0]))
        axes.set(title=title, xlabel="prediction", ylabel="target", xticks=places, yticks=places)
        self._save(figure, name)

    def images(self, name: str, title: str, images: torch.Tensor, captions: Sequence[str], columns: int = 8) -> None:
        """Draw grey images, (N, H, W), each with a caption."""
        if not self.wanted or not len(captions):
            return
        from matplotlib.figure import Figure

        rows = -(-len(captions) // columns)
        figure = Figure(figsize=(columns * 1.1, rows * 1.35 + 0.5), dpi=_DPI, layout="constrained")
        figure.suptitle(title)
        for index, caption in enumerate(captions):
            axes = figure.add_subplot(rows, columns, index + 1)
            axes.imshow(images[index].numpy(), cmap="gray_r")
            axes.set_title(caption, fontsize=8)
            axes.axis("off")
        self._save(figure, name)

    def _save(self, figure: Any, name: str) -> None:
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{name}.png"
        figure.savefig(path)
        self.paths.append(path)


def _figure(inches: tuple[float, float]) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, dpi=_DPI, layout="constrained")
    return figure, figure.add_subplot()
