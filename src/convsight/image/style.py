"""Deep Style: one picture with the content of a photograph and the style of paintings (lecture, row L7).

Source, unless said otherwise: Gatys, Ecker, Bethge 2015, "A Neural Algorithm of Artistic Style".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor

from convsight.activations import read
from convsight.errors import InputError
from convsight.image.resize import longest, resized
from convsight.network import Network
from convsight.objectives import Objective, total_variation
from convsight.optimizers import MakeOptimizer, adam, lbfgs
from convsight.parametrization import pixels, pixels_from
from convsight.precision import fastest
from convsight.receptive_field import Field, receptive_fields
from convsight.visualization import Visualization
from convsight.visualize import counted_from, visualize

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
SMALLEST, NARROWEST = 256, 128
SMOOTHNESS = 20.0  # of the mean difference between neighbours: enough against a grain of single pixels, and no more
STEPS = (120, 60)
MARGIN = 16

Inside = tuple[slice, slice]
EVERYWHERE = (slice(None), slice(None))


@dataclass(frozen=True)
class Painting:
    """`picture`: (1, 3, H, W) in [0, 1]. `region`: (1, 1, h, w) in [0, 1], where on the photograph its style goes, or None."""

    picture: Tensor
    weight: float = 1.0
    region: Tensor | None = None


def gram(features: Tensor, region: Tensor | None = None, *, inside: Inside = EVERYWHERE) -> Tensor:
    """How much each two channels of `features` (B, C, H, W) are active together: (B, C, C), the mean over positions.

    `region`: (1, 1, H, W), weights of the positions. `inside`: the rows and columns that count. Where things are is
    forgotten, so this is style. Source: the Gram matrix of section "Methods", divided here by the number of positions, so
    that pictures of all sizes compare.

    >>> gram(torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]]))
    tensor([[[5., 1.],
             [1., 2.]]])
    """
    down, across = inside
    made: Tensor = _Products.apply(features, region, inside)
    counted = features[0, 0, down, across].numel() if region is None else region[..., down, across].sum().clamp_min(1e-6)
    return made / counted


def content(layer: str, target: Tensor) -> Objective:
    """Minus the mean squared difference between the layer's activation and `target`, both (B, C, H, W)."""
    return Objective(
        {layer: None}, lambda activations: -(activations[layer] - target).square().flatten(1).mean(1), f"content({layer})"
    )


def style(targets: Mapping[str, Tensor], clear: Mapping[str, Inside], region: Tensor | None = None) -> Objective:
    """Minus the sum over layers of 1,000 / C^2 times the mean squared difference of their Gram matrices from `targets`.

    `targets`: (1, C, C) by layer; the factor is that of the authors' later code. Only the positions in `clear`, by layer,
    count, which see no padding. `region`: (1, 1, H, W) in [0, 1], where on the picture the style is wanted.
    """

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        losses = []
        for layer, target in targets.items():
            made = _gram_of(activations[layer], clear[layer], region)
            losses.append(1000 / target.shape[1] ** 2 * (made - target).square().mean((1, 2)))
        return -torch.stack(losses).sum(0)

    return Objective(dict.fromkeys(targets), score, f"style({', '.join(targets)})")


