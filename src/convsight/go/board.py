"""The rules of Go, for many games at once, compiled.

A game is one row of each array of `Games`, points lie in a flat array with a border: the point in row r and column c, from 0
at the top left, is entry (r + 1) * (size + 2) + c + 1. Outside of this package a point is r * size + c, and size * size is a
pass. Suicide is forbidden, a single stone may not retake at once (simple ko), and with `superko` no position of the board may
come back, whoever is to move (positional superko). Area is counted and superko is as in the Tromp-Taylor rules,
https://tromp.github.io/go.html, which allow suicide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from convsight.errors import InputError
from convsight.go.rules import (
    BLACK,
    BORDER,
    EMPTY,
    KO,
    LARGEST,
    MOVES,
    PASSES,
    PLAYER,
    SMALLEST,
    WHITE,
    Array,
    compiled,
    count_liberties,
    entry,
    is_legal,
    play_one,
    position_hash,
    scratch_for,
)

LONG_AGO = -1000
_REMEMBERED = 4096


class Games(NamedTuple):
    """G games on boards of `size`, P = (size + 2)^2.

    `colours`: (G, P) int8, of each point. `placed`: (G, P) int16, in which move the stone there was played, `LONG_AGO` for
    stones that were set up. `status`: (G, 6) int32, by the names above: who plays next, the point forbidden by ko or 0, how
    many moves there were, how many passes in a row, how many stones each has taken. `past`: (G, H) uint64, the hashes of
    the last H positions, H = 0 without superko.
    """

    size: int
    colours: NDArray[np.int8]
    placed: NDArray[np.int16]
    status: NDArray[np.int32]
    past: NDArray[np.uint64]

    def copy(self) -> Games:
        """The same games, which go on apart from these."""
        return Games(self.size, self.colours.copy(), self.placed.copy(), self.status.copy(), self.past.copy())

    def rows(self, rows: slice | Sequence[int]) -> Games:
        """Some of the games: with a slice the very same ones, with a list copies."""
        return Games(self.size, self.colours[rows], self.placed[rows], self.status[rows], self.past[rows])

    def board(self) -> NDArray[np.int8]:
        """(G, size, size) int8: EMPTY, BLACK or WHITE."""
        width = self.size + 2
        return self.colours.reshape(-1, width, width)[:, 1:-1, 1:-1]


def new(count: int = 1, size: int = 19, *, superko: bool = False) -> Games:
    """`count` empty boards, black to play. Raises InputError if the size isn't from 5 to 19."""
    if not SMALLEST <= size <= LARGEST:
        raise InputError(f"a board here has {SMALLEST} to {LARGEST} lines, not {size}")
    width = size + 2
    colours = np.full((count, width, width), BORDER, np.int8)
    colours[:, 1:-1, 1:-1] = EMPTY
    status = np.zeros((count, 6), np.int32)
    status[:, PLAYER] = BLACK
    past = np.zeros((count, _REMEMBERED if superko else 0), np.uint64)
    return Games(size, colours.reshape(count, -1), np.full((count, width * width), LONG_AGO, np.int16), status, past)


def set_up(games: Games, points: Sequence[int], colour: int) -> None:
    """Put stones of `colour`, or EMPTY, on points (from 0 to size^2 - 1) of every game; ko and passes are forgotten."""
    entries = [entry_of(games.size, point) for point in points]
    games.colours[:, entries] = colour
    games.placed[:, entries] = LONG_AGO
    games.status[:, [KO, PASSES]] = 0
    _remember(games)


def play(games: Games, points: NDArray[np.int64] | Sequence[int]) -> NDArray[np.int32]:
    """Play a point in each game for the player whose turn it is: (G,) int32 how many stones were taken.

    `points`: (G,), from 0 to size^2 - 1, size^2 to pass, or -1 to leave that game as it is. A move that the rules forbid
    changes nothing, and its answer is -1. Raises InputError if these are no points, or not one for each game.
    """
    chosen = np.asarray(points, np.int64)
    if chosen.shape != (len(games.colours),) or ((chosen < -1) | (chosen > games.size**2)).any():
        raise InputError(f"one point is played in each of {len(games.colours)} games, from -1 to {games.size**2}")
    return _play(games, chosen)


def legal(games: Games) -> NDArray[np.bool_]:
    """(G, size^2 + 1) bool: what the player whose turn it is may play; the last is the pass, which is always allowed."""
    return _legal(games)


