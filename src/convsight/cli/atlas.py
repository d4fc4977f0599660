"""`convsight atlas`: every unit of whole layers, on one page."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from convsight.cli.options import Device, NetworkName, Seed, Shape, Weights, layer_of, shape_of
from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.network import load
from convsight.precision import best_device


def atlas(
    network: NetworkName,
    layers: Annotated[list[str], typer.Argument(metavar="LAYER...", help="Names that `convsight layers` lists.")],
    out: Annotated[Path | None, typer.Option(help="Folder for the page and its pictures. Default: NETWORK-atlas.")] = None,
    size: Annotated[
        int | None, typer.Option(min=8, max=4096, help="Of each picture. Default: by layer, twice what a unit sees.")
    ] = None,
    steps: Annotated[int, typer.Option(min=1)] = 128,
    seed: Seed = 0,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    weights: Weights = None,
    shape: Shape = None,
    device: Device = None,
) -> None:
    """Draw the input that excites each unit most, for every unit of whole layers, as one page to browse.

    It may take hours. After an interruption, or to add layers, the same command goes on where the folder stands.

    Example: convsight atlas vgg16 conv3_1 conv3_2 conv3_3
    """
    from convsight.image.atlas import draw, drawn

    opened = load(network, weights=weights, shape=shape_of(shape)).to(device or best_device())
    known = {layer.name: layer for layer in opened.layers()}
    wanted = [layer_of(opened, name, known) for name in dict.fromkeys(layers)]
    folder = out or Path(f"{opened.name}-atlas")
    total = sum(layer.shape[0] for layer in wanted if layer.shape)
    before, started = drawn(folder, wanted), perf_counter()

    def left() -> str:
        return f"{drawn(folder, wanted)} of {total} units are in {folder}, and the same command goes on"

    with progress(f"atlas of {opened.name}", total, left=left) as done:
        page = draw(opened, wanted, folder, size=size, steps=steps, seed=seed, on_unit=lambda count: done(count, ""))
    seconds = perf_counter() - started
    rate = f", {total - before} of them now at {60 * (total - before) / seconds:.0f} a minute" if before < total else ""
    say(f"{total} units of {', '.join(layer.name for layer in wanted)}{rate}: {page}")
    if open_:
        webbrowser.open(page.resolve().as_uri())
