"""Deep Style: one picture with the content of a photograph and the style of paintings (lecture, row L7).

Source, unless said otherwise: Gatys, Ecker, Bethge 2015, "A Neural Algorithm of Artistic Style". The authors scale the
filters of their VGG so that each answers one on average. Ours are as trained, so each layer's loss is divided by the size of
its target instead: then no layer counts more for being louder, and the weights mean the same in any network.
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
from convsight.image.gram import Inside, gram
from convsight.image.resize import longest, resized
from convsight.memory import keep_little
from convsight.network import Network
from convsight.objectives import Objective, total_variation
from convsight.optimizers import MakeOptimizer, adam, lbfgs
from convsight.parametrization import drawn
from convsight.precision import fastest
from convsight.receptive_field import Field, receptive_fields
from convsight.spectrum import fourier_overlay
from convsight.visualization import Visualization
from convsight.visualize import counted_from, visualize

CONTENT_LAYER = "relu4_2"
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
SMALLEST, NARROWEST = 256, 128
LEAST = 138  # pixels, of which one place of relu5_1 sees no padding
SMOOTHNESS = 1.5  # of the mean difference between neighbours: enough against a grain of single pixels, and no more
STEPS = (80, 40)
MARGIN = 16
_LONGEST = 8
_LARGE = 1024


@dataclass(frozen=True)
class Painting:
    """`picture`: (1, 3, H, W) in [0, 1]. `region`: (1, 1, h, w) in [0, 1], where on the photograph its style goes, or None.

    Raises InputError if the weight is no finite number over zero.
    """

    picture: Tensor
    weight: float = 1.0
    region: Tensor | None = None

    def __post_init__(self) -> None:
        if not 0 < self.weight < math.inf:
            raise InputError(f"a painting's weight is a finite number over zero, not {self.weight}")


def content(layer: str, target: Tensor) -> Objective:
    """Minus the squared difference between the layer's activation and `target`, (1, C, H, W), as a part of `target` squared."""
    strength = _strength(target)

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        return -(activations[layer].float() - target.float()).square().flatten(1).mean(1) / strength

    return Objective({layer: None}, score, f"content({layer})", as_computed=True)


