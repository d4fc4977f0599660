"""What the commands for speech share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

CORPUS = "A folder in TIMIT's layout, or of recordings with a .TextGrid each, or a table of file,start,end,phone."
POOLING = 6
SpeechNetwork = Annotated[str, typer.Option(help="speech, English; or a file that `speech train` wrote.")]
Part = Annotated[
    Literal["train", "test", "core"] | None,
    typer.Option(help="Of TIMIT: what is to learn from, to test by, or the core test set."),
]
Start = Annotated[str | None, typer.Option(help="A network to go on from: speech, or a file.")]
Slides = Annotated[
    Literal["frequency", "time", "both", "none"],
    typer.Option(help="What the filters move along; all have as many parameters."),
]
Pooling = Annotated[int, typer.Option(min=1, max=33, help="The factor of the pooling along frequency.")]
Limited = Annotated[bool, typer.Option("--limited", help="Filters of their own for each band that is pooled.")]
BothWays = Annotated[bool, typer.Option("--both-ways", help="An LSTM each way; then nothing is told before a sound's end.")]
Centred = Annotated[
    bool, typer.Option("--centred", help="Take each recording's mean off, and with it what its microphone adds.")
]
Ctc = Annotated[bool, typer.Option("--ctc", help="Learn the strings of phones only, not when they are.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Passes over the recordings.")]
Words = Annotated[Literal["digits"] | None, typer.Option(help="The words that the phones make, of these.")]
