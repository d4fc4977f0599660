"""Random views: what the network is shown of the picture at each step, so that the picture works from all of them.

A transform is called once a step with the random generator and draws one view, the same for the whole batch; the view
is a differentiable function (B, C, H, W) -> (B, C, H', W'). Its `__name__` says how it was made. Amounts that make no
sense raise InputError.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor

from convsight.errors import InputError

View = Callable[[Tensor], Tensor]
Transform = Callable[[Generator], View]


def jitter(pixels: int) -> Transform:
    """Shift by up to `pixels` down or up and across; what leaves on one side comes back on the other.

    Source: Mordvintsev, Olah, Tyka 2015, whose code rolls the picture so.
    """

    if pixels < 0:
        raise InputError(f"jitter shifts by 0 pixels or more, not by {pixels}")

    def draw(generator: Generator) -> View:
        down, across = (int(each) for each in torch.randint(-pixels, pixels + 1, (2,), generator=generator))
        return lambda image: image.roll((down, across), (-2, -1))

    draw.__name__ = f"jitter({pixels})"
    return draw


def scale(factors: Sequence[float]) -> Transform:
    """Enlarge or shrink about the centre by one of `factors`; the size (H, W) stays, and a shrunk border is repeated."""

    if not factors or not all(0 < factor < math.inf for factor in factors):
        raise InputError(f"scale takes factors above 0, not {', '.join(map(str, factors)) or 'none'}")

    def draw(generator: Generator) -> View:
        factor = factors[int(torch.randint(len(factors), (1,), generator=generator))]
        return lambda image: _affine(image, 0.0, factor)

    draw.__name__ = f"scale({', '.join(f'{factor:g}' for factor in factors)})"
    return draw


def rotate(degrees: float) -> Transform:
    """Turn about the centre by up to `degrees` either way; the size stays, and the border is repeated outwards."""

    if not math.isfinite(degrees):
        raise InputError(f"rotate turns by a number of degrees, not by {degrees}")

    def draw(generator: Generator) -> View:
        angle = (2 * torch.rand(1, generator=generator).item() - 1) * math.radians(degrees)
        return lambda image: _affine(image, angle, 1.0)

    draw.__name__ = f"rotate({degrees:g})"
    return draw


def pad(pixels: int, *, value: float = 0.5) -> Transform:
    """A border of `pixels` of `value` around the picture: (B, C, H, W) to (B, C, H + 2 pixels, W + 2 pixels)."""
    if pixels < 0:
        raise InputError(f"pad adds 0 pixels or more, not {pixels}")

    def draw(_generator: Generator) -> View:
        return lambda image: F.pad(image, (pixels,) * 4, value=value)

    draw.__name__ = f"pad({pixels}, value={value:g})"
    return draw


def photographic() -> list[Transform]:
    """Views in which a photograph's content stays what it is: moved, turned and scaled a little.

    Source: the default robustness of Olah, Mordvintsev, Schubert 2017, in other amounts.
    """
    return [jitter(16), rotate(12), scale((0.8, 0.9, 1.0, 1.1, 1.2)), jitter(8)]


def compose(transforms: Sequence[Transform], generator: Generator) -> View:
    """One view drawn from each of `transforms`, applied in their order."""
    views = [transform(generator) for transform in transforms]

    def view(image: Tensor) -> Tensor:
        for each in views:
            image = each(image)
        return image

    return view


def _affine(image: Tensor, angle: float, factor: float) -> Tensor:
    height, width = image.shape[-2:]
    cosine, sine = math.cos(angle) / factor, math.sin(angle) / factor
    matrix = [[cosine, sine * height / width, 0.0], [-sine * width / height, cosine, 0.0]]
    theta = torch.tensor(matrix, dtype=image.dtype, device=image.device).expand(len(image), 2, 3)
    grid = F.affine_grid(theta, list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)
