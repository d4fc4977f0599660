"""`convsight see`: the input that excites each unit of a layer most."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import torch
import typer

from convsight import objectives, optimizers, parametrization, spectrum, transforms
from convsight.activations import OUTPUT, read
from convsight.cli.options import (
    Device,
    NetworkName,
    Seed,
    Shape,
    Weights,
    check_outputs,
    layer_of,
    shape_of,
    units_of,
    weighted,
)
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.errors import InputError, by, did_you_mean
from convsight.image import data, show
from convsight.image.examples import Example, strongest
from convsight.image.resize import resized
from convsight.network import Layer, Network, load
from convsight.objectives import Objective
from convsight.pictures import picture_files
from convsight.precision import best_device
from convsight.visualize import default_objective, default_parametrization, default_transforms, visualize

_PENALTIES = {"l1": objectives.l1, "l2": objectives.l2, "tv": objectives.total_variation}
_OPTIMIZERS = {"adam": optimizers.adam, "sgd": optimizers.sgd, "lbfgs": optimizers.lbfgs}
_MOST_BY_DEFAULT = 64

T = TypeVar("T")
ObjectiveName = Literal["auto", "channel", "mean", "neuron", "logit", "dream"]


def see(
    network: NetworkName,
    layer: Annotated[str, typer.Argument(help="A name that `convsight layers` lists, or output.")],
    unit: Annotated[str | None, typer.Option(help="Units: 3,7-9 or all. Default: all, if they are 64 at most.")] = None,
    label: Annotated[
        list[str] | None, typer.Option("--class", help='Of the layer output: "egyptian cat", or its number; several times.')
    ] = None,
    objective: Annotated[
        ObjectiveName,
        typer.Option(
            help="auto: the output's logit, a vector's neuron, a map's channel (in colour networks a tenth only counts of "
            "what is under zero); channel: its plain sum."
        ),
    ] = "auto",
    diverse: Annotated[int, typer.Option(min=1, max=100, help="How many pictures of each unit, that differ.")] = 1,
    together: Annotated[
        list[str] | None,
        typer.Option("--with", help="LAYER:UNIT or LAYER:UNIT=WEIGHT: excite this one too, in each picture; several times."),
    ] = None,
    examples: Annotated[
        Path | None, typer.Option(help="A folder of pictures: also show what of them excites each unit most.")
    ] = None,
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
        Literal["auto", "pixels", "fourier", "maco"],
        typer.Option(help="How the picture is stored; auto: fourier for colour, pixels for others."),
    ] = "auto",
    like: Annotated[
        str | None,
        typer.Option(help="Hold the picture to what these have in common: a folder of pictures, or digits for real digits."),
    ] = None,
    optimizer: Annotated[Literal["adam", "sgd", "lbfgs"], typer.Option(help="How to climb.")] = "adam",
    learning_rate: Annotated[float | None, typer.Option(help="Default: the optimizer's own.", min=1e-9, max=1e6)] = None,
    steps: Annotated[int, typer.Option(min=1)] = 256,
    size: Annotated[int | None, typer.Option(min=8, max=4096, help="Of each picture, if the network takes others.")] = None,
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

    Example: convsight see vgg16 conv4_3 --unit 17 --diverse 4 --examples photos/
    """
    opened = load(network, weights=weights, shape=shape_of(shape)).to(device or best_device())
    if label:
        if layer != OUTPUT or unit is not None:
            raise InputError("a class is of the layer output; give that, and no --unit")
        unit = ",".join(str(opened.unit(each)) for each in label)
    known = _layers(opened, with_output=OUTPUT in (layer, *(each.partition(":")[0] for each in together or ())))
    shape_there = layer_of(opened, layer, known).shape
    units = _units(layer, shape_there, unit) if objective != "dream" else []
    goal = _objective(opened, known[layer], units, diverse, objective, unit, negative=negative)
    goal = -goal if negative else goal
    for each in together or ():
        goal = goal + _joined(opened, known, each)
    if diverse > 1:
        groups = [index // diverse for index in range(len(units) * diverse)]
        goal = objectives.diverse(goal, _last_maps(known, layer), groups)
    for each in penalty or ():
        name, numbers = weighted(each, "--penalty", numbers=1)
        goal = goal - numbers[0] * _choice(_PENALTIES, name, "penalty")()
    path = out or Path(f"{opened.name}-{layer}.png")
    check_outputs(path, animation)
    climb = _OPTIMIZERS[optimizer]
    shown = opened.at(size) if size else opened
    stored = _stored(shown, goal.samples or 1, parametrization, like, _seeds(seed, diverse, goal.samples or 1))
    views = _views(opened, transform)
    if examples and not units:
        raise InputError("--examples are of units; the objective dream is of a whole layer")
    found = _examples(opened, layer, units, examples, largest=not negative) if examples else None
    with progress(f"{opened.name} {layer}", steps) as done:
        result = visualize(
            shown,
            goal,
            stored,
            steps=steps,
            optimizer=climb() if learning_rate is None else climb(learning_rate),
            transforms=views,
            seed=seed,
            precision=None if precision == "auto" else getattr(torch, precision),
            frames=60 if animation else 0,
            on_step=lambda step: done(step + 1, ""),
        )
    columns = diverse if diverse > 1 and len(units) > 1 else None
    if found is None:
        result.save(path, columns=columns)
    else:
        result = replace(result, settings=result.settings | {"examples": [[each.record() for each in row] for row in found]})
        result.save(path, beside=[_patches(row, result.input.shape[-2:]) for row in found])
    if animation:
        result.save_animation(animation)
    written = ", ".join(str(each) for each in (path, path.with_suffix(".json"), animation) if each)
    say(
        f"{result.settings['objective']}: {_pictures(len(result.input))}, {steps} steps in {result.settings['seconds']:.1f} s, "
        f"score {result.score.mean():.4g} on average: {written}"
    )


def _units(layer: str, shape: tuple[int, ...], unit: str | None) -> list[int]:
    if not shape:
        raise InputError(f'layer "{layer}" puts out one number a sample; it has no units')
    if unit is None and shape[0] > _MOST_BY_DEFAULT:
        say(f"the first {_MOST_BY_DEFAULT} of {shape[0]} units; for every one, --unit all")
    return units_of(unit or (f"0-{min(shape[0], _MOST_BY_DEFAULT) - 1}"), shape[0])


def _objective(
    network: Network, layer: Layer, units: list[int], diverse: int, kind: ObjectiveName, unit: str | None, *, negative: bool
) -> Objective:
    if kind == "dream":
        if unit is not None or diverse > 1:
            raise InputError("the objective dream is of a whole layer; leave --unit and --diverse out")
        return objectives.dream(layer.name)
    each = [unit for unit in units for _ in range(diverse)]
    if kind == "logit" or (kind == "auto" and layer.name == OUTPUT):
        if layer.name != OUTPUT:
            raise InputError(f'a logit is of the layer output, not of "{layer.name}"')
        return objectives.logit(each)
    if kind == "auto":
        return default_objective(network, layer, each, quiet=negative)
    if kind == "neuron":
        return objectives.neuron(layer.name, each)
    return objectives.channel(layer.name, each, over="mean" if kind == "mean" else "sum")


def _joined(network: Network, known: Mapping[str, Layer], text: str) -> Objective:
    place, equals, weight = text.partition("=")
    layer, colon, unit = place.rpartition(":")
    try:
        factor = float(weight) if equals else 1.0
    except ValueError:
        factor = math.nan
    if not colon or not unit.isdecimal() or not abs(factor) <= 1e6:
        raise InputError(f'--with is LAYER:UNIT or LAYER:UNIT=WEIGHT, for example --with conv3_1:17=0.5, not "{text}"')
    found = layer_of(network, layer, known)
    number, available = int(unit[:10]), found.shape[0] if found.shape else 0
    if number >= available:
        raise InputError(f'--with {text}: there is no unit {unit}; layer "{layer}" has {available}')
    one = objectives.logit(number) if layer == OUTPUT else default_objective(network, found, number, quiet=factor < 0)
    return factor * one


def _last_maps(known: Mapping[str, Layer], layer: str) -> str:
    """`layer` if it puts out maps, else the last one before it that does: where pictures of one unit can differ."""
    if len(known[layer].shape) == 3:
        return layer
    with_maps = ""
    for each in known.values():
        if each.name == layer:
            break
        with_maps = each.name if len(each.shape) == 3 and each.shape[1] * each.shape[2] > 1 else with_maps
    if not with_maps:
        raise InputError(f'nothing before layer "{layer}" puts out maps, so its pictures cannot be told to differ')
    return with_maps


def _seeds(seed: int, diverse: int, count: int) -> int | list[int]:
    return seed if diverse == 1 else [seed + index % diverse for index in range(count)]


def _patches(row: Sequence[Example], size: Sequence[int]) -> torch.Tensor:
    return torch.cat([resized(each.patch[None], size[0], size[1]) for each in row])


def _examples(network: Network, layer: str, units: list[int], folder: Path, *, largest: bool) -> list[list[Example]]:
    files = picture_files([folder])
    with progress(f"looking through {folder}", len(files)) as done:
        return strongest(network, layer, units, files, largest=largest, on_picture=lambda count: done(count, ""))


def _layers(network: Network, *, with_output: bool) -> dict[str, Layer]:
    """The layers by name, in their order, at the end what the network returns if that is asked for."""
    known = {layer.name: layer for layer in network.layers()}
    if with_output:
        given = network.input.normalise(torch.zeros(1, *network.input.shape, device=network.device))
        with torch.no_grad(), read(network.module, [OUTPUT]) as activations_of:
            known[OUTPUT] = Layer(OUTPUT, "", tuple(activations_of(given)[OUTPUT].shape[1:]), None, 0)
    return known


def _stored(network: Network, batch: int, name: str, like: str | None, seed: int | list[int]) -> torch.nn.Module:
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
    shape, value_range = network.input.shape, network.input.value_range
    if name == "maco":
        return spectrum.maco(shape, batch, value_range=value_range, seed=seed)
    if name == "fourier":
        return spectrum.fourier(shape, batch, value_range=value_range, seed=seed)
    return parametrization.pixels(shape, batch, value_range=value_range, seed=seed)


def _views(network: Network, given: list[str] | None) -> list[transforms.Transform]:
    if given is None:
        return default_transforms(network)
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
