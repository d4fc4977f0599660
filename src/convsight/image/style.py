"""Deep Style: one picture with the content of a photograph and the style of paintings (lecture, row L7).

Source, unless said otherwise: Gatys, Ecker, Bethge 2015, "A Neural Algorithm of Artistic Style".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

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
SMALLEST = 256
SMOOTHNESS = 20.0  # of the mean difference between neighbours: enough against a grain of single pixels, and no more
STEPS = (120, 60)

Clear = Mapping[str, tuple[slice, slice]]


@dataclass(frozen=True)
class Painting:
    """`picture`: (1, 3, H, W) in [0, 1]. `region`: (1, 1, h, w) in [0, 1], where on the photograph its style goes, or None."""

    picture: Tensor
    weight: float = 1.0
    region: Tensor | None = None


def gram(features: Tensor, region: Tensor | None = None) -> Tensor:
    """How much each two channels of `features` (B, C, H, W) are active together: (B, C, C), the mean over positions.

    `region`: (1, 1, H, W), weights of the positions. Where things are is forgotten, so this is style. Source: the Gram
    matrix of section "Methods", divided here by the number of positions, so that pictures of all sizes compare.

    >>> gram(torch.tensor([[[[1.0, 3.0]], [[2.0, 0.0]]]]))
    tensor([[[5., 1.],
             [1., 2.]]])
    """
    places = features.permute(0, 2, 3, 1).flatten(1, 2)  # (B, H W, C), as it lies in memory if channels come last
    if region is None:
        return places.transpose(1, 2) @ places / places.shape[1]
    weights = region.flatten(2).transpose(1, 2)
    return (places * weights).transpose(1, 2) @ places / weights.sum().clamp_min(1e-6)


def content(layer: str, target: Tensor) -> Objective:
    """Minus the mean squared difference between the layer's activation and `target`, both (B, C, H, W)."""
    return Objective(
        {layer: None}, lambda activations: -(activations[layer] - target).square().flatten(1).mean(1), f"content({layer})"
    )


def style(targets: Mapping[str, Tensor], clear: Clear, region: Tensor | None = None) -> Objective:
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
    sizes = scales(size or max(photograph.shape[-2:]))
    made: Visualization | None = None
    kept: list[Tensor] = []
    done = 0
    for length in sizes:
        small = longest(photograph, length)
        objective = (
            content_and_style(
                network,
                small,
                paintings,
                style_weight=style_weight,
                painting_size=round(length * style_scale),
                precision=precision,
            )
            - SMOOTHNESS / small[0, 0].numel() * total_variation()
        )
        if made is not None:
            start = pixels_from(resized(made.input, *small.shape[-2:]))
        else:
            start = pixels((3, *small.shape[-2:]), noise=1.0, seed=seed) if from_noise else pixels_from(small)
        count = steps[0] if made is None else steps[1]
        made = visualize(
            network, objective, start, steps=count, optimizer=_optimizer(length), precision=precision, seed=seed,
            frames=math.ceil(frames * count / total_steps(sizes, steps)),
            on_step=counted_from(done, on_step),
        )  # fmt: skip
        done += count
        if made.frames is not None:
            kept.append(made.frames)
    assert made is not None
    if keep_colours:
        made = replace(made, input=with_colours_of(made.input, longest(photograph, sizes[-1])))
    return replace(made, frames=_in_one_size(kept) if kept else None)


def content_and_style(
    network: Network, photograph: Tensor, paintings: Sequence[Painting], *, style_weight: float, painting_size: int,
    precision: torch.dtype,
) -> Objective:  # fmt: skip
    """What `transfer` climbs at one size: the content of `photograph`, and the style of each of `paintings` by its weight."""
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
        region = None if each.region is None else resized(each.region, *photograph.shape[-2:]).to(network.device)
        goal = goal + style_weight * each.weight / total * style(targets, clear, region)
    return goal


def scales(size: int) -> list[int]:
    """The longer sides from coarse to fine that end at `size`, each twice the one before, the first about 256."""
    halvings = max(0, round(math.log2(size / SMALLEST)))
    return [round(size / 2**each) for each in range(halvings, -1, -1)]


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


def _gram_of(features: Tensor, clear: tuple[slice, slice], region: Tensor | None = None) -> Tensor:
    down, across = clear
    if region is not None:
        region = F.interpolate(region, features.shape[-2:], mode="area")[..., down, across]
    return gram(features[..., down, across], region)


def _clear_of_padding(fields: Mapping[str, Field | None], picture: Tensor, name: str) -> Clear:
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
            height, width = picture.shape[-2:]
            raise InputError(f"{name} is too small at {width}x{height} pixels; both sides need {min(field.size)} at least")
        clear[layer] = (spans[0], spans[1])
    return clear


def _optimizer(length: int) -> MakeOptimizer:
    """L-BFGS keeps forty pictures, too many of large ones."""
    return lbfgs() if length <= 1024 else adam(0.02)


def _in_one_size(kept: Sequence[Tensor]) -> Tensor:
    height, width = kept[-1].shape[-2:]
    return torch.cat([F.interpolate(each.flatten(0, 1), (height, width)).view(*each.shape[:3], height, width) for each in kept])
