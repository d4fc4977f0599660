"""`convsight layers`, `filters` and `see`: look into any network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import torch
import typer
from rich.table import Table

from convsight import objectives, optimizers, parametrization, transforms
from convsight.activations import OUTPUT, read
from convsight.cli.options import (
    Device,
    NetworkName,
    Seed,
    Shape,
    Weights,
    check_outputs,
    no_layer,
    shape_of,
    units_of,
    weighted,
)
from convsight.cli.progress import progress
from convsight.cli.terminal import say, show_table
from convsight.errors import InputError, by, did_you_mean
from convsight.image import data, show
from convsight.network import Layer, Network, load
from convsight.pictures import write_png
from convsight.precision import best_device
from convsight.visualize import default_parametrization, visualize

_PENALTIES = {"l1": objectives.l1, "l2": objectives.l2, "tv": objectives.total_variation}
_OPTIMIZERS = {"adam": optimizers.adam, "sgd": optimizers.sgd, "lbfgs": optimizers.lbfgs}
_MOST_BY_DEFAULT = 64

T = TypeVar("T")
ObjectiveName = Literal["auto", "channel", "mean", "neuron", "logit", "dream"]


def layers(network: NetworkName, weights: Weights = None, shape: Shape = None) -> None:
    """List a network's layers: name, kind, output shape, receptive field, parameters.

    Example: convsight layers digits
    """
    opened = load(network, weights=weights, shape=shape_of(shape))
    table = Table(title=f"{opened.name}: input {by(opened.input.shape)}")
    for heading in ("layer", "kind", "output", "sees", "parameters"):
        table.add_column(heading, justify="right" if heading in ("sees", "parameters") else "left")
    for layer in opened.layers():
        table.add_row(layer.name, layer.kind, by(layer.shape), by(layer.receptive_field or ("?",)), f"{layer.parameters:,}")
    show_table(table)


def filters(
    network: NetworkName,
    layer: Annotated[str | None, typer.Argument(help="A convolution; by default the first.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG to write.")] = None,
    weights: Weights = None,
    shape: Shape = None,
) -> None:
    """Draw the filters that look straight at pixels, as pictures: white for more, black for less, grey for nothing.

    Example: convsight filters digits
    """
    opened = load(network, weights=weights, shape=shape_of(shape))
    name, pictures = show.filters(opened, layer)
    path = out or Path(f"{opened.name}-{name}-filters.png")
    write_png(show.sheet(pictures), path)
    say(f"{len(pictures)} filters of {name}, {by(pictures.shape[-2:])}, on one scale: {path}")


def see(
    network: NetworkName,
    layer: Annotated[str, typer.Argument(help="A name that `convsight layers` lists, or output.")],
    unit: Annotated[str | None, typer.Option(help="Units: 3,7-9 or all. Default: all, if they are 64 at most.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--class", help='Of the layer output: "egyptian cat", or its number; several times.')
    ] = None,
    objective: Annotated[
        ObjectiveName, typer.Option(help="auto: a map's channel, a vector's neuron, the output's logit.")
    ] = "auto",
    negative: Annotated[bool, typer.Option("--negative", help="Find what quiets each unit most instead.")] = False,
    penalty: Annotated[list[str] | None, typer.Option(help="l1=0.02, l2=..., tv=...; may be given several times.")] = None,
    transform: Annotated[
        list[str] | None,
        typer.Option(
            help="jitter=2, rotate=12, scale=0.9,1,1.1, pad=4: a random view at each step; several times. Default: for colour "
            "pictures, moved, turned and scaled a little; none: nothing."
        ),
    ] = None,
    parametrization: Annotated[
        Literal["auto", "pixels", "fourier"], typer.Option(help="auto: fourier for colour, pixels for others.")
    ] = "auto",
    like: Annotated[
        str | None,
        typer.Option(help="Hold the picture to what these have in common: a folder of pictures, or digits for real digits."),
    ] = None,
    optimizer: Annotated[Literal["adam", "sgd", "lbfgs"], typer.Option(help="How to climb.")] = "adam",
    learning_rate: Annotated[float | None, typer.Option(help="Default: the optimizer's own.", min=1e-9, max=1e6)] = None,
    steps: Annotated[int, typer.Option(min=1)] = 256,
    seed: Seed = 0,
    precision: Annotated[Literal["auto", "float32", "bfloat16"], typer.Option(help="Inside the network.")] = "auto",
    animation: Annotated[Path | None, typer.Option(help="Also write the history: a .gif or .mp4.")] = None,
    out: Annotated[Path | None, typer.Option(help="PNG to write; how it was made goes into a .json beside it.")] = None,
    weights: Weights = None,
    shape: Shape = None,
    device: Device = None,
) -> None:
    """Find the input that excites each unit of a layer most, by gradient ascent on the input.

    Example: convsight see digits conv2 --unit all

    Example: convsight see digits output --unit 0-9 --penalty l1=0.02

    Example: convsight see efficientnet_lite0 output --class "egyptian cat" --class espresso
    """
    opened = load(network, weights=weights, shape=shape_of(shape)).to(device or best_device())
    if label:
        if layer != OUTPUT or unit is not None:
            raise InputError("a class is of the layer output; give that, and no --unit")
        unit = ",".join(str(opened.unit(each)) for each in label)
    goal = _objective(opened, layer, unit, objective)
    goal = -goal if negative else goal
    for each in penalty or ():
        name, numbers = weighted(each, "--penalty", numbers=1)
        goal = goal - numbers[0] * _choice(_PENALTIES, name, "penalty")()
    path = out or Path(f"{opened.name}-{layer}.png")
    check_outputs(path, animation)
    climb = _OPTIMIZERS[optimizer]
    with progress(f"{opened.name} {layer}", steps) as done:
        result = visualize(
            opened,
            goal,
            _stored(opened, goal.samples or 1, parametrization, like, seed),
            steps=steps,
            optimizer=climb() if learning_rate is None else climb(learning_rate),
            transforms=_views(opened, transform),
            seed=seed,
            precision=None if precision == "auto" else getattr(torch, precision),
            frames=60 if animation else 0,
            on_step=lambda step: done(step + 1, ""),
        )
    result.save(path)
    if animation:
        result.save_animation(animation)
    written = ", ".join(str(each) for each in (path, path.with_suffix(".json"), animation) if each)
    say(
        f"{result.settings['objective']}: {_pictures(len(result.input))}, {steps} steps in {result.settings['seconds']:.1f} s, "
        f"score {result.score.mean():.4g} on average: {written}"
    )


def _objective(network: Network, layer: str, unit: str | None, kind: ObjectiveName) -> objectives.Objective:
    shape = _layer(network, layer).shape
    if not shape:
        raise InputError(f'layer "{layer}" puts out one number a sample; it has no units')
    if kind == "auto":
        kind = "logit" if layer == "output" else "channel" if len(shape) == 3 else "neuron"
    if kind == "dream":
        if unit is not None:
            raise InputError("the objective dream is of a whole layer; leave --unit out")
        return objectives.dream(layer)
    if unit is None and shape[0] > _MOST_BY_DEFAULT:
        say(f"the first {_MOST_BY_DEFAULT} of {shape[0]} units; for every one, --unit all")
    units = units_of(unit or (f"0-{min(shape[0], _MOST_BY_DEFAULT) - 1}"), shape[0])
    if kind == "logit":
        if layer != "output":
            raise InputError(f'a logit is of the layer output, not of "{layer}"')
        return objectives.logit(units)
    if kind == "neuron":
        return objectives.neuron(layer, units)
    return objectives.channel(layer, units, over="mean" if kind == "mean" else "sum")


def _layer(network: Network, name: str) -> Layer:
    if name == OUTPUT:
        given = network.input.normalise(torch.zeros(1, *network.input.shape, device=network.device))
        with torch.no_grad(), read(network.module, [OUTPUT]) as activations_of:
            return Layer(OUTPUT, "", tuple(activations_of(given)[OUTPUT].shape[1:]), None, 0)
    known = {layer.name: layer for layer in network.layers()}
    if name not in known:
        raise no_layer(network, name, known)
    return known[name]


def _stored(network: Network, batch: int, name: str, like: str | None, seed: int) -> torch.nn.Module:
    if like is not None:
        if name != "auto":
            raise InputError("--like stores the picture as principal components; leave --parametrization out")
        if like == "digits" and network.input.shape != (1, 28, 28):
            raise InputError(f"{network.name} takes {by(network.input.shape)}, not digits; give --like a folder of pictures")
        real = data.load_digits(None, "train").pictures() if like == "digits" else show.alike(Path(like), network)
        stored = parametrization.principal(real, batch, value_range=network.input.value_range, seed=seed)
        stored.made += f", like {like}"
        return stored
    if name == "auto":
        return default_parametrization(network, batch, seed=seed)
    make = parametrization.pixels if name == "pixels" else parametrization.fourier
    return make(network.input.shape, batch, value_range=network.input.value_range, seed=seed)


def _views(network: Network, given: list[str] | None) -> list[transforms.Transform]:
    if given is None:
        return transforms.photographic() if network.input.shape[0] == 3 else []
    return [] if given == ["none"] else [_transform(each) for each in given]


def _transform(text: str) -> transforms.Transform:
    name, numbers = weighted(text, "--transform", numbers=None if text.startswith("scale") else 1)
    if name in ("jitter", "pad") and numbers[0] != int(numbers[0]):
        raise InputError(f"--transform {name} takes a whole number, not {numbers[0]:g}")
    known = {
        "jitter": lambda: transforms.jitter(int(numbers[0])),
        "rotate": lambda: transforms.rotate(numbers[0]),
        "scale": lambda: transforms.scale(numbers),
        "pad": lambda: transforms.pad(int(numbers[0])),
    }
    return _choice(known, name, "transform")()


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def _choice(known: Mapping[str, T], name: str, what: str) -> T:
    if name not in known:
        raise InputError(f'no {what} "{name}"{did_you_mean(name, known)}; there are {", ".join(known)}')
    return known[name]
