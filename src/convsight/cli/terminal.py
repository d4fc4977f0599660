"""What commands say: results on standard output, errors on the error stream, texts exactly as they are."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text


def say(text: str) -> None:
    """Print `text`, whole, however wide the terminal is."""
    Console(highlight=False).print(Text(text), soft_wrap=True)


def show_table(table: Table) -> None:
    """Print `table` as wide as the terminal, or whole into a file or another program."""
    console = Console(emoji=False, markup=False)
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)


def complain(text: str) -> None:
    """Print `text` as an error."""
    Console(stderr=True, highlight=False).print(
        Text("Error: ", style="bold red").append(text, style="not bold default"), soft_wrap=True
    )
