"""What the commands for Go share: opening a network, reading games."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from convsight.cli.progress import progress
from convsight.cli.terminal import say
from convsight.errors import InputError, by
from convsight.network import Network, load

if TYPE_CHECKING:
    from convsight.go.data import Report
    from convsight.go.moves import Moves

Games = Annotated[
    list[Path],
    typer.Argument(metavar="GAMES...", help="SGF: files of one or many games, .gz .xz .bz2 .zip .tar, folders; or example."),
]
GoNetwork = Annotated[
    str, typer.Option(help="sl (or go), learnt from records; rl, improved by self-play; go9, go9_rl, for 9 lines; or a file.")
]
SHORT = {"sl": "go", "rl": "go_rl"}
ON_NINE = {"go": "go9", "go_rl": "go9_rl"}
PLANES = {"48": 48, "raw": 12, "colours": 4}


def go_network(name: str) -> Network:
    """The network called `name`. Raises InputError if it is none for Go."""
    opened = load(SHORT.get(name, name))
    planes, rows, columns = opened.input.shape
    if opened.architecture is None or opened.architecture.outputs != rows * columns or planes not in PLANES.values():
        raise InputError(f"{name} is no network for Go: it takes {by(opened.input.shape)}")
    return opened


def network_for(name: str, size: int) -> Network:
    """The network called `name`, or the one like it for 9 lines if the board has so many."""
    short = SHORT.get(name, name)
    return go_network(ON_NINE.get(short, short) if size == 9 else short)


def game_file(path: Path) -> Path:
    """`path`, or for the name "example" the games that come with convsight."""
    from convsight.go.sgf import EXAMPLE

    return EXAMPLE if str(path) == "example" and not path.exists() else path


def read_games(paths: list[Path], size: int) -> Moves:
    """The games on boards of `size` in `paths`; says how many there are, and what became of the others."""
    from convsight.go.data import load as load_games

    with _counting() as count:
        moves, report = load_games(map(game_file, paths), size, on_game=count)
    for line in _told(report):
        say(line)
    return moves


def _told(report: Report) -> Iterator[str]:
    yield f"{report.games:,} games with {report.moves:,} moves"
    if report.ended_early or report.left_out:
        yield f"{report.ended_early:,} of them end early, {report.left_out:,} more were left out:"
        for reason, count in report.reasons.most_common(5):
            yield f"  {count:,} times: {reason}"
        yield f"  such as {'; '.join(report.examples[:2])}"


@contextmanager
def _counting() -> Iterator[Callable[[int], None]]:
    with progress("reading games", None) as done:
        yield lambda count: done(count, "")
