"""The rules of Go on one board, compiled: what `board` does for many games, `ladder` reads and `encode` counts with.

A board is a flat array `colours` with a border: the point in row r and column c, from 0 at the top left, is entry
(r + 1) * width + c + 1, with width = size + 2. Its entries are EMPTY, BLACK, WHITE and, around, BORDER.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

EMPTY, BLACK, WHITE, BORDER = 0, 1, 2, 3
PLAYER, KO, MOVES, PASSES, TAKEN_BY_BLACK, TAKEN_BY_WHITE = range(6)
SMALLEST, LARGEST = 5, 19

_HASHES = np.random.default_rng(0).integers(1, 2**63, (3, (LARGEST + 2) ** 2), dtype=np.uint64)

Array = NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile when first called, keep it on disk, and let other threads run meanwhile."""
    return cast(Function, njit(cache=True, nogil=True, error_model="numpy")(function))


@compiled
def entry(size: int, point: int) -> int:
    """Where point r * size + c lies in the flat array; 0 for a pass, which is size * size."""
    return 0 if point == size * size else (point // size + 1) * (size + 2) + point % size + 1


@compiled
def point_of(size: int, entry: int) -> int:
    """`entry`, backwards, for points of the board."""
    return (entry // (size + 2) - 1) * size + entry % (size + 2) - 1


@compiled
def scratch_for(points: int) -> Array:
    """Room for `count_liberties`: of each point a mark, the stones of a chain, its liberties; its size and the latest mark."""
    return np.zeros(3 * points + 2, np.int32)


@compiled
def count_liberties(colours: Array, width: int, start: int, limit: int, scratch: Array) -> int:
    """How many liberties the chain of the stone at `start` has, counted up to `limit`.

    With P points, `scratch[2 * P : 2 * P + count]` are those liberties; if there are fewer than `limit`, `scratch[-2]` is the
    size of the chain, and `scratch[P : P + size]` its stones.
    """
    points = colours.size
    scratch[-1] += 1
    stamp = scratch[-1]
    colour = colours[start]
    scratch[start] = stamp
    scratch[points] = start
    first, stones, count = 0, 1, 0
    while first < stones:
        point = scratch[points + first]
        first += 1
        for step in (1, -1, width, -width):
            beside = point + step
            if scratch[beside] == stamp:
                continue
            there = colours[beside]
            if there == EMPTY:
                scratch[beside] = stamp
                scratch[2 * points + count] = beside
                count += 1
                if count >= limit:
                    return count
            elif there == colour:
                scratch[beside] = stamp
                scratch[points + stones] = beside
                stones += 1
    scratch[-2] = stones
    return count


@compiled
def remove_chain(colours: Array, width: int, start: int, removed: Array, count: int) -> int:
    """Take the chain at `start` off; its points are put into `removed` behind the first `count`. Returns how many there are."""
    colour = colours[start]
    colours[start] = EMPTY
    removed[count] = start
    first, count = count, count + 1
    while first < count:
        point = removed[first]
        first += 1
        for step in (1, -1, width, -width):
            if colours[point + step] == colour:
                colours[point + step] = EMPTY
                removed[count] = point + step
                count += 1
    return count


@compiled
def place(colours: Array, width: int, point: int, colour: int, removed: Array, scratch: Array) -> int:
    """Put a stone on the empty `point` and take off what it captures, whose points go into `removed`.

    Returns how many were taken, or -1, and the board as it was, if it would be suicide.
    """
    colours[point] = colour
    taken = 0
    for step in (1, -1, width, -width):
        if colours[point + step] == 3 - colour and count_liberties(colours, width, point + step, 1, scratch) == 0:
            taken = remove_chain(colours, width, point + step, removed, taken)
    if taken == 0 and count_liberties(colours, width, point, 1, scratch) == 0:
        colours[point] = EMPTY
        return -1
    return taken


@compiled
def take_back(colours: Array, point: int, taken: int, removed: Array) -> None:
    """Undo `place`, which took `taken` stones, whose points are in `removed`."""
    other = 3 - colours[point]
    colours[point] = EMPTY
    for index in range(taken):
        colours[removed[index]] = other


@compiled
def ko_after(colours: Array, width: int, point: int, taken: int, removed: Array) -> int:
    """The point that simple ko forbids after `place`, or 0: one stone was taken by one that stands alone in atari."""
    if taken != 1:
        return 0
    for step in (1, -1, width, -width):
        if colours[point + step] == colours[point] or (colours[point + step] == EMPTY and point + step != removed[0]):
            return 0
    return int(removed[0])


@compiled
def play_one(
    size: int, colours: Array, placed: Array, status: Array, past: Array, point: int, removed: Array, scratch: Array
) -> int:
    """`play` in one game; `point` is an entry of its flat arrays, or 0 to pass."""
    width = size + 2
    colour = status[PLAYER]
    taken = 0
    if point == 0:
        status[KO] = 0
        status[PASSES] += 1
    else:
        if colours[point] != EMPTY or point == status[KO]:
            return -1
        taken = place(colours, width, point, colour, removed, scratch)
        if taken < 0:
            return -1
        if past.size and was_there(colours, past, status[MOVES]):
            take_back(colours, point, taken, removed)
            return -1
        placed[point] = status[MOVES]
        status[KO] = ko_after(colours, width, point, taken, removed)
        status[PASSES] = 0
        status[TAKEN_BY_BLACK + colour - 1] += taken
    status[MOVES] += 1
    status[PLAYER] = 3 - colour
    if past.size:
        past[status[MOVES] % past.size] = position_hash(colours)
    return taken


@compiled
def give_turn(status: Array, colour: int) -> None:
    """Let `colour` move next; ko binds only who would have been."""
    if status[PLAYER] != colour:
        status[PLAYER] = colour
        status[KO] = 0


@compiled
def position_hash(colours: Array) -> np.uint64:
    """A number that two positions of the board hardly share."""
    number = np.uint64(0)
    for point in range(colours.size):
        if colours[point] == BLACK or colours[point] == WHITE:
            number ^= _HASHES[colours[point], point]
    return number


@compiled
def is_legal(size: int, colours: Array, status: Array, past: Array, point: int, removed: Array, scratch: Array) -> bool:
    """Whether the player whose turn it is may play at `point`, an entry of the flat arrays."""
    width = size + 2
    colour = status[PLAYER]
    if colours[point] != EMPTY or point == status[KO]:
        return False
    lives, takes = False, False
    for step in (1, -1, width, -width):
        there = colours[point + step]
        if there == EMPTY:
            lives = True
        elif there == colour and not lives:
            lives = count_liberties(colours, width, point + step, 2, scratch) > 1
        elif there == 3 - colour and not takes:
            takes = count_liberties(colours, width, point + step, 2, scratch) == 1
    if not (lives or takes):
        return False
    if past.size == 0:
        return True
    taken = place(colours, width, point, colour, removed, scratch)
    again = was_there(colours, past, status[MOVES])
    take_back(colours, point, taken, removed)
    return not again


@compiled
def is_own_eye(colours: Array, width: int, point: int, colour: int) -> bool:
    """Whether the empty `point` is an eye of `colour`: its stones on all sides, the other's on at most one diagonal, at an
    edge on none.
    """
    for step in (1, -1, width, -width):
        if colours[point + step] != colour and colours[point + step] != BORDER:
            return False
    against, edge = 0, 0
    for step in (width + 1, width - 1, -width + 1, -width - 1):
        against += colours[point + step] == 3 - colour
        edge += colours[point + step] == BORDER
    return against + (edge > 0) < 2


@compiled
def was_there(colours: Array, past: Array, moves: int) -> bool:
    """Whether the position is one of the `moves` + 1 whose hashes are in `past`."""
    number = position_hash(colours)
    for index in range(min(moves + 1, past.size)):  # noqa: SIM110 (numba compiles no generators)
        if past[index] == number:
            return True
    return False
