"""How the input is stored while it is optimised.

A parametrization is a `torch.nn.Module` that takes no input and returns the picture: `parametrization() -> (B, C, H, W)`,
float in the value range of the network's `InputSpec`. Its parameters are what the optimizer moves; its `repr` says how it
was made.

From one seed, every sample of a batch starts from the same noise, so that a unit's picture doesn't depend on the batch it was
in (save with L-BFGS, where a batch shares one search direction); from a list of seeds, each from its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from convsight.errors import InputError

Range = tuple[float, float]
Seeds = int | Sequence[int]

# The square root of the covariance of colours over ImageNet's photographs (to be divided by its largest column norm), as
# published with Olah, Mordvintsev, Schubert 2017, "Feature Visualization" (appendix on preconditioning).
_COLOUR_CORRELATION = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))


class Parametrization(nn.Module):
    """`parametrization() -> (B, C, H, W)`; `made` is what its `repr` says in the brackets."""

    made = ""

    def extra_repr(self) -> str:
        return self.made


class Pixels(Parametrization):
    """The picture as it is: one parameter a pixel and channel, held within `value_range`.

    Inside the range the gradient passes unchanged; at a bound, only what leads back inside passes.
    """

    def __init__(self, start: Tensor, value_range: Range = (0.0, 1.0)) -> None:
        super().__init__()
        self.value_range = value_range
        self.values = nn.Parameter(start.clone(memory_format=torch.contiguous_format))  # L-BFGS reads it as one row

    def forward(self) -> Tensor:
        return bounded(self.values, self.value_range)


class Overlay(Parametrization):
    """A picture and changes to it, held within `value_range`; of three channels, the changes' colours are decorrelated.

    So a step along the gradient changes light and dark first, as colours differ in photographs, instead of shrill colours.
    """

    picture: Tensor
    colour: Tensor

    def __init__(self, picture: Tensor, value_range: Range = (0.0, 1.0)) -> None:
        super().__init__()
        self.value_range = value_range
        self.changes = nn.Parameter(torch.zeros_like(picture))
        self.register_buffer("picture", picture)
        self.register_buffer("colour", colour(picture.dtype, picture.shape[1]))

    def forward(self) -> Tensor:
        changed = self.picture + torch.einsum("oc,bchw->bohw", self.colour, self.changes)
        return bounded(changed, self.value_range)


class PrincipalComponents(Parametrization):
    """A mean picture plus amounts of the ways in which given pictures differ most, each held within a few deviations.

    The colours of `Fourier` are decorrelated by what photographs have in common; here whole pictures are, by what pictures
    like those that the network takes have in common. No labels are used. Source: ours, after Olah et al. 2017.
    """

    mean: Tensor
    directions: Tensor

    def __init__(self, amounts: Tensor, mean: Tensor, directions: Tensor, value_range: Range, *, deviations: float) -> None:
        super().__init__()
        self.value_range, self.deviations = value_range, deviations
        self.amounts = nn.Parameter(amounts.clone())
        self.register_buffer("mean", mean)
        self.register_buffer("directions", directions)

    def forward(self) -> Tensor:
        amounts = self.deviations * torch.tanh(self.amounts / self.deviations)
        image = self.mean + torch.einsum("bk,kchw->bchw", amounts, self.directions)
        return image.clamp(*self.value_range)


def pixels(
    shape: tuple[int, int, int],
    batch: int = 1,
    *,
    value_range: Range = (0.0, 1.0),
    noise: float = 0.2,
    seed: Seeds = 0,
    dtype: torch.dtype = torch.float32,
) -> Pixels:
    """Pixels of `shape` (C, H, W), from uniform noise over the lowest `noise` of the value range; 0 for the lowest value."""
    low, high = value_range
    start = drawn(torch.rand, shape, batch, seed).to(dtype)
    made = Pixels(low + noise * (high - low) * start, value_range)
    made.made = f"noise={noise:g}, seed={seed}"
    return made


def pixels_from(picture: Tensor, *, value_range: Range = (0.0, 1.0)) -> Pixels:
    """Pixels that start as `picture`: (B, C, H, W) float in `value_range`."""
    made = Pixels(picture.detach(), value_range)
    made.made = "from a picture"
    return made


def overlay(picture: Tensor, *, value_range: Range = (0.0, 1.0)) -> Overlay:
    """Changes, none at first, to `picture`: (B, C, H, W) float in `value_range`."""
    made = Overlay(picture.detach(), value_range)
    made.made = "on a picture"
    return made


def principal(
    pictures: Tensor,
    batch: int = 1,
    *,
    value_range: Range = (0.0, 1.0),
    components: int = 40,
    deviations: float = 2.0,
    seed: Seeds = 0,
) -> PrincipalComponents:
    """The first `components` principal components of `pictures`, (N, C, H, W) float in `value_range`, as parameters.

    Each stays within `deviations` standard deviations. Raises InputError unless there are more pictures than components,
    each with as many numbers at least.
    """
    if len(pictures) <= components:
        raise InputError(f"{components} principal components need more than {components} pictures; these are {len(pictures)}")
    if pictures[0].numel() < components:
        raise InputError(f"pictures of {pictures[0].numel()} numbers have no {components} principal components")
    mean = pictures.mean(0)
    _, spread, directions = torch.linalg.svd((pictures - mean).flatten(1), full_matrices=False)
    scaled = directions[:components] * (spread[:components, None] / math.sqrt(len(pictures)))
    noise = drawn(torch.randn, (components,), batch, seed).to(pictures.dtype)
    directions = scaled.view(components, *mean.shape)
    made = PrincipalComponents(0.3 * noise, mean, directions, value_range, deviations=deviations)
    made.made = f"{components} of {len(pictures)} pictures, deviations={deviations:g}, seed={seed}"
    return made


def drawn(draw: Callable[..., Tensor], shape: Sequence[int], batch: int, seed: Seeds) -> Tensor:
    """Noise (batch, *shape) in float64 of `draw`, torch.rand or torch.randn: all the same from one seed, or each from its own.

    Raises InputError if there are several seeds, but not one a sample.
    """
    seeds = [seed] if isinstance(seed, int) else list(seed)
    if len(seeds) not in (1, batch):
        raise InputError(f"{len(seeds)} seeds are for {len(seeds)} pictures, not for {batch}")
    noise = [draw(tuple(shape), generator=Generator().manual_seed(each), dtype=torch.float64) for each in seeds]
    return torch.stack(noise).expand(batch, *shape).contiguous()


def colour(dtype: torch.dtype, channels: int) -> Tensor:
    """(C, C): from three uncorrelated channels to red, green and blue as they go together in photographs; others stay apart."""
    if channels != 3:
        return torch.eye(channels, dtype=dtype)
    colour = torch.tensor(_COLOUR_CORRELATION, dtype=dtype)
    scaled: Tensor = colour / colour.norm(dim=0).max()
    return scaled


def bounded(values: Tensor, value_range: Range) -> Tensor:
    """`values` clamped to `value_range`. At a bound the gradient is kept if a descent step would lead back inside."""
    return _Bounded.apply(values, *value_range)  # type: ignore[no-any-return]  # autograd.Function is untyped


class _Bounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, low: float, high: float) -> Tensor:
        ctx.save_for_backward(values)
        ctx.low, ctx.high = low, high
        return values.clamp(low, high)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        (values,) = ctx.saved_tensors
        (gradient,) = gradients
        outward = ((values >= ctx.high) & (gradient < 0)) | ((values <= ctx.low) & (gradient > 0))
        return gradient.masked_fill(outward, 0.0), None, None
