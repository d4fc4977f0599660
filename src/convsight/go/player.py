"""A player of Go: the network's move, and the few things that a network which only foretells moves doesn't know."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from convsight.go import board
from convsight.go.board import Games
from convsight.go.encode import SENSIBLE, planes
from convsight.go.model import probabilities
from convsight.go.playout import lead, ownership
from convsight.go.rules import PASSES, PLAYER
from convsight.network import Network

RESIGN = -1
FORESEEN = 60  # moves
_OUTCOMES, _OUTCOME_TEMPERATURE = 16, 0.5


@dataclass(frozen=True)
class Player:
    """How to choose a move.

    `temperature`: 0 plays the network's first move always, 1 draws moves as often as it expects them. `symmetric`: ask for the
    board in all eight symmetries and take the mean. `resign`: give up when games from here (`outcome`) are won less often;
    0 is never. `komi` is in favour of white.
    """

    network: Network
    temperature: float = 0.0
    symmetric: bool = False
    resign: float = 0.0
    komi: float = 7.5

    def prior(self, games: Games) -> NDArray[np.float32]:
        """(G, size^2) float32: how likely the network holds each move, 0 where a move is not legal or fills an own eye."""
        given = planes(games)
        count = self.network.input.shape[0]
        answers = probabilities(self.network, torch.from_numpy(given[:, :count]), symmetric=self.symmetric)
        sensible = given[:, SENSIBLE].reshape(len(given), -1)
        masked = answers.cpu().numpy() * sensible
        return np.asarray(masked / np.maximum(masked.sum(1, keepdims=True), 1e-30), np.float32)

    def choose(self, games: Games, random: np.random.Generator, avoided: Collection[int] = ()) -> int:
        """A point for the first game's player, none of those `avoided`, size^2 to pass, or RESIGN.

        It passes if there is no sensible move, or if the other side passed and it leads in the games of `outcome`, or wins
        none of them.
        """
        size = games.size
        moves = self.prior(games)[0]
        moves[list(avoided)] = 0
        if not moves.any():
            return size * size
        if games.status[0, PASSES] or self.resign:
            ahead, wins = lead(self.komi, self.outcome(games), games.status[0, PLAYER])
            if games.status[0, PASSES] and (ahead > 0 or wins == 0):
                return size * size
            if wins < self.resign:
                return RESIGN
        if self.temperature == 0:
            return int(moves.argmax())
        return int(drawn(moves[None], self.temperature, random)[0])

    def outcome(self, games: Games, *, foreseen: int = FORESEEN, stop: Callable[[], bool] = bool) -> NDArray[np.float32]:
        """(1, games, size, size): who has each point of the first game at the end, as in `playout.ownership`.

        The network plays both sides for `foreseen` moves, or until `stop()`, which settles what a player sees to be settled,
        and chance the rest. The same position has the same outcome always.
        """
        many, random = games.rows([0] * _OUTCOMES), np.random.default_rng(0)
        quick = replace(self, symmetric=False)
        for _ in range(foreseen):
            if stop():
                break
            prior = quick.prior(many)
            points = np.where(prior.any(1), drawn(prior, _OUTCOME_TEMPERATURE, random), games.size**2)
            board.play(many, points)
            if not prior.any():
                break
        return ownership(many, 1).reshape(1, _OUTCOMES, games.size, games.size)


def drawn(prior: NDArray[np.float32], temperature: float, random: np.random.Generator) -> NDArray[np.int64]:
    """A point for each game, drawn by `prior` (G, size^2), sharper or flatter by `temperature`, over 0; where all is 0, any."""
    weights = (prior.astype(np.float64) / np.maximum(prior.max(1, keepdims=True), 1e-30)) ** (1 / temperature)
    below = weights.cumsum(1)
    return np.asarray((random.random((len(prior), 1)) * below[:, -1:] >= below).sum(1).clip(max=prior.shape[1] - 1))