def style(targets: Mapping[str, Tensor], clear: Mapping[str, Inside], region: Tensor | None = None) -> Objective:
    """Minus the sum over layers of the squared difference of their Gram matrices from `targets`, as a part of those squared.

    `targets`: (1, C, C) by layer. Only the positions in `clear`, by layer, count, which see no padding. `region`:
    (1, 1, H, W) in [0, 1], where on the picture the style is wanted.
    """
    strengths = {layer: _strength(target) for layer, target in targets.items()}

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        losses = []
        for layer, target in targets.items():
            made = _gram_of(activations[layer], clear[layer], region)
            losses.append((made - target).square().mean((1, 2)) / strengths[layer])
        return -torch.stack(losses).sum(0)

    return Objective(dict.fromkeys(targets), score, f"style({', '.join(targets)})", as_computed=True)


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

    `score` is that of the picture with its margin, before its colours are put back.

    Raises InputError if the photograph is too small for the network, a painting too narrow, a region of another size than
    the photograph or nowhere white, or a weight or scale no finite number.
    """
    precision = precision or fastest(network.device)
    if not (math.isfinite(style_weight) and 0 < style_scale < math.inf):
        raise InputError(f"the weight and the scale of a style are finite numbers, not {style_weight} and {style_scale}")
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
        if sizes[-1] > _LARGE:
            keep_little()
        small = longest(photograph, length)
        if min(small.shape[-2:]) + 2 * MARGIN < LEAST:
            height, width = small.shape[-2:]
            least = LEAST - 2 * MARGIN
            raise InputError(f"the photograph is too small at {width}x{height} pixels; both sides need {least} at least")
        small = with_margin(small)
        objective = likeness(
            network, small, paintings, style_weight=style_weight, painting_size=round(length * style_scale), precision=precision
        )
        if made is not None:
            start = with_margin(resized(without_margin(made.input), *without_margin(small).shape[-2:]))
        else:
            start = (0.4 + 0.2 * drawn(torch.rand, small.shape[1:], 1, seed)).to(small) if from_noise else small
        count = steps[0] if made is None else steps[1]
        made = visualize(
            network, objective, fourier_overlay(start), steps=count, optimizer=_optimizer(length),
            precision=precision, seed=seed,
            frames=math.ceil(frames * count / total_steps(sizes, steps)),
            on_step=counted_from(done, on_step),
        )  # fmt: skip
        done += count
        scores.append(made.scores)
        seconds += made.settings["seconds"]
        if made.frames is not None:
            kept.append(without_margin(made.frames))
    assert made is not None
    painted, history = without_margin(made.input), _in_one_size(kept) if kept else None
    if keep_colours:
        coloured = longest(photograph, sizes[-1])
        painted = with_colours_of(painted, coloured)
        for frame in history if history is not None else ():
            frame.copy_((with_colours_of(frame.float() / 255, coloured) * 255).round())
    settings = {
        "sizes": sizes, "steps": [steps[0], *[steps[1]] * (len(sizes) - 1)], "style_weight": style_weight,
        "style_scale": style_scale, "from_noise": from_noise, "keep_colours": keep_colours, "margin": MARGIN,
        "weights": [each.weight for each in paintings], "seconds": round(seconds, 3),
    }  # fmt: skip
    return replace(made, input=painted, scores=torch.cat(scores), settings=made.settings | settings, frames=history)


def likeness(
    network: Network, photograph: Tensor, paintings: Sequence[Painting], *, style_weight: float, painting_size: int,
    precision: torch.dtype,
) -> Objective:  # fmt: skip
    """What `transfer` climbs at one size: content, the style of each of `paintings` by its weight, and smoothness.

    `photograph`: (1, 3, H, W) in [0, 1], `with_margin`.
    """
    fields = receptive_fields(network.module, torch.zeros(1, 3, SMALLEST, SMALLEST, device=network.device))

    def features(layers: Sequence[str], picture: Tensor) -> dict[str, Tensor]:
        with torch.no_grad(), read(network.module, layers, precision=precision, as_computed=True) as activations_of:
            return activations_of(network.input.normalise(picture.to(network.device)))

    goal = content(CONTENT_LAYER, features([CONTENT_LAYER], photograph)[CONTENT_LAYER])
    clear = _clear_of_padding(fields, photograph, "the photograph")
    total = sum(each.weight for each in paintings)
    for each in paintings:
        picture = longest(each.picture, _long_enough(each.picture, painting_size))
        painted = _clear_of_padding(fields, picture, "a painting")
        targets = {layer: _gram_of(read_there, painted[layer]) for layer, read_there in features(STYLE_LAYERS, picture).items()}
        region = None
        if each.region is not None:  # of a small photograph the deepest layers see only the middle without padding
            region = with_margin(resized(each.region, *without_margin(photograph).shape[-2:])).to(network.device)
            there = {layer: region[(..., *_pixels(clear[layer], fields[layer]))].max() > 0 for layer in STYLE_LAYERS}
            targets = {layer: target for layer, target in targets.items() if there[layer]}
            if not targets:
                raise InputError("a mask is black wherever style is read; make it white where the painting's style goes")
        goal = goal + style_weight * each.weight / total * style(targets, clear, region)
    return goal - SMOOTHNESS / photograph[0, 0].numel() * total_variation()


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

    Source: after Gatys, Bethge, Hertzmann, Shechtman 2016, "Preserving Color in Neural Artistic Style Transfer", who transfer
    luminance alone from the start; here colours are put back in the end. The luma is that of ITU-R BT.601.
    """
    weights = painted.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    return (photograph + ((painted - photograph) * weights).sum(1, keepdim=True)).clamp(0, 1)


def _strength(target: Tensor) -> Tensor:
    squared = target.float().square().mean()
    return torch.where(squared > 0, squared, 1)


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
            first, last = -(start // step), (length - size - start) // step
            spans.append(slice(max(first, 0), last + 1))
        if any(each.stop <= each.start for each in spans):
            height, width = picture.shape[-2:]
            raise InputError(f"{name} is too small at {width}x{height} pixels; both sides need more than {min(field.size)}")
        clear[layer] = (spans[0], spans[1])
    return clear


def _long_enough(painting: Tensor, length: int) -> int:
    """`length`, or more if the shorter side of `painting` would be too short for the network."""
    shorter, longer = sorted(painting.shape[-2:])
    if longer > _LONGEST * shorter:
        height, width = painting.shape[-2:]
        raise InputError(
            f"a painting of {width}x{height} pixels is too narrow; cut it to {_LONGEST} times as long as it is wide"
        )
    return max(length, math.ceil(LEAST * longer / shorter))


def _pixels(clear: Inside, field: Field | None) -> Inside:
    """The rows and columns of the picture around which the units in `clear` look."""
    assert field is not None
    down, across = (
        slice(each.start * step, (each.stop - 1) * step + 1) for each, step in zip(clear, field.step, strict=True)
    )  # fmt: skip
    return down, across


def _optimizer(length: int) -> MakeOptimizer:
    """L-BFGS keeps forty pictures, too many of large ones."""
    return lbfgs(line_search=False) if length <= _LARGE else adam(0.005)


def _in_one_size(kept: Sequence[Tensor]) -> Tensor:
    height, width = kept[-1].shape[-2:]
    return torch.cat([F.interpolate(each.flatten(0, 1), (height, width)).view(*each.shape[:3], height, width) for each in kept])
