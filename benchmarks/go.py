"""Go on one core: planes a second, the time of a move, and what reading a large collection takes.

Give two collections: one to read whole, and one whose positions are encoded and judged. Only the reading uses all cores.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from measure import peak_of_all_processes, timed

from convsight import load
from convsight.cores import cores
from convsight.go.board import Games
from convsight.go.data import load as load_games
from convsight.go.encode import planes
from convsight.go.moves import Moves
from convsight.go.player import Player
from convsight.go.samples import positions

MOVES = 300


def reading(collection: Path) -> str:
    """How fast the games of `collection` stream through, and in how much memory."""
    games = 0

    def read() -> None:
        nonlocal games
        games = len(load_games([collection])[0])

    started = perf_counter()
    peak = peak_of_all_processes(read)
    seconds = perf_counter() - started
    rate = f"{games / seconds:,.0f} games a second"
    return f"| reading {games:,} games, {cores()} cores | {seconds:.0f} s | {rate}, {peak:,.0f} MB |"


def sampled(moves: Moves, count: int, at_once: int) -> Iterator[Games]:
    """`count` positions from everywhere in the games, so many boards at once."""
    chosen = moves.samples()[:: max(1, len(moves.samples()) // count)][:count]
    for start in range(0, len(chosen), at_once):
        yield positions(moves, chosen[start : start + at_once])


def encoding(moves: Moves) -> str:
    """48 planes, ladders read, of positions that are on the board."""
    boards = list(sampled(moves, 20_000, 512))
    planes(boards[0])
    rounds = [timed(lambda: [planes(each) for each in boards]) for _ in range(5)]
    count = sum(len(each.colours) for each in boards)
    return (
        f"| 48 planes | {median(rounds) / count * 1e6:.0f} µs a position | {count / median(rounds):,.0f} positions a second |"
    )


def moving(moves: Moves) -> list[str]:
    """A move by the network that ships: alone, and of 64 games at once."""
    player, random = Player(load("go")), np.random.default_rng(0)
    boards = list(sampled(moves, MOVES, 1))
    player.choose(boards[0], random)
    alone = sorted(timed(partial(player.choose, each, random)) for each in boards)
    many = next(sampled(moves, 64, 64))
    player.prior(many)
    together = [timed(partial(player.prior, many)) / len(many.colours) for _ in range(20)]
    return [
        f"| a move | {median(alone) * 1e3:.1f} ms | 95 of 100 within {alone[len(alone) * 95 // 100] * 1e3:.1f} ms |",
        f"| a move, 64 games at once | {median(together) * 1e3:.1f} ms each | |",
    ]


def main() -> None:
    """Measure, and write a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("collection", type=Path)
    parser.add_argument("games", type=Path)
    parser.add_argument("--out", type=Path, default=Path("go.md"))
    options = parser.parse_args()
    lines = ["| what, on one core | time | rate |", "|---|---|---|", reading(options.collection)]
    moves, _ = load_games([options.games])
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    lines += [encoding(moves), *moving(moves)]
    options.out.write_text("\n".join(lines) + "\n")
    print(options.out.read_text(), end="")


if __name__ == "__main__":
    main()
