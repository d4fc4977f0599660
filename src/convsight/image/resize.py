"""Pictures at other sizes, without aliasing."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor


def resized(picture: Tensor, height: int, width: int) -> Tensor:
    """`picture` (B, C, H, W) at another size, (B, C, height, width): bicubic, smoothed before it shrinks.

    Nothing becomes larger or smaller than what is in `picture`.
    """
    if picture.shape[-2:] == (height, width):
        return picture
    made = F.interpolate(picture, (height, width), mode="bicubic", antialias=True, align_corners=False)
    return made.clamp(picture.min(), picture.max())


def longest(picture: Tensor, length: int) -> Tensor:
    """`picture` with its longer side `length` pixels long, in its own proportions."""
    height, width = picture.shape[-2:]
    factor = length / max(height, width)
    return resized(picture, max(1, round(height * factor)), max(1, round(width * factor)))
