"""Pictures of what a network sees on boards, which notebooks show, with the figures that they show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convsight.errors import InputError
from convsight.go import draw, samples, sgf, show
from convsight.go.moves import Moves
from convsight.go.player import Player
from convsight.go.show import Excited
from convsight.network import Network
from convsight.pictures import View


@dataclass(frozen=True)
class Suggestion(View):
    """`prior`: (n * n,), how likely each point is. `best`: at most eight points, the likeliest first.

    `carried`: by how much the log probability of a move at `point` falls without each stone; empty if nobody asked why.
    """

    prior: NDArray[np.float32]
    best: list[int]
    point: int
    carried: dict[int, float]


@dataclass(frozen=True)
class Climbs(View):
    """`found`: positions from games that excite a filter; `climbed`: what became of each."""

    found: list[Excited]
    climbed: list[Excited]


def suggestion(
    network: Network, record: sgf.Record, number: int, *, why: str | None = None, symmetric: bool = False
) -> Suggestion:
    """What `network` expects as move `number`, from 1, of `record`.

    With `why`, a point such as "D4" or "best", the stones that carry that move are drawn beside it.
    Raises InputError if the board is of another size, the game is not so long, no move is sensible, or `why` is no empty point.
    """
    size, name = network.input.shape[1], record.source or "the game"
    record.check_size(size)
    if not 1 <= number <= len(record.moves) + 1:
        raise InputError(f"{name} has {len(record.moves)} moves; the move is from 1 to {len(record.moves) + 1}, not {number}")
    position = samples.position(record, number)
    prior = Player(network, symmetric=symmetric).prior(position)[0]
    best = [int(each) for each in prior.argsort()[::-1][:8] if prior[each] > 0]
    if not best:
        raise InputError(f"before move {number} of {name} there is no sensible move; pass")
    board, last = position.board()[0], record.moves[number - 2][1] if number > 1 else None
    pictures, point, carried = [draw.expected(board, prior, last=last)], best[0], {}
    if why:
        point = best[0] if why == "best" else sgf.of_name(why, size)
        if point >= size * size or board.flat[point]:
            raise InputError(f'the move to explain is an empty point or "best", not {why}')
        carried = show.carrying(network, position, point)
        pictures.append(draw.carrying(board, carried, point, last=last))
    return Suggestion(draw.side_by_side(pictures, columns=len(pictures)), prior, best, point, carried)


def filters(network: Network) -> View:
    """The first filters as patterns of stones: black is own, white the opponent's, blue an empty point."""
    patterns = [draw.pattern(each) for each in show.filters(network)]
    return View(draw.side_by_side(patterns, columns=max(1, round(len(patterns) ** 0.5))))


def climbs(
    network: Network,
    layer: str,
    unit: int,
    moves: Moves,
    *,
    seed: int = 0,
    on_climb: Callable[[int, int, float, float], None] | None = None,
) -> Climbs:
    """Left the positions among `moves` that excite `unit` of `layer` most, right what they climbed to.

    `on_climb(done, all, response before, response after)` is called after each. Raises InputError as `show.response` does.
    """
    found = show.strongest(network, layer, unit, moves, seed=seed)
    pictures, climbed = [], []
    for each in found:
        more = show.climbed(network, layer, unit, each)
        climbed.append(more)
        pictures += draw.climb(each.games.board()[0], more.games.board()[0], show.seen(network, layer, each.place))
        if on_climb:
            on_climb(len(climbed), len(found), each.response, more.response)
    return Climbs(draw.side_by_side(pictures, columns=2), found, climbed)
