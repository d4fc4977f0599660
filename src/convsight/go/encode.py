"""A position as the 48 planes of AlphaGo, seen by the player whose turn it is.

Source: Silver et al. 2016, "Mastering the game of Go with deep neural networks and tree search", Nature 529, Extended Data
Table 2, which has one line a plane. Where it leaves a choice, ours is said here:

| planes | what | our reading |
|---|---|---|
| 3 | stone colour | own, opponent's, empty |
| 1 | ones | 1 everywhere |
| 8 | turns since | of the stone there; 1 is the latest move; passes are turns; stones that were set up lie 8 or more back |
| 8 | liberties | of the chain of the stone there, own and opponent's |
| 8 | capture size | stones that a move there takes; a move that takes none has no plane |
| 8 | self-atari size | stones of the own chain, if a move there leaves it one liberty, after captures |
| 8 | liberties after move | of the own chain, after captures, where the move is legal |
| 1 | ladder capture | a move there captures, in a ladder, a chain of the opponent's that has two liberties |
| 1 | ladder escape | a move there saves an own chain in atari from being captured in a ladder |
| 1 | sensibleness | the move is legal and fills no own eye (`rules.is_own_eye`) |
| 1 | zeros | 0 everywhere |

Planes of eight are one-hot: 1, 2, ... 7, and 8 or more. Whatever is of a move is 0 where it isn't legal. How ladders
are read is said in `ladder`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convsight.errors import InputError
from convsight.go.board import Games
from convsight.go.ladder import captures, escapes, rescues, trail_for_reading
from convsight.go.rules import (
    BLACK,
    EMPTY,
    KO,
    MOVES,
    PLAYER,
    WHITE,
    Array,
    compiled,
    count_liberties,
    entry,
    is_own_eye,
    place,
    scratch_for,
    take_back,
    was_there,
)

TURNS, LIBERTIES, CAPTURE, SELF_ATARI, AFTER, LADDER_CAPTURE, LADDER_ESCAPE, SENSIBLE = 4, 12, 20, 28, 36, 44, 45, 46
COUNTS = (4, 12, 48)
_LISTED = 9  # liberties kept of each chain: without the one that a move takes there are still eight


def planes(games: Games, count: int = 48) -> NDArray[np.uint8]:
    """(G, count, size, size) uint8, 0 or 1. `count`: 48, or the first 12 (colour, ones, turns since) or 4 of them.

    Raises InputError if `count` is another.
    """
    if count not in COUNTS:
        raise InputError(f"there are networks for 4, 12 or 48 planes, not for {count}")
    answers = np.zeros((len(games.colours), count, games.size, games.size), np.uint8)
    _planes(games, answers)
    return answers


@compiled
def _planes(games: Games, answers: Array) -> None:
    size, colours, placed, status, past = games
    scratch, trail = scratch_for(colours.shape[1]), trail_for_reading()
    for game in range(colours.shape[0]):
        encode_one(size, colours[game], placed[game], status[game], past[game], answers[game], scratch, trail)


@compiled
def encode_one(
    size: int, colours: Array, placed: Array, status: Array, past: Array, out: Array, scratch: Array, trail: Array
) -> None:
    """`planes` of one game, into `out` (planes, size, size), which holds zeros; the board is played on and comes back."""
    width, own = size + 2, status[PLAYER]
    for row in range(size):
        for column in range(size):
            point = entry(size, row * size + column)
            there = colours[point]
            out[2 if there == EMPTY else 0 if there == own else 1, row, column] = 1
            out[3, row, column] = 1
            if there != EMPTY and out.shape[0] > TURNS:
                out[TURNS + _eighth(status[MOVES] - placed[point]), row, column] = 1
    if out.shape[0] <= LIBERTIES:
        return
    chain, sizes, counts, listed = _chains(size, colours, out, scratch)
    seen = np.zeros(colours.size, np.int32)
    removed = np.zeros(colours.size, np.int32)
    for row in range(size):
        for column in range(size):
            point = entry(size, row * size + column)
            if colours[point] != EMPTY or point == status[KO]:
                continue
            stones, free, taken = 1, 0, 0
            seen[point] = point
            for step in (1, -1, width, -width):
                beside = point + step
                if colours[beside] == EMPTY:
                    if seen[beside] != point:
                        seen[beside] = point
                        free += 1
                elif colours[beside] == own:
                    first = chain[beside]
                    if seen[first] != point:
                        seen[first] = point
                        stones += sizes[first]
                        for index in range(min(counts[first], _LISTED)):
                            if seen[listed[first, index]] != point:
                                seen[listed[first, index]] = point
                                free += 1
                elif colours[beside] == 3 - own and counts[chain[beside]] == 1:
                    taken += 1
            if taken or past.size:
                taken = place(colours, width, point, own, removed, scratch)
                if taken < 0:
                    continue
                free = count_liberties(colours, width, point, 8, scratch)
                before = past.size > 0 and was_there(colours, past, status[MOVES])
                take_back(colours, point, taken, removed)
                if before:
                    continue
            if free == 0:
                continue
            if taken:
                out[CAPTURE + _eighth(taken), row, column] = 1
            if free == 1:
                out[SELF_ATARI + _eighth(stones), row, column] = 1
            out[AFTER + _eighth(free), row, column] = 1
            if not is_own_eye(colours, width, point, own):
                out[SENSIBLE, row, column] = 1
    _ladders(size, colours, status, chain, counts, listed, out, scratch, trail)


@compiled
def _chains(size: int, colours: Array, out: Array, scratch: Array) -> tuple[Array, Array, Array, Array]:
    """Of each stone the first stone of its chain; of those the chain's size, its liberties, and the first of them."""
    points, width = colours.size, size + 2
    chain = np.zeros(points, np.int32)
    sizes, counts = np.zeros(points, np.int32), np.zeros(points, np.int32)
    listed = np.zeros((points, _LISTED), np.int32)
    for start in range(width + 1, points - width - 1):
        if chain[start] or (colours[start] != BLACK and colours[start] != WHITE):
            continue
        counts[start] = count_liberties(colours, width, start, points, scratch)
        sizes[start] = scratch[-2]
        for index in range(min(counts[start], _LISTED)):
            listed[start, index] = scratch[2 * points + index]
        plane = LIBERTIES + _eighth(counts[start])
        for index in range(sizes[start]):
            point = scratch[points + index]
            chain[point] = start
            out[plane, point // width - 1, point % width - 1] = 1
    return chain, sizes, counts, listed


@compiled
def _ladders(
    size: int,
    colours: Array,
    status: Array,
    chain: Array,
    counts: Array,
    listed: Array,
    out: Array,
    scratch: Array,
    trail: Array,
) -> None:
    width, own, ko = size + 2, status[PLAYER], status[KO]
    moves = np.zeros(colours.size, np.int32)
    for start in range(width + 1, colours.size - width - 1):
        if chain[start] != start:
            continue
        if colours[start] == own and counts[start] == 1:
            for index in range(rescues(colours, width, start, moves, scratch)):
                row, column = moves[index] // width - 1, moves[index] % width - 1
                if _open(out, LADDER_ESCAPE, row, column) and escapes(colours, width, start, moves[index], ko, trail, scratch):
                    out[LADDER_ESCAPE, row, column] = 1
        elif colours[start] == 3 - own and counts[start] == 2:
            for index in range(2):
                row, column = listed[start, index] // width - 1, listed[start, index] % width - 1
                if _open(out, LADDER_CAPTURE, row, column) and captures(
                    colours, width, start, listed[start, index], ko, trail, scratch
                ):
                    out[LADDER_CAPTURE, row, column] = 1


@compiled
def _open(out: Array, plane: int, row: int, column: int) -> bool:
    """Whether `plane` says nothing yet of a move there that is legal."""
    return not out[plane, row, column] and bool(out[AFTER : AFTER + 8, row, column].any())


@compiled
def _eighth(number: int) -> int:
    return min(number, 8) - 1
