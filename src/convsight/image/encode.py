"""Raw picture to tensor: a photograph or scan of one digit becomes what the digit network takes.

MNIST's digits are white on black, 20 pixels at their longest, with their centre of mass in the middle of 28x28 pixels
(LeCun et al. 1998, section III-A); the picture is brought to that form.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from PIL import Image
from torch import Tensor

from convsight.errors import InputError
from convsight.pictures import to_tensor

_WORKING_SIZE = 140
_BOX, _SIDE = 20, 28


def digit(picture: Image.Image, *, name: str = "the picture") -> Tensor:
    """The digit in `picture`, dark on light or light on dark, anywhere in it: (1, 1, 28, 28) float in [0, 1].

    Raises InputError, with `name` in it, if nothing stands out from the background.
    """
    grey = to_tensor(_at_most(picture.convert("L"), _WORKING_SIZE))[0, 0]
    ink = _strokes(_without_background(grey), name)
    rows, columns = (ink > 0).any(1).nonzero()[:, 0], (ink > 0).any(0).nonzero()[:, 0]
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _centred(_in_box(ink))


def _at_most(picture: Image.Image, longest: int) -> Image.Image:
    factor = longest / max(picture.size)
    if factor >= 1:
        return picture
    width, height = (max(1, round(length * factor)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


def _without_background(grey: Tensor) -> Tensor:
    """How much each pixel is ink, (H, W) in [0, 1]: what a morphological closing fills, or an opening takes away.

    Both follow light that falls unevenly, and shadows with an edge, so long as these are wider than a stroke. Ink is the
    smaller part of what is around it, so it makes the longer tail. Source: black and white top-hat, Meyer 1979.
    """
    reach = max(3, max(grey.shape) * 19 // 100) * 2 + 1
    level = grey - _light(grey)
    return _stands_out(level if (level - _around(level, reach)).pow(3).sum() < 0 else -level, reach)


def _light(grey: Tensor) -> Tensor:
    """The plane that is nearest to most values of `grey` (H, W)."""
    height, width = grey.shape
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    terms = torch.stack([torch.ones_like(grey), rows, columns], -1)
    fitted = torch.ones_like(grey, dtype=torch.bool)
    for _ in range(4):
        solution = torch.linalg.lstsq(terms[fitted].double(), grey[fitted].double()[:, None], driver="gelsd").solution.float()
        plane: Tensor = (terms @ solution)[..., 0]
        distance = (grey - plane).abs()
        fitted = distance <= max(2.5 * float(distance.median()), 0.02)
    return plane


def _around(level: Tensor, reach: int) -> Tensor:
    """The mean of `level` (H, W) within a square of `reach` about each pixel, as far as it lies in the picture."""
    down = F.avg_pool2d(level[None], (reach, 1), stride=1, padding=(reach // 2, 0), count_include_pad=False)
    return F.avg_pool2d(down, (1, reach), stride=1, padding=(0, reach // 2), count_include_pad=False)[0]


def _stands_out(paper: Tensor, reach: int) -> Tensor:
    """How much darker than what is around it each pixel is that belongs to something narrower than `reach`."""
    difference = _lowest(-_lowest(-paper, reach), reach) - paper
    return (difference - difference.median()).clamp_min(0)  # noise of the paper stands out everywhere


def _lowest(grey: Tensor, reach: int) -> Tensor:
    """The lowest value within a square of `reach` about each pixel."""
    down = F.max_pool2d(-grey[None, None], (reach, 1), stride=1, padding=(reach // 2, 0))
    return -F.max_pool2d(down, (1, reach), stride=1, padding=(0, reach // 2))[0, 0]


def _strokes(difference: Tensor, name: str) -> Tensor:
    """The digit's ink, (H, W) in [0, 1], zero elsewhere: what stands out, less what is small or faint."""
    full = float(difference.flatten().quantile(0.995)) if difference.numel() > 2000 else float(difference.max())
    if full < 0.08:
        raise InputError(f"nothing stands out in {name}; a digit is dark on light or light on dark")
    ink = (difference / full).clamp(0, 1)
    threshold = _otsu(ink)
    pieces = _pieces(ink > threshold)
    sizes = torch.bincount(pieces.flatten())
    sizes[0] = 0
    for outer in (sizes >= 0.15 * sizes.max()).nonzero()[:, 0].tolist():
        around = pieces == outer
        least = 0.005 if around[0].any() and around[-1].any() and around[:, 0].any() and around[:, -1].any() else 0.1
        others = (sizes >= least * sizes[outer]).nonzero()[:, 0].tolist()
        if any(_inside(pieces == inner, around) for inner in others if inner != outer):
            sizes[outer] = 0  # a frame, or what lies around a sheet of paper
    keep = sizes >= max(0.15 * float(sizes.max()), 1)
    near = F.max_pool2d(keep[pieces][None, None].float(), 3, stride=1, padding=1)[0, 0]  # with the soft edge
    return ink * near * (ink > 0.25 * threshold)