def transfer(
    network: Network,
    photograph: Tensor,
    paintings: Sequence[Painting],
    *,
    size: int | None = None,
    style_weight: float = 1.0,
    style_scale: float = 1.0,
    from_noise: bool = False,
    keep_colours: bool = False,
    steps: tuple[int, int] = STEPS,
    seed: int = 0,
    precision: torch.dtype | None = None,
    frames: int = 0,
    on_step: Callable[[int], None] | None = None,
) -> Visualization:
    """`photograph` (1, 3, H, W) in [0, 1], painted in the manner of `paintings`.

    `network`: `vgg16(pooling="average")`. `size`: the longer side of what comes out, by default the photograph's.
    `style_weight`: how much style for the same content. `style_scale`: how large the paintings are beside the photograph,
    and so their strokes. `keep_colours`: only light and dark come from the paintings. `steps`: at the smallest size, and at
    each after it, twice as large: coarse to fine. `on_step` counts through all sizes.

    Raises InputError if a picture is too small for the network, or a region of another size than the photograph.
    """
    precision = precision or fastest(network.device)
    for each in paintings:
        if each.region is not None and each.region.shape[-2:] != photograph.shape[-2:]:
            (height, width), (rows, columns) = each.region.shape[-2:], photograph.shape[-2:]
            raise InputError(f"a region is {width}x{height} pixels, the photograph {columns}x{rows}; make it as large")
    sizes = scales(photograph, size)
    made: Visualization | None = None
    kept: list[Tensor] = []
    scores: list[Tensor] = []
    done, seconds = 0, 0.0
    for length in sizes:
        small = longest(photograph, length)
        if min(small.shape[-2:]) <= MARGIN:
            raise InputError(_too_small("the photograph", small, NARROWEST))
        small = with_margin(small)
        objective = content_and_style(
            network, small, paintings, style_weight=style_weight, painting_size=round(length * style_scale), precision=precision
        )
        objective = objective - SMOOTHNESS / small[0, 0].numel() * total_variation()
        if made is not None:
            start = pixels_from(with_margin(resized(without_margin(made.input), *without_margin(small).shape[-2:])))
        else:
            start = pixels((3, *small.shape[-2:]), noise=1.0, seed=seed) if from_noise else pixels_from(small)
        count = steps[0] if made is None else steps[1]
        made = visualize(
            network, objective, start, steps=count, optimizer=_optimizer(length), precision=precision, seed=seed,
            frames=math.ceil(frames * count / total_steps(sizes, steps)),
            on_step=counted_from(done, on_step),
        )  # fmt: skip
        done += count
        scores.append(made.scores)
        seconds += made.settings["seconds"]
        if made.frames is not None:
            kept.append(without_margin(made.frames))
    assert made is not None
    painted = without_margin(made.input)
    if keep_colours:
        painted = with_colours_of(painted, longest(photograph, sizes[-1]))
    settings = {
        "sizes": sizes, "steps": [steps[0], *[steps[1]] * (len(sizes) - 1)], "style_weight": style_weight,
        "style_scale": style_scale, "from_noise": from_noise, "keep_colours": keep_colours, "margin": MARGIN,
        "weights": [each.weight for each in paintings], "seconds": round(seconds, 3),
    }  # fmt: skip
    history = _in_one_size(kept) if kept else None
    return replace(made, input=painted, scores=torch.cat(scores), settings=made.settings | settings, frames=history)


def content_and_style(
    network: Network, photograph: Tensor, paintings: Sequence[Painting], *, style_weight: float, painting_size: int,
    precision: torch.dtype,
) -> Objective:  # fmt: skip
    """What `transfer` climbs at one size: content, and the style of each of `paintings` by its weight.

    `photograph`: (1, 3, H, W) in [0, 1], `with_margin`.
    """
    fields = receptive_fields(network.module, torch.zeros(1, 3, SMALLEST, SMALLEST, device=network.device))

    def features(layers: Sequence[str], picture: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), read(network.module, layers, precision=precision) as activations_of:
            return activations_of(network.input.normalise(picture.to(network.device)))

    goal = content(CONTENT_LAYER, features([CONTENT_LAYER], photograph)[CONTENT_LAYER])
    clear = _clear_of_padding(fields, photograph, "the photograph")
    total = sum(each.weight for each in paintings)
    for each in paintings:
        picture = longest(each.picture, painting_size)
        painted = _clear_of_padding(fields, picture, "a painting")
        targets = {layer: _gram_of(read_there, painted[layer]) for layer, read_there in features(STYLE_LAYERS, picture).items()}
        region = None
        if each.region is not None:
            region = with_margin(resized(each.region, *without_margin(photograph).shape[-2:])).to(network.device)
        goal = goal + style_weight * each.weight / total * style(targets, clear, region)
    return goal


def with_margin(picture: Tensor) -> Tensor:
    """`picture` (B, C, H, W) mirrored outwards: (B, C, H + 2 MARGIN, W + 2 MARGIN).

    Only places count that see no padding, so few filters look near an edge, and it would be painted less. The margin, which
    is painted like the rest and cut off in the end, takes its place.
    """
    return F.pad(picture, (MARGIN,) * 4, mode="reflect")


