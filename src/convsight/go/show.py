"""What a filter looks for on a board of Go, and which stones carry a move."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from convsight.activations import read
from convsight.errors import InputError
from convsight.go import board
from convsight.go.board import LONG_AGO, Games
from convsight.go.encode import planes
from convsight.go.model import probabilities
from convsight.go.moves import Moves
from convsight.go.rules import BLACK, EMPTY, KO, WHITE
from convsight.go.samples import positions
from convsight.network import Network

_BATCH = 256


def filters(network: Network) -> NDArray[np.float32]:
    """The part of the first filters that looks at stones: (K, 3, h, w), of own stones, the opponent's, and none.

    Each point has exactly one of the three, so the largest weight at each place is exactly what the filter likes best there.
    """
    first = next(each for each in network.module.modules() if isinstance(each, nn.Conv2d))
    weights: NDArray[np.float32] = first.weight.detach().float().cpu()[:, :3].numpy()
    return weights


@dataclass(frozen=True)
class Excited:
    """A position, and how strongly and where (row, column) a filter answers to it most."""

    games: Games
    response: float
    place: tuple[int, int]


def strongest(
    network: Network, layer: str, unit: int, moves: Moves, *, count: int = 3, sample: int = 2000, seed: int = 0
) -> list[Excited]:
    """The positions that excite `unit` of `layer` most: `count`, each of another game, among `sample` drawn at random.

    Raises InputError as `response` does, or if the games have no moves.
    """
    chosen = moves.samples()
    if not len(chosen):
        raise InputError("there is no move in these games to look at")
    some = np.sort(np.random.default_rng(seed).choice(chosen, min(sample, len(chosen)), replace=False))
    games = positions(moves, some)
    responses = response(network, layer, unit, games)
    best = responses.flatten(1).max(1).values
    origin = np.searchsorted(moves.first, some, "right")
    found: list[Excited] = []
    taken: set[int] = set()
    for index in best.argsort(descending=True).tolist():
        if int(origin[index]) not in taken and len(found) < count:
            taken.add(int(origin[index]))
            place = divmod(int(responses[index].argmax()), games.size)
            found.append(Excited(games.rows([index]), float(best[index]), place))
    return found


def climbed(network: Network, layer: str, unit: int, start: Excited, *, steps: int = 40) -> Excited:
    """`start`, changed one point at a time, always the one that excites the filter most at its place, until none does more.

    A change puts a stone of either colour, or takes one off, where every chain keeps a liberty. The stones that are put count
    as laid long ago. All changes within what the filter sees are tried at each step, so the climb is exact.
    Raises InputError as `response` does.
    """
    (row, column), size = start.place, start.games.size
    top, left, bottom, right = seen(network, layer, start.place)
    within = [board.entry_of(size, r * size + c) for r in range(top, bottom + 1) for c in range(left, right + 1)]
    games, best = start.games, start.response
    for _ in range(steps):
        changed = [(entry, colour) for entry in within for colour in (EMPTY, BLACK, WHITE) if games.colours[0, entry] != colour]
        tried = games.rows([0] * len(changed))
        index = np.arange(len(changed))
        entries, colours = np.array(changed).T
        tried.colours[index, entries] = colours
        tried.placed[index, entries] = LONG_AGO
        tried.status[:, KO] = 0
        lives = ~((tried.board() != EMPTY) & (board.liberties(tried) == 0)).any((1, 2))
        if not lives.any():
            break
        tried = tried.rows(index[lives].tolist())
        answers = response(network, layer, unit, tried)[:, row, column]
        if float(answers.max()) <= best:
            break
        best = float(answers.max())
        games = tried.rows([int(answers.argmax())])
    return Excited(games, best, start.place)


def seen(network: Network, layer: str, place: tuple[int, int]) -> tuple[int, int, int, int]:
    """Rows and columns (top, left, bottom, right; the ends too) that a filter of `layer` sees at `place`."""
    size, (row, column) = network.input.shape[1], place
    found = re.fullmatch(r"conv(\d+)(_relu)?", layer)
    before = network.architecture.convolutions[: int(found[1])] if found and network.architecture else ()
    rows, columns = (sum(each.slides[axis] - 1 for each in before) // 2 if before else size for axis in ("row", "column"))
    return max(0, row - rows), max(0, column - columns), min(size - 1, row + rows), min(size - 1, column + columns)


@torch.no_grad()
def response(network: Network, layer: str, unit: int, games: Games) -> Tensor:
    """(G, size, size) how strongly the filter `unit` of `layer` answers at each point. Raises InputError if it makes no map."""
    network.module.eval()
    count = network.input.shape[0]
    answers = []
    with read(network.module, [layer], precision=torch.float32) as activations_of:
        for start in range(0, len(games.colours), _BATCH):
            given = torch.from_numpy(planes(games.rows(slice(start, start + _BATCH)), count)).to(network.device).float()
            maps = activations_of(given)[layer]
            if maps.dim() != 4 or maps.shape[-2:] != given.shape[-2:]:
                raise InputError(f'layer "{layer}" puts out no map of the board')
            if not 0 <= unit < maps.shape[1]:
                raise InputError(
                    f'layer "{layer}" has no unit {unit}: it has {maps.shape[1]}, numbered 0 to {maps.shape[1] - 1}'
                )
            answers.append(maps[:, unit].cpu())
    return torch.cat(answers)


def carrying(network: Network, games: Games, point: int) -> dict[int, float]:
    """For each stone of the first game, by how much the log probability of a move at `point` falls without it.

    Taking one off leaves ko and the other stones as they are; no chain loses a liberty by it.
    Source: occlusion, Zeiler, Fergus 2014, section 4.2.
    """
    size = games.size
    stones = [each for each in range(size * size) if games.board()[0].flat[each] != EMPTY]
    if not stones:
        return {}
    without = games.rows([0] * (len(stones) + 1))
    for index, each in enumerate(stones):
        without.colours[index, board.entry_of(size, each)] = EMPTY
    chances = probabilities(network, torch.from_numpy(planes(without, network.input.shape[0])))[:, point].log().cpu()
    return {each: float(chances[-1] - chances[index]) for index, each in enumerate(stones)}
