"""Many games between two policy networks at once: what self-play learns from, and is judged by.

All games take a move at a time together: both networks are asked once for all boards on which they are to move, and boards are
encoded on all cores.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convsight.cores import cores, shares
from convsight.errors import InputError
from convsight.go import board
from convsight.go.board import Games
from convsight.go.encode import SENSIBLE, planes
from convsight.go.int8 import Integers, possible
from convsight.go.model import answers
from convsight.go.moves import Moves
from convsight.go.player import drawn
from convsight.go.playout import ownership
from convsight.go.rules import BLACK, PASSES, PLAYER, WHITE, Array
from convsight.network import Network

LONGEST = 3  # moves a point, then the area counts as it is
AT_ONCE = 512  # positions that go through a network together
_CHANCE_GAMES, _ASKED_EVERY = 8, 9  # by an odd number of moves, so that both sides are asked in turn
_TO_THE_END = 10  # one pair of games in so many
_PARTS = 16  # that chance plays in; their number doesn't depend on the machine, as what it draws does on theirs


@dataclass(frozen=True)
class Duel:
    """How G games went.

    `outcome`: (G,) float32, 1 where the first network won, -1 where it lost, 0 for a draw. `black`: (G,) bool, whether it had
    black. `moves`: the games. `resigned`: (G,) bool. `hopeless`: (G,) bool, those played to the end although a side would have
    given up, and `mistaken`: (G,) bool, those of them that it won.
    """

    outcome: NDArray[np.float32]
    black: NDArray[np.bool_]
    moves: Moves
    resigned: NDArray[np.bool_]
    hopeless: NDArray[np.bool_]
    mistaken: NDArray[np.bool_]

    @property
    def wins(self) -> float:
        """Of the first network, a draw as half of one."""
        return float((self.outcome + 1).sum() / 2)

    def own(self) -> NDArray[np.int32]:
        """Which of `moves` the first network chose."""
        samples = self.moves.samples()
        colour = np.where(self.black, BLACK, WHITE).repeat(np.diff(self.moves.first))
        return np.asarray(samples[self.moves.colours[samples] == colour[samples]], np.int32)


def duel(
    first: Network,
    second: Network,
    count: int,
    *,
    komi: float = 7.5,
    temperature: float = 1.0,
    resign: bool = True,
    seed: int = 0,
) -> Duel:
    """Let two networks play `count` games, the first with black in every other one.

    Moves are drawn as often as the networks expect them, at a lower `temperature` more sharply. A game ends when neither side
    has a sensible move left, or after three moves a point; then the area is counted as it lies. Nobody may pass before, so a
    side breaks its own seki if it has nothing else. With `resign`, a side gives up when it loses all of eight games that chance
    plays from there; two games in twenty are played to the end nonetheless, which tells how often giving up is a mistake
    (Silver et al. 2017, Nature 550, Methods, "Self-play").

    Raises InputError if a network's answers are not finite.
    """
    size, random = first.input.shape[1], np.random.default_rng(seed)
    games, ids = board.new(count, size), np.arange(count)
    black = ids % 2 == 0
    record = np.full((count, LONGEST * size * size), -1, np.int16)
    score, loser = np.zeros(count), np.zeros(count, np.int8)  # who was seen to have lost, first
    resigned = np.zeros(count, np.bool_)
    own, others = _answering(first), _answering(second)
    with ThreadPoolExecutor(cores()) as pool:
        for number in range(LONGEST * size * size):
            encoded = _in_parts(pool, planes, games, cores())
            points = np.full(len(ids), size * size)
            own_turn = black[ids] == (number % 2 == 0)
            for answering, asked in ((own, own_turn), (others, ~own_turn)):
                if asked.any():
                    points[asked] = _chosen(answering, encoded[asked], temperature, random)
            captured = board.play(games, points)
            assert (captured >= 0).all()
            record[ids, number] = points
            over = games.status[:, PASSES] == 2
            if resign and number >= size * size // 3 and number % _ASKED_EVERY == 0:
                all_lost = _in_parts(pool, _lost(komi, int(random.integers(2**31))), games, _PARTS)
                lost = all_lost & (loser[ids] == 0) & ~over
                loser[ids[lost]] = games.status[lost, PLAYER]
                resigned[ids[lost & (ids // 2 % _TO_THE_END > 0)]] = True
            if number == LONGEST * size * size - 1:
                over[:] = True
            if over.any():
                score[ids[over]] = board.area(games.rows(np.flatnonzero(over).tolist())) @ (1, -1) - komi
            stay = np.flatnonzero(~over & ~resigned[ids])
            if len(stay) < len(ids):
                games, ids = games.rows(stay.tolist()), ids[stay]
            if not len(ids):
                break
    score[resigned] = np.where(loser[resigned] == BLACK, -1, 1)
    hopeless = (loser > 0) & ~resigned
    return Duel(
        (np.sign(score) * np.where(black, 1, -1)).astype(np.float32), black, _moves(record, size), resigned,
        hopeless, hopeless & (np.sign(score) == np.where(loser == BLACK, 1, -1)),
    )  # fmt: skip


def sensible(answered: Tensor, positions: Tensor) -> Tensor:
    """`answered` (B, points) float32 before softmax, -1e9 where a move isn't sensible on `positions` (B, 48, size, size)."""
    return answered.masked_fill(positions[:, SENSIBLE].flatten(1).to(answered.device) == 0, -1e9)


