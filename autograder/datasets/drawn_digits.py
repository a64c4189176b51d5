"""Draw digits: a small stand-in for MNIST where neither its files nor the network can be had.

Each digit is a pen line through a few points. For every image the points wander a little, the line is turned, slanted,
stretched and moved, and the pen has a width of its own. The background is exactly 0, as MNIST's is. The same seed gives
the same images.
"""

from __future__ import annotations

import math

import torch

SIZE = 28
_POINTS = 17
_AT_ONCE = 500

Line = tuple[tuple[float, float], ...]


def _arc(x: float, y: float, across: float, down: float, start: float, end: float, points: int = 9) -> Line:
    """Return points on an ellipse, from one angle to another; degrees, clockwise from the right."""
    angles = [math.radians(start + (end - start) * step / (points - 1)) for step in range(points)]
    return tuple((x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles)


# The ways to write each digit, as one line in a box from (0, 0), top left, to (1, 1).
_LINES: tuple[tuple[Line, ...], ...] = (
    (_arc(0.5, 0.5, 0.33, 0.46, -70, 290, 15), _arc(0.5, 0.5, 0.25, 0.46, -110, 260, 15)),
    (((0.5, 0.04), (0.5, 0.96)), ((0.32, 0.24), (0.54, 0.05), (0.52, 0.96))),
    (
        (*_arc(0.5, 0.28, 0.3, 0.24, -170, 40), (0.2, 0.94), (0.84, 0.92)),
        (*_arc(0.48, 0.3, 0.28, 0.26, -150, 50), (0.24, 0.86), (0.3, 0.96), (0.5, 0.86), (0.84, 0.92)),
    ),
    ((*_arc(0.46, 0.27, 0.28, 0.22, -150, 90), *_arc(0.46, 0.72, 0.32, 0.24, -90, 150)),),
    (
        ((0.3, 0.05), (0.2, 0.55), (0.82, 0.52), (0.68, 0.3), (0.66, 0.96)),
        ((0.62, 0.96), (0.64, 0.05), (0.16, 0.66), (0.86, 0.64)),
    ),
    (((0.78, 0.06), (0.32, 0.08), (0.27, 0.46), *_arc(0.46, 0.68, 0.32, 0.27, -110, 140)),),
    (((0.64, 0.05), (0.36, 0.3), (0.23, 0.66), *_arc(0.5, 0.71, 0.27, 0.24, 180, -170, 11)),),
    (
        ((0.18, 0.1), (0.82, 0.08), (0.44, 0.96)),
        ((0.18, 0.14), (0.8, 0.1), (0.56, 0.5), (0.74, 0.5), (0.36, 0.5), (0.4, 0.96)),
    ),
    ((*_arc(0.5, 0.27, 0.24, 0.22, 80, -250, 8), *_arc(0.5, 0.73, 0.29, 0.24, -90, 260, 9)),),
    ((*_arc(0.5, 0.3, 0.26, 0.24, 10, -350, 11), (0.74, 0.6), (0.6, 0.96)),),
)


def draw_digits(labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return an image for each label.

    Args:
        labels: (N,) int64, from 0 to 9.
        generator: Decides about everything else; on the CPU.

    Returns:
        (N, 28, 28) uint8: white ink on a background of 0.
    """
    starts = range(0, len(labels), _AT_ONCE)
    pieces = [_draw(labels[start : start + _AT_ONCE], generator) for start in starts]
    return torch.cat(pieces) if pieces else torch.zeros(0, SIZE, SIZE, dtype=torch.uint8)


def _draw(labels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Draw some hundred digits at once."""
    count = len(labels)

    def between(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(count, *shape, generator=generator)

    ways = (between(0, 1) * torch.tensor([len(lines) for lines in _LINES])[labels]).long()
    points = _TABLE[labels, ways] - 0.5
    # A wander that neighbouring points share, so that lines stay smooth.
    wander = between(-1, 1, _POINTS + 4, 2).unfold(1, 5, 1).mean(-1) * 0.23
    points = points + wander
    turn, slant = between(-0.28, 0.28), between(-0.38, 0.38)
    wide, tall = between(13, 20), between(17, 21)
    x = (points[..., 0] - slant[:, None] * points[..., 1]) * wide[:, None]
    y = points[..., 1] * tall[:, None]
    cosine, sine = turn.cos()[:, None], turn.sin()[:, None]
    moved = between(-1.5, 1.5, 2)[:, None]
    pen = torch.stack((x * cosine - y * sine, x * sine + y * cosine), dim=-1) + SIZE / 2 + moved
    width, ink = between(0.7, 1.6)[:, None], between(200, 275)[:, None]
    image = ink * (width + 0.5 - _distances(pen)).clamp(0, 1)
    return image.clamp(max=255).to(torch.uint8).reshape(count, SIZE, SIZE)


def _distances(pen: torch.Tensor) -> torch.Tensor:
    """Return the distance of every pixel's centre from a line through (N, P, 2) points, as (N, 784)."""
    centres = torch.arange(SIZE) + 0.5
    px, py = centres.repeat(SIZE), centres.repeat_interleave(SIZE)
    nearest = torch.full((len(pen), SIZE * SIZE), torch.inf)
    for start, end in zip(pen.unbind(1)[:-1], pen.unbind(1)[1:], strict=True):
        way = end - start
        length = way.square().sum(-1).clamp(min=1e-6)
        dx, dy = px - start[:, :1], py - start[:, 1:]
        share = ((dx * way[:, :1] + dy * way[:, 1:]) / length[:, None]).clamp_(0, 1)
        off = (dx - share * way[:, :1]).square_().add_((dy - share * way[:, 1:]).square_())
        nearest = torch.minimum(nearest, off)
    return nearest.sqrt_()


def _evenly(line: Line) -> torch.Tensor:
    """Return `_POINTS` points on a line, at equal distances along it."""
    points = torch.tensor(line)
    along = torch.cat((torch.zeros(1), (points[1:] - points[:-1]).norm(dim=1).cumsum(0)))
    wanted = torch.linspace(0, float(along[-1]), _POINTS)
    place = torch.searchsorted(along, wanted).clamp(1, len(points) - 1)
    share = ((wanted - along[place - 1]) / (along[place] - along[place - 1]))[:, None]
    return points[place - 1] * (1 - share) + points[place] * share


def _table() -> torch.Tensor:
    """Return the points of every way to write every digit, (10, ways, points, 2); missing ways stay 0."""
    most = max(len(lines) for lines in _LINES)
    table = torch.zeros(len(_LINES), most, _POINTS, 2)
    for digit, lines in enumerate(_LINES):
        for way, line in enumerate(lines):
            table[digit, way] = _evenly(line)
    return table


_TABLE = _table()
