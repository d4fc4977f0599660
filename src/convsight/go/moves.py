"""All moves of many games in a few arrays.

A move takes three bytes, ten million moves thirty megabytes, so nothing is encoded ahead. A sample is any move of any game: the
game is played to there and encoded (`samples`). So samples may come in any order, and a training that was interrupted goes on
exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convsight.go import sgf


class Moves(NamedTuple):
    """N games on boards of `size`, one after the other in flat arrays.

    `points`: (M,) int16, from 0 to size^2 - 1, or size^2 for a pass; `colours`: (M,) int8 who moves; game g has the moves from
    `first[g]` to `first[g + 1]`, (N + 1,) int64. `stones` and `stone_colours`, from `first_stone[g]`: what is set up before.
    """

    size: int
    points: NDArray[np.int16]
    colours: NDArray[np.int8]
    first: NDArray[np.int64]
    stones: NDArray[np.int16]
    stone_colours: NDArray[np.int8]
    first_stone: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.first) - 1

    def samples(self) -> NDArray[np.int32]:
        """Which moves are samples: all but the passes."""
        return np.flatnonzero(self.points < self.size * self.size).astype(np.int32)

    def games(self, start: int, stop: int) -> Moves:
        """The games from `start` to `stop`."""
        moves = slice(self.first[start], self.first[stop])
        stones = slice(self.first_stone[start], self.first_stone[stop])
        return Moves(
            self.size, self.points[moves], self.colours[moves], self.first[start : stop + 1] - moves.start,
            self.stones[stones], self.stone_colours[stones], self.first_stone[start : stop + 1] - stones.start,
        )  # fmt: skip

    def chosen(self, games: NDArray[np.int64]) -> Moves:
        """The games of these numbers."""
        return joined([self.games(each, each + 1) for each in games.tolist()]) if len(games) else self.games(0, 0)

    def split(self, one_in: int = 50) -> tuple[Moves, Moves]:
        """The games to learn from, and one in so many, from all of them, to judge by: the last at least."""
        judges = np.arange(len(self) - 1, -1, -one_in)[::-1]
        return self.chosen(np.setdiff1d(np.arange(len(self)), judges)), self.chosen(judges)

    def not_among(self, others: Moves) -> NDArray[np.int64]:
        """The numbers of the games whose moves are those of none of `others`."""
        known = {others._key(game) for game in range(len(others))}
        return np.array([game for game in range(len(self)) if self._key(game) not in known], np.int64)

    def _key(self, game: int) -> bytes:
        return self.points[self.first[game] : self.first[game + 1]].tobytes()


def of_records(records: Sequence[sgf.Record], size: int) -> Moves:
    """The arrays of `records`, all on boards of `size`."""
    points = np.array([point for each in records for _, point in each.moves], np.int16)
    colours = np.array([colour for each in records for colour, _ in each.moves], np.int8)
    stones = np.array([point for each in records for _, point in each.stones], np.int16)
    stone_colours = np.array([colour for each in records for colour, _ in each.stones], np.int8)
    first, first_stone = (np.cumsum([0, *map(len, each)]) for each in ([r.moves for r in records], [r.stones for r in records]))
    return Moves(size, points, colours, first, stones, stone_colours, first_stone)


def joined(parts: Sequence[Moves], lengths: NDArray[np.int64] | None = None) -> Moves:
    """The games of all parts; of each, its first `lengths` moves."""
    points, colours, stones, stone_colours = (
        np.concatenate([getattr(each, name) for each in parts]) for name in ("points", "colours", "stones", "stone_colours")
    )
    sizes = np.concatenate([np.diff(each.first) for each in parts])
    stone_sizes = np.concatenate([np.diff(each.first_stone) for each in parts])
    if lengths is not None:
        starts = np.repeat(np.cumsum(sizes) - sizes, sizes)
        kept = np.arange(len(points)) - starts < np.repeat(lengths, sizes)
        points, colours, sizes = points[kept], colours[kept], lengths
    first, first_stone = (np.concatenate([[0], np.cumsum(each)]).astype(np.int64) for each in (sizes, stone_sizes))
    return Moves(parts[0].size, points, colours, first, stones, stone_colours, first_stone)