def without_margin(picture: Tensor) -> Tensor:
    """`picture` (..., H + 2 MARGIN, W + 2 MARGIN) as it was before `with_margin`."""
    return picture[..., MARGIN:-MARGIN, MARGIN:-MARGIN]


def scales(photograph: Tensor, size: int | None = None) -> list[int]:
    """The longer sides from coarse to fine that end at `size`, by default the photograph's, each twice the one before.

    The first is about 256, or more if the shorter side would be less than 128.
    """
    shorter, longer = sorted(photograph.shape[-2:])
    size = size or longer
    halvings = max(0, round(math.log2(size / SMALLEST)))
    lengths = [round(size / 2**each) for each in range(halvings, -1, -1)]
    return [each for each in lengths if each * shorter >= NARROWEST * longer] or [size]


def total_steps(sizes: Sequence[int], steps: tuple[int, int]) -> int:
    """How many steps `transfer` takes through `sizes`."""
    return steps[0] + steps[1] * (len(sizes) - 1)


def with_colours_of(painted: Tensor, photograph: Tensor) -> Tensor:
    """The light and dark of `painted` with the colours of `photograph`, both (B, 3, H, W) in [0, 1].

    Source: Gatys, Bethge, Hertzmann, Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer", luminance-only
    transfer, with the luma of ITU-R BT.601.
    """
    weights = painted.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (photograph + ((painted - photograph) * weights).sum(1, keepdim=True)).clamp(0, 1)


def _gram_of(features: Tensor, clear: Inside, region: Tensor | None = None) -> Tensor:
    if region is not None:
        region = F.interpolate(region, features.shape[-2:], mode="area")
    return gram(features, region, inside=clear)


def _clear_of_padding(fields: Mapping[str, Field | None], picture: Tensor, name: str) -> dict[str, Inside]:
    """By layer, the rows and columns of its map whose units see nothing outside `picture`."""
    clear = {}
    for layer in STYLE_LAYERS:
        field = fields[layer]
        assert field is not None
        spans = []
        for length, size, step, start in zip(picture.shape[-2:], field.size, field.step, field.start, strict=True):
            first, last = -(start // step) if start % step == 0 else -start // step + 1, (length - size - start) // step
            spans.append(slice(max(first, 0), last + 1))
        if any(each.stop <= each.start for each in spans):
            raise InputError(_too_small(name, picture, min(field.size)))
        clear[layer] = (spans[0], spans[1])
    return clear


def _too_small(name: str, picture: Tensor, least: int) -> str:
    height, width = picture.shape[-2:]
    return f"{name} is too small at {width}x{height} pixels; both sides need {least} at least"


def _optimizer(length: int) -> MakeOptimizer:
    """L-BFGS keeps forty pictures, too many of large ones."""
    return lbfgs(line_search=False) if length <= 1024 else adam(0.02)


def _in_one_size(kept: Sequence[Tensor]) -> Tensor:
    height, width = kept[-1].shape[-2:]
    return torch.cat([F.interpolate(each.flatten(0, 1), (height, width)).view(*each.shape[:3], height, width) for each in kept])


class _Products(torch.autograd.Function):
    """Sum over positions of weight times each two channels, (B, C, C), whose gradient takes one product, not two."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor | None, inside: Inside) -> Tensor:
        down, across = inside
        maps = features[..., down, across].permute(0, 2, 3, 1)  # as they lie in memory if channels come last
        places = maps.flatten(1, 2)  # (B, H W, C)
        weighted = places if weights is None else places * weights[..., down, across].flatten(2).transpose(1, 2)
        ctx.save_for_backward(weighted)
        ctx.whole, ctx.inner, ctx.inside = features.shape, maps.shape, inside
        return weighted.transpose(1, 2) @ places

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor, None, None]:
        (weighted,) = ctx.saved_tensors
        (gradient,) = gradients
        of_places = weighted @ (gradient + gradient.transpose(1, 2))
        batch, channels, height, width = ctx.whole
        whole = of_places.new_zeros(batch, height, width, channels)
        whole[(slice(None), *ctx.inside)] = of_places.view(ctx.inner)
        return whole.permute(0, 3, 1, 2), None, None