def _answering(network: Network) -> Callable[[Tensor], Tensor]:
    """What `model.answers` gives, in integers where that is faster."""
    return Integers(network) if possible(network) else partial(answers, network)


def _in_parts(pool: ThreadPoolExecutor, work: Callable[[Games], Array], games: Games, parts: int) -> Array:
    """`work` on all games, in so many parts on all cores, joined."""
    count = len(games.colours)
    return np.concatenate(list(pool.map(lambda part: work(games.rows(slice(*part))), shares(count, min(count, parts)))))


def _chosen(
    answering: Callable[[Tensor], Tensor], encoded: NDArray[np.uint8], temperature: float, random: np.random.Generator
) -> NDArray[np.int64]:
    """A sensible point for each board, drawn as often as the network expects it, or the pass."""
    with torch.no_grad():
        given = torch.split(torch.from_numpy(encoded), AT_ONCE)
        prior = torch.cat([sensible(answering(each), each).softmax(1) for each in given]).cpu().numpy()
    if not np.isfinite(prior).all():
        raise InputError("the network's answers became infinite or undefined; learn at a smaller rate")
    return np.where(encoded[:, SENSIBLE].any((1, 2)), drawn(prior, temperature, random), prior.shape[1])


def _lost(komi: float, seed: int) -> Callable[[Games], NDArray[np.bool_]]:
    """Of each game whether who is to move loses all of some games that chance plays from there."""

    def work(games: Games) -> NDArray[np.bool_]:
        scores = ownership(games, _CHANCE_GAMES, seed=seed).sum((2, 3)) - komi
        own = np.where(games.status[:, PLAYER] == BLACK, 1, -1)[:, None]
        return np.asarray((scores * own < 0).all(1))

    return work


def _moves(record: NDArray[np.int16], size: int) -> Moves:
    """Games from (G, N) points, -1 behind the last move of each."""
    played = record >= 0
    colours = np.broadcast_to(np.where(np.arange(record.shape[1]) % 2 == 0, BLACK, WHITE), record.shape)
    none, first = np.zeros(0, np.int8), np.zeros(len(record) + 1, np.int64)
    first[1:] = played.sum(1).cumsum()
    return Moves(
        size, record[played], colours[played].astype(np.int8), first, none.astype(np.int16), none, np.zeros_like(first)
    )
