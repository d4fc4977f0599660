"""What is asked of the tour's pictures, so that the lecture's words about them can be measured."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def plane_share(filters: Tensor) -> Tensor:
    """How much of what the weights of `filters` (K, C, h, w) differ by is a gradient in one direction: (K,) in [0, 1].

    That is the part of the squared differences from each channel's mean that the best plane in each channel explains.
    """
    height, width = filters.shape[-2:]
    down, across = torch.meshgrid(_ramp(height), _ramp(width), indexing="ij")
    planes = torch.stack([each.flatten() / each.norm() for each in (down, across)])
    differing = filters.flatten(2) - filters.flatten(2).mean(2, keepdim=True)
    return (differing @ planes.T).square().sum((1, 2)) / differing.square().sum((1, 2))


def one_direction(pictures: Tensor) -> Tensor:
    """How much of the squared change from pixel to pixel of `pictures` (B, C, H, W) runs in one direction: (B,), 0.5 to 1.

    0.5: in all directions alike, 1: the picture is of straight parallel lines. It is the larger part of the structure
    tensor's trace, over the whole picture.
    """
    across = pictures[..., 1:-1, 2:] - pictures[..., 1:-1, :-2]
    down = pictures[..., 2:, 1:-1] - pictures[..., :-2, 1:-1]
    xx, yy, xy = ((one * other).sum((1, 2, 3)) for one, other in ((across, across), (down, down), (across, down)))
    return 0.5 + 0.5 * ((xx - yy).square() + 4 * xy.square()).sqrt() / (xx + yy)


def rise_kept(score: Callable[[Tensor], Tensor], pictures: Tensor, distance: int) -> Tensor:
    """How much of what `pictures` (B, C, H, W) score above black is left when they are moved by `distance` pixels: (B,).

    They are moved up, down, left and right, what leaves at one edge entering at the other; the mean of the four.
    """
    black = score(torch.zeros_like(pictures))
    moves = ((distance, 0), (-distance, 0), (0, distance), (0, -distance))
    moved = torch.stack([score(pictures.roll(each, (2, 3))) for each in moves])
    return ((moved - black) / (score(pictures) - black)).mean(0)


def grown_apart(before: Tensor, after: Tensor) -> tuple[float, float]:
    """The parts of the positive numbers in `before` that are larger in `after`, and of the negative ones that are smaller."""
    return float((after > before)[before > 0].float().mean()), float((after < before)[before < 0].float().mean())


def _ramp(length: int) -> Tensor:
    return torch.arange(length) - (length - 1) / 2
