"""An atlas: a picture of every unit of whole layers, in a folder with a page to browse them; drawn piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from jinja2 import Environment, PackageLoader, StrictUndefined

from convsight.activations import read
from convsight.assets import digest
from convsight.errors import InputError
from convsight.files import written_whole
from convsight.network import Layer, Network
from convsight.pictures import write_png
from convsight.visualize import default_objective, default_transforms, visualize

STEPS = 128
_BATCH = 16
_RECORD, _PAGE = "atlas.json", "index.html"


def draw(
    network: Network,
    layers: Sequence[Layer],
    folder: Path,
    *,
    size: int | None = None,
    steps: int = STEPS,
    seed: int = 0,
    on_unit: Callable[[int], None] | None = None,
) -> Path:
    """Draw every unit of `layers` (of `network.layers()`) that `folder` has no picture of yet; the path of its page.

    A picture is written whole as soon as its batch is done, `folder/LAYER/UNIT.png`, so that after an interruption the same
    call goes on. A unit's picture doesn't depend on what else is drawn. `size`: of each picture, by default twice what a unit
    sees, from 96 pixels to the network's own size. `on_unit(done)`: how many of the layers' units the folder holds.

    Raises InputError if the folder holds an atlas that was made otherwise, or a layer puts out no units.
    """
    for layer in layers:
        if len(layer.shape) not in (1, 3):
            raise InputError(f'layer "{layer.name}" puts out no maps and no vector, so it has no units to draw')
    asked = {
        "network": network.name, "weights": digest(network.module.state_dict()), "input": asdict(network.input), "size": size,
        "steps": steps, "seed": seed, "convsight": version("convsight"),
    }  # fmt: skip
    record = _recorded(folder, json.loads(json.dumps(asked)))
    record["layers"] |= {layer.name: layer.shape[0] for layer in layers}
    views = default_transforms(network)
    done, begun = 0, False
    for layer in layers:
        maps = len(layer.shape) == 3
        shown = network.at(size or _size(network, layer)) if maps else network
        missing = [unit for unit in range(layer.shape[0]) if not picture(folder, layer.name, unit).exists()]
        done += layer.shape[0] - len(missing)
        for start in range(0, len(missing), _BATCH):
            if on_unit is not None:
                on_unit(done)
            units = missing[start : start + _BATCH]
            objective = default_objective(network, layer, units)
            made = visualize(shown, objective, steps=steps, transforms=views, seed=seed)
            if not begun:
                _write_record_and_page(folder, record)
                begun = True
            for unit, each in zip(units, made.pictures(), strict=True):
                write_png(each, picture(folder, layer.name, unit))
            done += len(units)
        if on_unit is not None:
            on_unit(done)
    if not begun:
        _write_record_and_page(folder, record)
    return folder / _PAGE


def picture(folder: Path, layer: str, unit: int) -> Path:
    """Where the picture of `unit` of `layer` is, or will be."""
    return folder / layer / f"{unit:04d}.png"


def drawn(folder: Path, layers: Sequence[Layer]) -> int:
    """Of how many units of `layers` the folder holds a picture."""
    return sum(picture(folder, layer.name, unit).exists() for layer in layers for unit in range(*layer.shape[:1]))


def _size(network: Network, layer: Layer) -> int:
    own = min(network.input.shape[1:])
    size = min(own, max(96, 16 * round(max(layer.receptive_field or (own,)) / 8)))
    try:
        with torch.no_grad(), read(network.module, [layer.name]) as activations_of:
            activations_of(torch.zeros(1, network.input.shape[0], size, size, device=network.device))
    except Exception:  # whatever a module raises that takes no other size than its own
        return own
    return size


def _recorded(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The record of the atlas in `folder`, or that of a new one. Raises InputError if it was made otherwise than `asked`."""
    path = folder / _RECORD
    try:
        begun: dict[str, Any] = json.loads(path.read_text())
        differing = [key for key in asked if begun[key] != asked[key]]
        begun["layers"] = dict(begun["layers"])
    except FileNotFoundError:
        return {**asked, "layers": {}}
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path} is no record of an atlas; give another folder as --out") from None
    if differing:
        was = ", ".join(f"{key} {begun[key]}, not {asked[key]}" for key in differing)
        raise InputError(f"{folder} holds an atlas of {was}; give another folder as --out, or the same options")
    return begun


def _write_record_and_page(folder: Path, record: Mapping[str, Any]) -> None:
    """The page is of every layer that the folder holds or will hold."""
    with written_whole(folder / _RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")
    environment = Environment(loader=PackageLoader("convsight.image", "."), autoescape=True, undefined=StrictUndefined)
    html = environment.get_template("atlas.html").render(**record)
    with written_whole(folder / _PAGE) as temporary:
        temporary.write_text(html, encoding="utf-8")
