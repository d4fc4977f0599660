"""The command line: parse, call, print. What the user can put right is one sentence and exit status 2."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from convsight import __version__
from convsight.cli import digits, look, tour
from convsight.cli.terminal import complain, say
from convsight.errors import InputError

_INTERRUPTED_SAYS_TYPER = 130

app = typer.Typer(
    help="See what a convolutional network sees; shape one to fit your data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version and leave.")] = False,
) -> None:
    if version:
        say(f"convsight {__version__}")
        raise typer.Exit


app.command()(look.layers)
app.command()(look.filters)
app.command()(look.see)
app.add_typer(digits.app, name="digits")
app.command()(tour.tour)


def main() -> None:
    """Run the command that the arguments name."""
    try:
        app()
    except InputError as error:
        complain(str(error))
        sys.exit(2)
    except SystemExit as ended:
        if ended.code != _INTERRUPTED_SAYS_TYPER:
            raise
        complain("interrupted; nothing half-written is left")
        sys.exit(2)
