"""Positions from moves: a game played to any of its moves, as a board or encoded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convsight.cores import cores, shares
from convsight.errors import InputError
from convsight.go import sgf
from convsight.go.board import LONG_AGO, Games, new
from convsight.go.encode import encode_one
from convsight.go.ladder import trail_for_reading
from convsight.go.moves import Moves, of_records
from convsight.go.rules import BLACK, BORDER, EMPTY, PLAYER, Array, compiled, entry, give_turn, play_one, scratch_for


def encoded(
    moves: Moves, chosen: NDArray[np.int32], count: int, symmetries: NDArray[np.int8] | None = None
) -> tuple[Tensor, Tensor]:
    """The positions before the moves `chosen` (B,), and what was played: (B, count, size, size) uint8 and (B,) int64.

    Each is turned or mirrored by its of `symmetries` (B,), 0 to 7, 0 for not. Several threads share the work.
    """
    answers = np.zeros((len(chosen), count, moves.size, moves.size), np.uint8)
    targets = np.zeros(len(chosen), np.int64)
    symmetries = np.zeros(len(chosen), np.int8) if symmetries is None else symmetries
    table = symmetry_table(moves.size)
    with ThreadPoolExecutor(cores()) as pool:
        parts = [
            pool.submit(_encode, moves, chosen[low:high], symmetries[low:high], table, answers[low:high], targets[low:high])
            for low, high in shares(len(chosen), cores())
        ]
        for part in parts:
            part.result()
    return torch.from_numpy(answers), torch.from_numpy(targets)


def positions(moves: Moves, chosen: NDArray[np.int32]) -> Games:
    """The boards before the moves `chosen` (G,), with the player of that move to play."""
    games = new(len(chosen), moves.size)
    _positions(moves, chosen, games.colours, games.placed, games.status, games.past)
    return games


def position(record: sgf.Record, number: int) -> Games:
    """The board before move `number` of `record`, from 1, or after its last. Raises InputError if a move is forbidden."""
    to_play = (record.to_play(number), record.size**2)
    cut = of_records([replace(record, moves=(*record.moves[: number - 1], to_play))], record.size)
    allowed = legal_moves(cut)[0]
    if allowed < number - 1:
        raise InputError(f"{record.source or 'this record'}: the rules forbid its move {allowed + 1}")
    return positions(cut, np.array([number - 1], np.int32))


def symmetry_table(size: int) -> NDArray[np.int16]:
    """(8, size^2 + 1) int16: where each turning and mirroring of the board moves a point; passes stay passes."""
    rows, columns = np.divmod(np.arange(size * size), size)
    back = size - 1
    turned = [
        (row, column)
        for first, second in ((rows, columns), (columns, rows))
        for row in (first, back - first)
        for column in (second, back - second)
    ]
    table = np.stack([row * size + column for row, column in turned])
    return np.concatenate([table, np.full((8, 1), size * size)], 1).astype(np.int16)


@compiled
def legal_moves(moves: Moves) -> Array:
    """Of each game how many moves the rules allow before one that they don't: (N,) int64."""
    colours, placed, status, past, removed, scratch = _room(moves.size)
    unturned = np.arange(moves.size * moves.size + 1)
    answers = np.zeros(moves.first.size - 1, np.int64)
    for game in range(answers.size):
        _begin(moves, game, unturned, colours, placed, status)
        for index in range(moves.first[game], moves.first[game + 1]):
            give_turn(status, moves.colours[index])
            point = entry(moves.size, moves.points[index])
            if play_one(moves.size, colours, placed, status, past, point, removed, scratch) < 0:
                break
            answers[game] += 1
    return answers


@compiled
def _encode(moves: Moves, chosen: Array, symmetries: Array, table: Array, answers: Array, targets: Array) -> None:
    colours, placed, status, past, removed, scratch = _room(moves.size)
    trail = trail_for_reading()
    for sample in range(chosen.size):
        turned = table[symmetries[sample]]
        _play_to(moves, chosen[sample], turned, colours, placed, status, past, removed, scratch)
        targets[sample] = turned[moves.points[chosen[sample]]]
        encode_one(moves.size, colours, placed, status, past, answers[sample], scratch, trail)


@compiled
def _positions(moves: Moves, chosen: Array, colours: Array, placed: Array, status: Array, past: Array) -> None:
    unturned = np.arange(moves.size * moves.size + 1)
    removed, scratch = np.zeros(colours.shape[1], np.int32), scratch_for(colours.shape[1])
    for row in range(chosen.size):
        _play_to(moves, chosen[row], unturned, colours[row], placed[row], status[row], past[row], removed, scratch)


@compiled
def _play_to(
    moves: Moves, last: int, turned: Array, colours: Array, placed: Array, status: Array, past: Array, removed: Array,
    scratch: Array,
) -> None:  # fmt: skip
    """The game that has the move `last`, up to before it, each point where `turned` puts it."""
    game = int(np.searchsorted(moves.first, last, "right")) - 1
    _begin(moves, game, turned, colours, placed, status)
    for index in range(moves.first[game], last):
        give_turn(status, moves.colours[index])
        point = entry(moves.size, turned[moves.points[index]])
        play_one(moves.size, colours, placed, status, past, point, removed, scratch)
    give_turn(status, moves.colours[last])


@compiled
def _begin(moves: Moves, game: int, turned: Array, colours: Array, placed: Array, status: Array) -> None:
    size, width = moves.size, moves.size + 2
    colours[:] = BORDER
    for row in range(1, size + 1):
        colours[row * width + 1 : row * width + size + 1] = EMPTY
    placed[:] = LONG_AGO
    status[:] = 0
    status[PLAYER] = BLACK
    for index in range(moves.first_stone[game], moves.first_stone[game + 1]):
        colours[entry(size, turned[moves.stones[index]])] = moves.stone_colours[index]


@compiled
def _room(size: int) -> tuple[Array, Array, Array, Array, Array, Array]:
    points = (size + 2) * (size + 2)
    return (
        np.zeros(points, np.int8), np.zeros(points, np.int16), np.zeros(6, np.int32), np.zeros(0, np.uint64),
        np.zeros(points, np.int32), scratch_for(points),
    )  # fmt: skip
