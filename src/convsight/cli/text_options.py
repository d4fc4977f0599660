"""What the commands for text share."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Source = Annotated[
    str,
    typer.Argument(
        metavar="TEXTS",
        help="A table (.csv, .tsv, .jsonl), a folder with pos.txt neg.txt or a folder for each class, .txt of lines that begin "
        "with their class, or hf:NAME[:SPLIT].",
    ),
]
TextColumn = Annotated[str, typer.Option(help="The column of a table that has the texts.")]
LabelColumn = Annotated[str, typer.Option(help="The column that has their classes.")]
TextNetwork = Annotated[str, typer.Option(help="text, English reviews; or a file that `text train` wrote.")]
Embeddings = Literal["rand", "static", "non-static", "multichannel"]
Tokeniser = Literal["english", "unicode", "chinese"]
