"""`convsight layers` and `filters`: what there is in a network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from convsight.cli.options import (
    NetworkName,
    Shape,
    Weights,
    shape_of,
)
from convsight.cli.terminal import say, show_table
from convsight.errors import by
from convsight.image import show
from convsight.network import load
from convsight.pictures import write_png


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
