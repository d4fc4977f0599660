"""Games played to the end at random, many times, to see which stones live and who has more.

Moves are drawn from those that are legal and fill no own eye, until neither side has one. What is still fought over in such
games is undecided; what always ends the same is safe. Source: Brügmann 1993, "Monte Carlo Go".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from convsight.go.board import Games, area, entry_of
from convsight.go.rules import (
    BLACK,
    EMPTY,
    PLAYER,
    Array,
    compiled,
    count_liberties,
    entry,
    is_legal,
    is_own_eye,
    play_one,
    point_of,
    scratch_for,
)

STATUSES = ("alive", "dead", "seki")
_DEAD = -1 / 3  # on average the other side has the chain's points in two games of three


def ownership(games: Games, count: int, *, seed: int = 0) -> NDArray[np.float32]:
    """(G, count, size, size) float32: who has each point at the end of each of `count` games: 1 black, -1 white, 0 nobody."""
    return _finished(games, count, seed)


def lead(komi: float, owned: NDArray[np.float32], colour: int = BLACK) -> tuple[float, float]:
    """By how many points `colour` leads in the first game's ends, `komi` counted, on average, and what part of them it wins."""
    scores = (owned[0].sum((1, 2)) - komi) * (1 if colour == BLACK else -1)
    return float(scores.mean()), float(((scores > 0) + 0.5 * (scores == 0)).mean())


def statuses(games: Games, owned: NDArray[np.float32]) -> dict[str, list[list[int]]]:
    """Of the first game: its chains, each as its points, that are "alive", "dead", or "seki", which is neither."""
    size, colours = games.size, games.colours[0]
    mean = owned[0].mean(0).reshape(-1)
    scratch, width = scratch_for(colours.size), size + 2
    found: dict[str, list[list[int]]] = {status: [] for status in STATUSES}
    known: set[int] = set()
    for point in range(size * size):
        at = entry(size, point)
        if colours[at] == EMPTY or point in known:
            continue
        count_liberties(colours, width, at, size * size, scratch)
        entries = scratch[colours.size : colours.size + scratch[-2]]
        chain = sorted(int(point_of(size, each)) for each in entries)
        known.update(chain)
        own = float(mean[chain].mean()) * (1 if colours[at] == BLACK else -1)
        found["dead" if own < _DEAD else "seki" if own < -_DEAD else "alive"].append(chain)
    return found


def final_score(games: Games, komi: float, owned: NDArray[np.float32]) -> float:
    """Of the first game: black's area less white's and `komi`, after what is dead is taken off."""
    over = games.rows([0])
    for chain in statuses(games, owned)["dead"]:
        over.colours[0, [entry_of(games.size, point) for point in chain]] = EMPTY
    black, white = area(over)[0]
    return float(black) - float(white) - komi


@compiled
def _finished(games: Games, count: int, seed: int) -> Array:
    size, colours, placed, status, _ = games
    points, width = colours.shape[1], size + 2
    np.random.seed(seed)  # noqa: NPY002 (numba's own)
    owned = np.zeros((colours.shape[0], count, size, size), np.float32)
    removed, scratch, past = np.zeros(points, np.int32), scratch_for(points), np.zeros(0, np.uint64)
    for game in range(colours.shape[0]):
        for each in range(count):
            here, when, state = colours[game].copy(), placed[game].copy(), status[game].copy()
            passes = 0
            for _ in range(3 * size * size):
                move, start = 0, np.random.randint(size * size)  # noqa: NPY002
                for offset in range(size * size):
                    point = (start + offset) % (size * size)
                    at = entry(size, point)
                    if (
                        here[at] == EMPTY
                        and not is_own_eye(here, width, at, state[PLAYER])
                        and is_legal(size, here, state, past, at, removed, scratch)
                    ):
                        move = at
                        break
                passes = passes + 1 if move == 0 else 0
                play_one(size, here, when, state, past, move, removed, scratch)
                if passes == 2:
                    break
            for row in range(size):
                for column in range(size):
                    at = entry(size, row * size + column)
                    black, white = here[at] == BLACK, here[at] == 3 - BLACK
                    if here[at] == EMPTY:
                        for step in (1, -1, width, -width):
                            black |= here[at + step] == BLACK
                            white |= here[at + step] == 3 - BLACK
                    owned[game, each, row, column] = 0 if black == white else 1 if black else -1
    return owned
