"""`convsight dream`: a photograph in which the network's answer is exaggerated."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path
from typing import Annotated, Any

import typer
from PIL import Image
from torch import Tensor

from convsight import objectives
from convsight.animation import write_animation
from convsight.cli.options import Device, Seed, Weights, check_outputs, layer_of, units_of
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.errors import InputError
from convsight.image import data
from convsight.network import Network, load
from convsight.pictures import from_tensor
from convsight.precision import best_device

_DEFAULT_LAYERS = {"efficientnet_lite0": "blocks.8", "efficientnet_lite2": "blocks.11", "vgg16": "conv4_2"}


def dream(
    photograph: Annotated[Path, typer.Argument(metavar="PHOTO", help="Any picture; or china, flower: scikit-learn's.")],
    network: Annotated[str, typer.Option(help="What dreams: a network for colour pictures.")] = "efficientnet_lite0",
    layer: Annotated[
        list[str] | None,
        typer.Option(help="Whose answer is exaggerated; may be given several times. Default: a middle one."),
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Only these units of the layer: 3,7-9.")] = None,
    label: Annotated[
        str | None, typer.Option("--class", help='A class instead of a layer: "egyptian cat", or its number.')
    ] = None,
    guide: Annotated[Path | None, typer.Option(help="Dream of what is in this picture.")] = None,
    octaves: Annotated[int, typer.Option(min=1, max=12, help="At how many sizes, each 1.4 times the one before.")] = 5,
    steps: Annotated[int, typer.Option(min=1, help="At each size.")] = 10,
    strength: Annotated[float, typer.Option(min=0.01, max=100, help="How far each step goes.")] = 1.0,
    detail: Annotated[float, typer.Option(min=0, max=1, help="How much of the photograph's fine detail stays.")] = 1.0,
    size: Annotated[int | None, typer.Option(min=32, help="The longer side of what comes out. Default: as it is.")] = None,
    tile: Annotated[int, typer.Option(min=128, help="The network sees pieces of at most so many pixels a side.")] = 512,
    zoom: Annotated[Path | None, typer.Option(help="Also a .gif or .mp4 that dreams its way into the picture.")] = None,
    frames: Annotated[int, typer.Option(min=2, help="How many pictures --zoom has.")] = 90,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(help="PNG to write; how it was made goes into a .json beside it.")] = None,
    weights: Weights = None,
    device: Device = None,
) -> None:
    """Deep Dream: take what a layer answers to a photograph, positive up and negative down, and move the photograph there.

    Example: convsight dream china

    Example: convsight dream photo.jpg --network vgg16 --layer conv4_2
    """
    from convsight.image import dream as dreaming
    from convsight.image.resize import longest

    path = out or Path(f"{photograph.stem}-dream.png")
    check_outputs(path, zoom)
    picture = data.photograph(photograph)
    picture = longest(picture, size) if size else picture
    opened = load(network, weights=weights).to(device or best_device())
    if opened.input.shape[0] != 3:
        raise InputError(f"{network} takes {opened.input.shape[0]} channels, not colour pictures")
    goal = _goal(opened, layer, unit, label, guide)
    picture = opened.input.scaled(picture)
    options: dict[str, Any] = {"octaves": octaves, "steps": steps, "strength": strength, "detail": detail, "tile": tile}
    total = len(dreaming.octave_sizes(picture, octaves)) * steps
    with progress(f"dreaming {goal.name}", total) as done:
        made = dreaming.dream(opened, picture, goal, seed=seed, on_step=lambda step: done(step + 1, ""), **options)
    replace(made, settings=made.settings | {"photograph": str(photograph), "guide": guide and str(guide)}).save(path, enlarge=1)
    say(f"{made.settings['objective']}: {path}, {path.with_suffix('.json')}")
    if zoom:
        options |= {"octaves": 2, "steps": max(1, steps // 3)}
        with progress("dreaming on", frames) as done:
            pictures = dreaming.zoom(opened, made.input, goal, frames=frames, seed=seed, **options)
            write_animation(_counted(pictures, opened.input.value_range, done), zoom)
        say(f"{frames} pictures: {zoom}")


def _counted(
    pictures: Iterator[Tensor], value_range: tuple[float, float], done: Callable[[int, str], None]
) -> Iterator[Image.Image]:
    low, high = value_range
    for count, picture in enumerate(pictures, start=1):
        yield from_tensor((picture[0] - low) / (high - low))
        done(count, "")


def _goal(
    network: Network, layers: list[str] | None, unit: str | None, label: str | None, guide: Path | None
) -> objectives.Objective:
    from convsight.image.dream import channels, guided

    if label is not None:
        if layers or unit or guide:
            raise InputError("a class is of the network's output; leave --layer, --unit and --guide out")
        if not network.labels:
            raise InputError(f"{network.name} has no classes; try --network efficientnet_lite0")
        return objectives.logit(network.unit(label))
    known = {each.name: each for each in network.layers()}
    if not known:
        raise InputError(f"{network.name} has no layers inside it to dream of")
    if not layers:
        usual = _DEFAULT_LAYERS.get(network.name)
        layers = [usual if usual in known else list(known)[2 * len(known) // 3]]
    for layer in layers:
        layer_of(network, layer, known)
    if guide and unit:
        raise InputError("a guide is for whole layers; leave --unit out")
    if guide:
        picture = network.input.scaled(data.photograph(guide))
        return reduce(add, (guided(network, layer, picture) for layer in layers))
    if unit:
        for layer in layers:
            if not known[layer].shape:
                raise InputError(f'layer "{layer}" puts out one number a sample; it has no units')
        return reduce(add, (channels(layer, units_of(unit, known[layer].shape[0])) for layer in layers))
    return reduce(add, (objectives.dream(layer) for layer in layers))
