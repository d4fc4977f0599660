"""Pictures at other sizes, without aliasing."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor


def resized(picture: Tensor, height: int, width: int) -> Tensor:
    """`picture` (B, C, H, W) in [0, 1] at another size, (B, C, height, width): bicubic, smoothed before it shrinks."""
    if picture.shape[-2:] == (height, width):
        return picture
    return F.interpolate(picture, (height, width), mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)


def longest(picture: Tensor, length: int) -> Tensor:
    """`picture` with its longer side `length` pixels long, in its own proportions."""
    height, width = picture.shape[-2:]
    factor = length / max(height, width)
    return resized(picture, max(1, round(height * factor)), max(1, round(width * factor)))
