"""The command line: parse, call, print. What the user can put right is one sentence and exit status 2."""

from __future__ import annotations

import sys
from typing import Annotated

import torch
import typer

from convsight import __version__
from convsight.cli import assets, atlas, digits, dream, fit, go, look, see, speech, style, text, tour
from convsight.cli.terminal import complain, say
from convsight.errors import InputError

app = typer.Typer(
    help="See what a convolutional network sees; shape one to fit your data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell(version: bool) -> None:
    if version:
        say(f"convsight {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


app.command()(look.layers)
app.command()(look.filters)
app.command()(see.see)
app.command()(atlas.atlas)
app.command()(dream.dream)
app.command()(style.style)
app.add_typer(digits.app, name="digits")
app.add_typer(go.app, name="go")
app.add_typer(speech.app, name="speech")
app.add_typer(text.app, name="text")
app.add_typer(assets.app, name="assets")
app.command()(fit.fit)
app.command()(tour.tour)


def main() -> None:
    """Run the command that the arguments name."""
    try:
        sys.exit(app(standalone_mode=False))
    except typer.TyperException as error:  # how the command was written
        complain(error.format_message() or "say which")
    except (typer.Abort, KeyboardInterrupt):
        complain("interrupted; nothing half-written is left")
    except InputError as error:
        complain(str(error))
    except OSError as error:  # where the command's words go
        complain(str(error))
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        complain("not enough memory; take a smaller --size or fewer units at once")
    sys.exit(2)
