"""Game records to samples: all moves of all games in a few arrays, and positions made from them when they are asked for.

A move takes three bytes, ten million moves thirty megabytes, so nothing is encoded ahead. A sample is any move of any game: the
game is played to there and encoded. So samples may come in any order, and a training that was interrupted goes on exactly.
"""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from convsight.errors import InputError, first_line
from convsight.go import sgf
from convsight.go.board import LONG_AGO
from convsight.go.encode import COUNTS, encode_one
from convsight.go.ladder import trail_for_reading
from convsight.go.rules import BLACK, BORDER, EMPTY, KO, PLAYER, Array, compiled, play_one, scratch_for

_AT_ONCE = 500


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


@dataclass
class Report:
    """What became of the records: how many were taken, of these ended early, how many left out, and why, with examples."""

    games: int = 0
    moves: int = 0
    ended_early: int = 0
    left_out: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


def load(paths: Iterable[Path], size: int = 19, *, on_game: Callable[[int], None] | None = None) -> tuple[Moves, Report]:
    """The games on boards of `size` in `paths`, and what became of the others.

    From a move on that the rules forbid, or that is off the board, a game is left out. Records are read in several processes.
    `on_game(count)` is called now and then. Raises InputError as `sgf.texts` does, or if there is no game at all.
    """
    report, parts = Report(), []
    for part, news in _parsed(sgf.texts(paths), size):
        parts.append(part)
        report.games += news.games
        report.moves += news.moves
        report.ended_early += news.ended_early
        report.left_out += news.left_out
        report.reasons += news.reasons
        report.examples = (report.examples + news.examples)[:5]
        if on_game is not None:
            on_game(report.games + report.left_out)
    if not report.games:
        raise InputError(f"there is no game on {size} lines among them{': ' + report.examples[0] if report.examples else ''}")
    return _joined(parts), report


def _parsed(texts: Iterator[tuple[str, bytes]], size: int) -> Iterator[tuple[Moves, Report]]:
    first = list(islice(texts, _AT_ONCE))
    yield _parse(first, size)
    second = list(islice(texts, _AT_ONCE))
    if not second:
        return
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        waiting = deque([pool.submit(_parse, second, size)])
        while waiting:
            while len(waiting) < 3 * (os.cpu_count() or 1) and (some := list(islice(texts, _AT_ONCE))):
                waiting.append(pool.submit(_parse, some, size))
            yield waiting.popleft().result()


def _parse(texts: Sequence[tuple[str, bytes]], size: int) -> tuple[Moves, Report]:
    report = Report()
    records: list[sgf.Record] = []

    def note(source: str, problem: str) -> None:
        report.reasons[problem] += 1
        report.examples.append(f"{source}: {problem}")

    for source, text in texts:
        try:
            record = sgf.read(text, source)
        except InputError as error:
            report.left_out += 1
            note(source, first_line(error).removeprefix(f"{source}: "))
            continue
        if record.size != size:
            report.left_out += 1
            note(source, f"a board of {record.size} lines, not {size}")
            continue
        records.append(record)
    moves = of_records(records, size)
    whole = _legal_moves(moves)
    for game, record in enumerate(records):
        early = whole[game] < len(record.moves)
        report.ended_early += early or bool(record.cut)
        if early:
            note(record.source, "a move that the rules forbid")
        elif record.cut:
            note(record.source, record.cut.partition(": ")[2])
    kept = _joined([moves], whole)
    report.games, report.moves = len(kept), len(kept.points)
    return kept, report


def of_records(records: Sequence[sgf.Record], size: int) -> Moves:
    """The arrays of `records`, all on boards of `size`."""
    points = np.array([point for each in records for _, point in each.moves], np.int16)
    colours = np.array([colour for each in records for colour, _ in each.moves], np.int8)
    stones = np.array([point for each in records for _, point in each.stones], np.int16)
    stone_colours = np.array([colour for each in records for colour, _ in each.stones], np.int8)
    first, first_stone = (np.cumsum([0, *map(len, each)]) for each in ([r.moves for r in records], [r.stones for r in records]))
    return Moves(size, points, colours, first, stones, stone_colours, first_stone)