def liberties(games: Games) -> NDArray[np.int16]:
    """(G, size, size) int16: how many liberties the chain of the stone there has, 0 where there is none."""
    return _liberties(games)


def area(games: Games) -> NDArray[np.int32]:
    """(G, 2) int32: black's and white's area: stones, and empty points that reach only these. No stone is taken for dead."""
    return _area(games)


def handicap(size: int, stones: int) -> list[int]:
    """Where the stones of a fixed handicap lie. Source: GTP version 2, section 4.1.1.

    Raises InputError if so many have no fixed places on this board.
    """
    most = most_handicap(size)
    if not 2 <= stones <= most:
        fixed = f"2 to {most} stones" if most else "no stones"
        raise InputError(f"on {size} lines {fixed} have fixed places as a handicap, not {stones}")
    low = 3 if size >= 13 else 2
    high, middle = size - 1 - low, size // 2
    places = [(high, low), (low, high), (low, low), (high, high)][:stones]
    if stones >= 6:
        places += [(middle, low), (middle, high)]
    if stones >= 8:
        places += [(high, middle), (low, middle)]
    if stones in (5, 7, 9):
        places += [(middle, middle)]
    return [row * size + column for row, column in places]


def most_handicap(size: int) -> int:
    """How many stones of a handicap have fixed places."""
    return 0 if size < 7 else 4 if size % 2 == 0 or size == 7 else 9


@compiled
def _play(games: Games, points: Array) -> Array:
    size, colours, placed, status, past = games
    answers = np.zeros(points.size, np.int32)
    removed, scratch = np.zeros(colours.shape[1], np.int32), scratch_for(colours.shape[1])
    for game in range(points.size):
        point = points[game]
        if point < 0:
            continue
        at = entry(size, point)
        answers[game] = play_one(size, colours[game], placed[game], status[game], past[game], at, removed, scratch)
    return answers


@compiled
def _legal(games: Games) -> Array:
    size, colours, _, status, past = games
    answers = np.ones((colours.shape[0], size * size + 1), np.bool_)
    removed, scratch = np.zeros(colours.shape[1], np.int32), scratch_for(colours.shape[1])
    for game in range(colours.shape[0]):
        for point in range(size * size):
            at = entry(size, point)
            answers[game, point] = is_legal(size, colours[game], status[game], past[game], at, removed, scratch)
    return answers


@compiled
def _liberties(games: Games) -> Array:
    size, colours, _, _, _ = games
    answers = np.zeros((colours.shape[0], size, size), np.int16)
    scratch = scratch_for(colours.shape[1])
    for game in range(colours.shape[0]):
        for row in range(size):
            for column in range(size):
                at = entry(size, row * size + column)
                if colours[game, at] != EMPTY:
                    answers[game, row, column] = count_liberties(colours[game], size + 2, at, size * size, scratch)
    return answers


@compiled
def _area(games: Games) -> Array:
    size, colours, _, _, _ = games
    width = size + 2
    answers = np.zeros((colours.shape[0], 2), np.int32)
    region, known = np.zeros(colours.shape[1], np.int32), np.zeros(colours.shape[1], np.int32)
    for game in range(colours.shape[0]):
        here = colours[game]
        for start in range(here.size):
            if here[start] in (BLACK, WHITE):
                answers[game, here[start] - 1] += 1
            if here[start] != EMPTY or known[start] == game + 1:
                continue
            region[0], count, first, reached = start, 1, 0, 0
            known[start] = game + 1
            while first < count:
                point = region[first]
                first += 1
                for step in (1, -1, width, -width):
                    there = here[point + step]
                    if there == EMPTY and known[point + step] != game + 1:
                        known[point + step] = game + 1
                        region[count] = point + step
                        count += 1
                    elif there in (BLACK, WHITE):
                        reached |= there
            if reached in (BLACK, WHITE):
                answers[game, reached - 1] += count
    return answers


def entry_of(size: int, point: int) -> int:
    """Where point r * size + c lies in the flat arrays. Raises InputError if there is no such point."""
    if not 0 <= point < size * size:
        raise InputError(f"there is no point {point} on a board of {size} lines")
    return entry(size, point)


def _remember(games: Games) -> None:
    if games.past.shape[1]:
        for game in range(len(games.colours)):
            games.past[game, games.status[game, MOVES] % games.past.shape[1]] = position_hash(games.colours[game])
