"""A game as a network sees it: how likely it held each move that was played, and which it held least likely."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from convsight.errors import InputError
from convsight.go import model, sgf
from convsight.go.match import NAMES
from convsight.go.moves import of_records
from convsight.go.player import Player
from convsight.go.rules import BLACK, WHITE
from convsight.go.samples import legal_moves, positions
from convsight.go.sgf import Note, Record
from convsight.network import Network

SURPRISES = 6
_BATCH = 256
_LETTERS = "ABC"
_OPENING, _MIDDLE = 50, 150  # the moves with which they end, on 19 lines


@dataclass(frozen=True)
class Reviewed:
    """A move, its `number` from 1, and `prior` (n * n,): how likely the network held each point before it."""

    number: int
    colour: int
    point: int
    prior: NDArray[np.float32]

    @property
    def probability(self) -> float:
        """How likely the network held it; 0 if it fills an own eye."""
        return float(self.prior[self.point])

    @property
    def rank(self) -> int:
        """1 for the network's first choice."""
        return 1 + int((self.prior > self.prior[self.point]).sum())

    @property
    def best(self) -> list[int]:
        """The points that the network held likeliest, at most three."""
        return [int(each) for each in self.prior.argsort()[::-1][: len(_LETTERS)] if self.prior[each] > 0]


@dataclass(frozen=True)
class Review:
    """The moves of `record`, passes left out, and those of them, of `colour` or both, that the network held least likely.

    The least likely comes first.
    """

    record: Record
    moves: tuple[Reviewed, ...]
    surprises: tuple[Reviewed, ...]
    colour: int | None = None

    def parts(self) -> dict[str, list[Reviewed]]:
        """The moves, all, by colour and by phase, under their names; none is empty. On small boards phases are shorter."""
        opening, middle = (round(each * self.record.size**2 / 361) for each in (_OPENING, _MIDDLE))
        parts = {
            "all moves": list(self.moves),
            "black": [each for each in self.moves if each.colour == BLACK],
            "white": [each for each in self.moves if each.colour == WHITE],
            f"moves 1 to {opening}": [each for each in self.moves if each.number <= opening],
            f"moves {opening + 1} to {middle}": [each for each in self.moves if opening < each.number <= middle],
            f"moves from {middle + 1}": [each for each in self.moves if each.number > middle],
        }
        return {name: part for name, part in parts.items() if part}


def review(
    network: Network,
    record: Record,
    *,
    colour: int | None = None,
    symmetric: bool = False,
    on_move: Callable[[int], None] | None = None,
) -> Review:
    """What `network` expected before each move of `record`, up to one that the rules forbid; surprises of `colour`, or of both.

    The network's first choice is never a surprise. `on_move(done)` is called after each batch of positions.
    Raises InputError if the board is of another size or there is no move.
    """
    record.check_size(network.input.shape[1])
    allowed = int(legal_moves(of_records([record], record.size))[0])
    if allowed < len(record.moves):
        record = replace(record, moves=record.moves[:allowed], cut=f"after move {allowed}: the rules forbid the next one")
    known = of_records([record], record.size)
    chosen = known.samples()
    if not len(chosen):
        raise InputError(f"{record.source or 'the game'} has no move to review{': ' if record.cut else ''}{record.cut}")
    network.module.eval()
    player = Player(network, symmetric=symmetric)
    moves: list[Reviewed] = []
    for start in range(0, len(chosen), _BATCH):
        some = chosen[start : start + _BATCH]
        for index, prior in zip(some.tolist(), player.prior(positions(known, some)), strict=True):
            played_by, point = record.moves[index]
            moves.append(Reviewed(index + 1, played_by, point, prior))
        if on_move:
            on_move(len(moves))
    unexpected = [each for each in moves if each.rank > 1 and colour in (None, each.colour)]
    return Review(record, tuple(moves), tuple(sorted(unexpected, key=lambda each: each.probability)[:SURPRISES]), colour)


def agreement(moves: Sequence[Reviewed]) -> model.Score:
    """How well the network foretold `moves`, at least one."""
    ranks, chances = torch.tensor([each.rank - 1 for each in moves]), torch.tensor([each.probability for each in moves])
    return model.score(ranks, chances)


def notes(found: Review) -> dict[int, Note]:
    """What `sgf.annotated` writes into the record: figures at each position, and the network's move beside each surprise."""
    size, surprises, parts = found.record.size, {each.number for each in found.surprises}, found.parts()
    comments: dict[int, list[str]] = {0: ["How a network foretold the moves (convsight go review)."]}
    for name in ("all moves", "black", "white"):
        if name in parts:
            score = agreement(parts[name])
            comments[0].append(
                f"{name.capitalize()}: {score.first:.0%} its first choice, {score.five:.0%} among its first five."
            )
    letters: dict[int, dict[int, str]] = {}
    instead: dict[int, tuple[int, int, str]] = {}
    for each in found.moves:
        name, best, before = NAMES[each.colour].capitalize(), each.best, each.number - 1
        letters[before] = dict(zip(best, _LETTERS, strict=False))
        told = [f"{letter} {_likely(each, point, size)}" for point, letter in letters[before].items()]
        if told:
            comments.setdefault(before, []).append(f"{name} next: {', '.join(told)}.")
        played = f"{name} {sgf.named(each.point, size)}: {percent(each.probability)}, choice {each.rank}."
        if each.number in surprises and best:
            played += f" A surprise: {expected(each, size)}."
            instead[before] = each.colour, best[0], f"What the network expected: {first(each, size)}."
        comments.setdefault(each.number, []).append(played)
    return {
        number: Note("\n".join(lines), letters.get(number, {}), instead.get(number), hot=number in surprises)
        for number, lines in comments.items()
    }


def expected(move: Reviewed, size: int) -> str:
    """What the network expected instead, as the end of a sentence."""
    told = [f"{sgf.named(each, size)} ({percent(float(move.prior[each]))})" for each in move.best] or ["no move"]
    return f"the network expected {', '.join(told[:-1])}{' or ' if told[1:] else ''}{told[-1]}"


def first(move: Reviewed, size: int) -> str:
    """The network's first choice and how likely it was."""
    return _likely(move, move.best[0], size) if move.best else "none"


def percent(chance: float) -> str:
    """`chance` as players read it: 54%, 2.3%, 0.012%."""
    if chance < 0.00001:
        return "less than 0.001%"
    return f"{chance:.0%}" if chance >= 0.1 else f"{chance:.1%}" if chance >= 0.001 else f"{chance:.3%}"


def _likely(move: Reviewed, point: int, size: int) -> str:
    return f"{sgf.named(point, size)} {percent(float(move.prior[point]))}"