def _joined(parts: Sequence[Moves], lengths: NDArray[np.int64] | None = None) -> Moves:
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


def encoded(
    moves: Moves, chosen: NDArray[np.int32], count: int, symmetries: NDArray[np.int8] | None = None
) -> tuple[Tensor, Tensor]:
    """The positions before the moves `chosen` (B,), and what was played: (B, count, size, size) uint8 and (B,) int64.

    Each is turned or mirrored by its of `symmetries` (B,), 0 to 7, 0 for not. Several threads share the work.
    """
    assert count in COUNTS
    answers = np.zeros((len(chosen), count, moves.size, moves.size), np.uint8)
    targets = np.zeros(len(chosen), np.int64)
    symmetries = np.zeros(len(chosen), np.int8) if symmetries is None else symmetries
    table = symmetry_table(moves.size)
    threads = os.cpu_count() or 1
    bounds = [len(chosen) * each // threads for each in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        parts = [
            pool.submit(_encode, moves, chosen[low:high], symmetries[low:high], table, answers[low:high], targets[low:high])
            for low, high in pairwise(bounds)
        ]
        for part in parts:
            part.result()
    return torch.from_numpy(answers), torch.from_numpy(targets)


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
def _legal_moves(moves: Moves) -> Array:
    """Of each game how many moves the rules allow before one that they don't."""
    size, points, players, first, stones, stone_colours, first_stone = moves
    colours, placed, status, past, removed, scratch = _empty(size)
    answers = np.zeros(first.size - 1, np.int64)
    for game in range(first.size - 1):
        _set_up(size, colours, placed, status, stones, stone_colours, first_stone[game], first_stone[game + 1])
        for index in range(first[game], first[game + 1]):
            status[PLAYER] = players[index]
            if play_one(size, colours, placed, status, past, _entry(size, points[index]), removed, scratch) < 0:
                break
            answers[game] += 1
    return answers


@compiled
def _encode(moves: Moves, chosen: Array, symmetries: Array, table: Array, answers: Array, targets: Array) -> None:
    size, points, players, first, stones, stone_colours, first_stone = moves
    colours, placed, status, past, removed, scratch = _empty(size)
    trail = trail_for_reading()
    for sample in range(chosen.size):
        game = np.searchsorted(first, chosen[sample], "right") - 1
        turned = table[symmetries[sample]]
        low, high = first_stone[game], first_stone[game + 1]
        _set_up(size, colours, placed, status, turned[stones[low:high]], stone_colours[low:high], 0, high - low)
        for index in range(first[game], chosen[sample]):
            status[PLAYER] = players[index]
            play_one(size, colours, placed, status, past, _entry(size, turned[points[index]]), removed, scratch)
        if status[PLAYER] != players[chosen[sample]]:
            status[KO] = 0
        status[PLAYER] = players[chosen[sample]]
        targets[sample] = turned[points[chosen[sample]]]
        encode_one(size, colours, placed, status, past, answers[sample], scratch, trail)


@compiled
def _empty(size: int) -> tuple[Array, Array, Array, Array, Array, Array]:
    points = (size + 2) * (size + 2)
    return (
        np.zeros(points, np.int8), np.zeros(points, np.int16), np.zeros(6, np.int32), np.zeros(0, np.uint64),
        np.zeros(points, np.int32), scratch_for(points),
    )  # fmt: skip


@compiled
def _set_up(
    size: int, colours: Array, placed: Array, status: Array, stones: Array, stone_colours: Array, low: int, high: int
) -> None:
    width = size + 2
    colours[:] = BORDER
    for row in range(1, size + 1):
        colours[row * width + 1 : row * width + size + 1] = EMPTY
    placed[:] = LONG_AGO
    status[:] = 0
    status[PLAYER] = BLACK
    for index in range(low, high):
        colours[_entry(size, stones[index])] = stone_colours[index]


@compiled
def _entry(size: int, point: int) -> int:
    return 0 if point == size * size else (point // size + 1) * (size + 2) + point % size + 1