def _inside(inner: Tensor, outer: Tensor) -> bool:
    """Whether the box around `inner` lies within that around `outer` with a margin on all sides; masks (H, W)."""
    for axis in (0, 1):
        within, around = inner.any(axis).nonzero(), outer.any(axis).nonzero()
        margin = 0.08 * float(around[-1] - around[0])
        if not (within[0] >= around[0] + margin and within[-1] <= around[-1] - margin):
            return False
    return True


def _otsu(ink: Tensor) -> float:
    """The threshold that best separates dark from light. Source: Otsu 1979, equation 18."""
    counts = torch.histc(ink, 64, 0, 1)
    levels = (torch.arange(64) + 0.5) / 64
    below = counts.cumsum(0)
    sums = (counts * levels).cumsum(0)
    above = below[-1] - below
    gap = sums / below.clamp_min(1) - (sums[-1] - sums) / above.clamp_min(1)
    return float(levels[(below * above * gap.square()).argmax()])


def _pieces(mask: Tensor) -> Tensor:
    """Connected pieces of `mask` (H, W), numbered from 1, 0 elsewhere.

    A pixel's number is a pixel of its piece: the highest of the neighbours' and what is written there, until nothing changes.
    """
    numbers: Tensor = torch.arange(1, mask.numel() + 1, dtype=torch.float32).view(mask.shape) * mask
    while True:
        spread = F.max_pool2d(numbers[None, None], 3, stride=1, padding=1)[0, 0] * mask
        if torch.equal(spread, numbers):
            _, renumbered = torch.unique(torch.cat([torch.zeros(1), numbers.flatten()]), return_inverse=True)
            pieces: Tensor = renumbered[1:].view(mask.shape)
            return pieces
        numbers = torch.cat([torch.zeros(1), spread.flatten()])[spread.long()]


def _in_box(ink: Tensor) -> Tensor:
    """Scaled so that the longest side is 20, with strokes at least about two pixels wide."""
    height, width = ink.shape
    factor = _BOX / max(height, width)
    stroke = 2 * float(ink.sum()) / max(float(ink.diff(dim=0).abs().sum() + ink.diff(dim=1).abs().sum()) * 0.8, 1)
    thicken = round((2.0 / factor - stroke) / 2)
    if factor < 1 and thicken > 0:
        ink = F.max_pool2d(F.pad(ink, (thicken,) * 4)[None, None], 2 * thicken + 1, stride=1)[0, 0]
        ink = F.pad(ink, (thicken,) * 4)
        rows, columns = (ink > 0).any(1).nonzero()[:, 0], (ink > 0).any(0).nonzero()[:, 0]
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        factor = _BOX / max(ink.shape)
    size = [max(1, round(length * factor)) for length in ink.shape]
    smaller = F.interpolate(ink[None, None], size, mode="bilinear", antialias=True, align_corners=False)[0, 0]
    return (smaller / smaller.max()).clamp(0, 1)


def _centred(ink: Tensor) -> Tensor:
    height, width = ink.shape
    mass = ink / ink.sum()
    centre_row = float((mass.sum(1) * torch.arange(height)).sum())
    centre_column = float((mass.sum(0) * torch.arange(width)).sum())
    top = min(max(round(_SIDE / 2 - 0.5 - centre_row), 0), _SIDE - height)
    left = min(max(round(_SIDE / 2 - 0.5 - centre_column), 0), _SIDE - width)
    placed = torch.zeros(1, 1, _SIDE, _SIDE)
    placed[0, 0, top : top + height, left : left + width] = ink
    return placed
