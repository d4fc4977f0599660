"""What the commands for speech share."""

from __future__ import annotations

from typing import Annotated

import typer

SpeechNetwork = Annotated[str, typer.Option(help="speech, English; or a file that `speech train` wrote.")]
