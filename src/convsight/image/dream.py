"""Deep Dream: a photograph in which the network's answer is exaggerated, octave by octave (lecture, row L6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from convsight.activations import read
from convsight.errors import InputError
from convsight.image.resize import longest, resized
from convsight.network import Network
from convsight.objectives import Objective, named
from convsight.optimizers import constant, sgd
from convsight.parametrization import overlay
from convsight.transforms import jitter
from convsight.visualization import Visualization
from convsight.visualize import counted_from, visualize

OCTAVES, OCTAVE_SCALE, STEPS = 5, 1.4, 10
STEP = 0.014
SMALLEST = 64
GUIDE_SIZE = 512
_PLACES = 4096  # that are compared with all places of the guide at a time


def dream(
    network: Network,
    photograph: Tensor,
    objective: Objective,
    *,
    octaves: int = OCTAVES,
    steps: int = STEPS,
    strength: float = 1.0,
    detail: float = 1.0,
    tile: int = 512,
    seed: int = 0,
    precision: torch.dtype | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Visualization:
    """`photograph` (1, 3, H, W) in the network's value range, moved towards what `objective` scores high.

    From the smallest of `octaves` to the photograph's own size, each 1.4 times the one before, with `steps` steps of the
    normalised gradient, so that what the network sees appears at every size. `strength`: how far each step goes. `detail`:
    how much of what an octave adds to the photograph is put back into the dream, 0 to 1. The network is shown tiles of at
    most `tile` pixels a side, whose seams are elsewhere at each step. The record's `octaves` are their heights and widths, its
    `steps` those of each. Source: Mordvintsev, Olah, Tyka 2015.
    """
    low, high = network.input.value_range
    dreamt: Visualization | None = None
    before = photograph
    scores: list[Tensor] = []
    seconds = 0.0
    sizes = octave_sizes(photograph, octaves)
    for number, (height, width) in enumerate(sizes):
        now = resized(photograph, height, width)
        start = now
        if dreamt is not None:
            start = now - resized(before, height, width)  # what the octave before could not show
            start = start.mul_(detail).add_(resized(dreamt.input, height, width)).clamp_(low, high)
        dreamt = visualize(
            network, objective, overlay(start, value_range=(low, high)),
            steps=steps, optimizer=sgd(STEP * strength * (high - low)), schedule=constant,
            transforms=[jitter(min(tile, height, width) // 2)], tile=tile, seed=seed + number, precision=precision,
            on_step=counted_from(number * steps, on_step),
        )  # fmt: skip
        before = now
        scores.append(dreamt.scores)
        seconds += dreamt.settings["seconds"]
    assert dreamt is not None
    settings = {"octaves": sizes, "strength": strength, "detail": detail, "tile": tile, "seed": seed, "seconds": seconds}
    return replace(dreamt, scores=torch.cat(scores), settings=dreamt.settings | settings)


def octave_sizes(photograph: Tensor, octaves: int) -> list[tuple[int, int]]:
    """Heights and widths from small to the photograph's own; none whose shorter side would be under 64 pixels."""
    height, width = photograph.shape[-2:]
    sizes = [(round(height / OCTAVE_SCALE**each), round(width / OCTAVE_SCALE**each)) for each in range(octaves)]
    return [size for size in reversed(sizes) if min(size) >= SMALLEST or size == (height, width)]


def channels(layer: str, units: Sequence[int]) -> Objective:
    """The sum of several channels' maps, (B, C, H, W), or of several neurons, (B, C), in one picture."""
    wanted = list(units)

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        return activations[layer][:, wanted].flatten(1).sum(1)

    return Objective({layer: None}, score, f"channels({layer}, {named(wanted)})")


def guided(network: Network, layer: str, guide: Tensor) -> Objective:
    """How much each place of the layer's map agrees with the place of `guide` (1, 3, H, W) that it agrees with most.

    The picture takes up what it already half has in common with the guide, which is seen at 512 pixels at most. Source: the
    guided dreams of Mordvintsev, Olah, Tyka 2015: the dot product with the best match as the gradient.
    """
    guide = longest(guide, min(max(guide.shape[-2:]), GUIDE_SIZE))
    with torch.no_grad(), read(network.module, [layer]) as activations_of:
        features = activations_of(network.input.normalise(guide.to(network.device)))[layer]
    if features.dim() != 4:
        raise InputError(f'layer "{layer}" puts out no maps, so it cannot be guided place by place; take an earlier one')
    known = features[0].flatten(1)  # (C, places)

    def score(activations: Mapping[str, Tensor]) -> Tensor:
        here = activations[layer].flatten(2)  # (B, C, places)
        with torch.no_grad():
            best = torch.cat([(known.T @ some).argmax(1) for some in torch.split(here, _PLACES, 2)], 1)  # (B, places)
        wanted = known[:, best].transpose(0, 1)  # (B, C, places)
        return (here * wanted).flatten(1).sum(1)

    return Objective({layer: None}, score, f"guided({layer})")


def zoom(
    network: Network,
    photograph: Tensor,
    objective: Objective,
    *,
    frames: int,
    speed: float = 1.02,
    seed: int = 0,
    **options: float,
) -> Iterator[Tensor]:
    """`frames` pictures (1, 3, H, W), each a dream of the one before seen `speed` times nearer."""
    picture = photograph
    height, width = photograph.shape[-2:]
    inner = (round(height / speed), round(width / speed))
    for number in range(frames):
        picture = dream(network, picture, objective, seed=seed + number, **options).input  # type: ignore[arg-type]  # some are ints
        yield picture
        top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
        picture = resized(picture[..., top : top + inner[0], left : left + inner[1]], height, width)
