"""The rules of Go and the 48 planes a second time: plain, slow, and with nothing in common with the compiled ones.

Points are (row, column) from the top left, stones are kept in a dict of points to colours, and a ladder is read by recursion.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

Point = tuple[int, int]
Stones = Mapping[Point, str]

BLACK, WHITE = "black", "white"
OTHER = {BLACK: WHITE, WHITE: BLACK}
FIRST_OF = {
    "own": 0, "opponent": 1, "empty": 2, "ones": 3, "turns": 4, "liberties": 12, "capture": 20, "self-atari": 28, "after": 36,
    "ladder capture": 44, "ladder escape": 45, "sensible": 46, "zeros": 47,
}  # fmt: skip
PATIENCE = 10_000


@cache
def beside(point: Point, size: int) -> tuple[Point, ...]:
    row, column = point
    return within([(row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)], size)


@cache
def diagonal(point: Point, size: int) -> tuple[Point, ...]:
    row, column = point
    return within([(row + down, column + right) for down in (-1, 1) for right in (-1, 1)], size)


def within(points: Iterable[Point], size: int) -> tuple[Point, ...]:
    return tuple((row, column) for row, column in points if 0 <= row < size and 0 <= column < size)


@dataclass(frozen=True)
class Board:
    """Stones, and the point that simple ko forbids to whoever is next."""

    size: int
    stones: Stones = field(default_factory=dict)
    ko: Point | None = None

    def chain(self, point: Point) -> tuple[set[Point], set[Point]]:
        """The stones connected to the one at `point`, and their liberties."""
        colour, chain, liberties, waiting = self.stones[point], {point}, set(), [point]
        while waiting:
            for near in beside(waiting.pop(), self.size):
                if near not in self.stones:
                    liberties.add(near)
                elif self.stones[near] == colour and near not in chain:
                    chain.add(near)
                    waiting.append(near)
        return chain, liberties

    def after(self, point: Point, colour: str) -> Board | None:
        """The board after a stone at `point`, or None where the rules forbid it."""
        if point in self.stones or point == self.ko:
            return None
        played = Board(self.size, {**self.stones, point: colour})
        taken: set[Point] = set()
        for near in beside(point, self.size):
            if played.stones.get(near) == OTHER[colour] and near not in taken:
                chain, liberties = played.chain(near)
                if not liberties:
                    taken |= chain
        if taken:
            played = Board(self.size, {each: colour for each, colour in played.stones.items() if each not in taken})
        chain, liberties = played.chain(point)
        if not liberties:
            return None
        if len(taken) == 1 and len(chain) == 1 and liberties == taken:
            return replace(played, ko=min(taken))
        return played

    def is_own_eye(self, point: Point, colour: str) -> bool:
        if any(self.stones.get(each) != colour for each in beside(point, self.size)):
            return False
        corners = diagonal(point, self.size)
        hostile = sum(self.stones.get(each) == OTHER[colour] for each in corners)
        return hostile <= 1 if len(corners) == 4 else hostile == 0


@dataclass(frozen=True)
class Position:
    """A board in a game: whose turn it is, how many turns there were, in which of them each stone was played.

    `past`: with superko, all boards there were, this one too.
    """

    board: Board
    player: str = BLACK
    turns: int = 0
    played: Mapping[Point, int] = field(default_factory=dict)
    past: frozenset[frozenset[tuple[Point, str]]] | None = None

    @classmethod
    def start(cls, size: int, stones: Stones | None = None, *, player: str = BLACK, superko: bool = False) -> Position:
        board = Board(size, dict(stones or {}))
        return cls(board, player, past=frozenset({frozenset(board.stones.items())}) if superko else None)

    def after(self, point: Point | None) -> Position | None:
        """The position after the player's stone at `point`, or pass; None where the rules forbid it."""
        board = replace(self.board, ko=None) if point is None else self.board.after(point, self.player)
        if board is None:
            return None
        past = self.past
        if past is not None:
            now = frozenset(board.stones.items())
            if point is not None and now in past:
                return None
            past |= {now}
        played = {each: turn for each, turn in self.played.items() if each in board.stones}
        if point is not None:
            played[point] = self.turns
        return Position(board, OTHER[self.player], self.turns + 1, played, past)

    def then(self, point: Point | None) -> Position:
        """`after` a move that the rules allow."""
        position = self.after(point)
        assert position is not None, (point, picture(self))
        return position

    def seen_by(self, player: str) -> Position:
        """The position with `player` to move, whoever's turn it was; out of turn no ko is forbidden."""
        return self if player == self.player else replace(self, player=player, board=replace(self.board, ko=None))


def planes(position: Position) -> NDArray[np.uint8]:
    """(48, size, size): the planes as the player whose turn it is sees them."""
    board, own = position.board, position.player
    answer = np.zeros((48, board.size, board.size), np.uint8)

    def mark(what: str, point: Point, number: int = 1) -> None:
        answer[(FIRST_OF[what] + min(number, 8) - 1, *point)] = 1

    for point in ((row, column) for row in range(board.size) for column in range(board.size)):
        mark("ones", point)
        if point in board.stones:
            mark("own" if board.stones[point] == own else "opponent", point)
            mark("turns", point, position.turns - position.played[point] if point in position.played else 8)
            mark("liberties", point, len(board.chain(point)[1]))
            continue
        mark("empty", point)
        then = position.after(point)
        if then is None:
            continue
        chain, liberties = then.board.chain(point)
        taken = len(board.stones) + 1 - len(then.board.stones)
        mark("after", point, len(liberties))
        if taken:
            mark("capture", point, taken)
        if len(liberties) == 1:
            mark("self-atari", point, len(chain))
        if not board.is_own_eye(point, own):
            mark("sensible", point)
    for what, point, works, _ in ladders(board, own):
        if works and position.after(point) is not None:
            mark(what, point)
    return answer


def ladders(board: Board, own: str) -> Iterator[tuple[str, Point, bool, Reading]]:
    """Of each ladder that `own` may begin or run from: what it is, the first move, whether it works, and how that was read."""
    waiting = set(board.stones)
    while waiting:
        prey = min(waiting)
        chain, liberties = board.chain(prey)
        waiting -= chain
        if board.stones[prey] != own and len(liberties) == 2:
            for point in liberties:
                reading = Reading(prey, OTHER[own])
                yield "ladder capture", point, reading.is_caught_by(board, point), reading
        elif board.stones[prey] == own and len(liberties) == 1:
            for point in rescues(board, prey):
                reading = Reading(prey, own)
                yield "ladder escape", point, reading.is_saved_by(board, point), reading


def rescues(board: Board, prey: Point) -> set[Point]:
    """Where a chain in atari may run to, or capture what gives atari."""
    chain, liberties = board.chain(prey)
    moves = set(liberties)
    for stone in chain:
        for near in beside(stone, board.size):
            if board.stones.get(near) == OTHER[board.stones[prey]]:
                last = board.chain(near)[1]
                moves |= last if len(last) == 1 else set()
    return moves


@dataclass
class Reading:
    """One question about a chain: may it be captured in a ladder?

    `line` are the boards after the attacker's moves so far, to none of which it may come back; `circles` counts where it would,
    `tried` its moves.
    """

    prey: Point
    runner: str
    line: list[Board] = field(default_factory=list)
    tried: int = 0
    circles: int = 0

    def is_caught_by(self, board: Board, point: Point) -> bool:
        """Whether the attacker's move at `point` is an atari from which nothing saves the chain."""
        self.tried += 1
        then = board.after(point, OTHER[self.runner])
        self.circles += then in self.line
        if then is None or then in self.line or len(then.chain(self.prey)[1]) != 1 or self.tried > PATIENCE:
            return False
        self.line.append(then)
        caught = True
        for reply in sorted(rescues(then, self.prey)):
            caught = caught and not self.is_saved_by(then, reply)
        self.line.pop()
        return caught

    def is_saved_by(self, board: Board, point: Point) -> bool:
        """Whether after the runner's move at `point` no atari of the attacker's holds."""
        then = board.after(point, self.runner)
        if then is None:
            return False
        liberties = then.chain(self.prey)[1]
        if len(liberties) == 1:
            return liberties == {then.ko}
        if len(liberties) == 2:
            for atari in sorted(liberties):
                if self.is_caught_by(then, atari):
                    return False
        return True


def drawn(diagram: str) -> dict[Point, str]:
    """What a diagram, of the upper left of a board, shows at each point, but for the dots."""
    lines = diagram.split()
    return {(row, column): sign for row, line in enumerate(lines) for column, sign in enumerate(line) if sign != "."}


def picture(position: Position) -> str:
    signs, points = {BLACK: "X", WHITE: "O"}, range(position.board.size)
    rows = ["".join(signs.get(position.board.stones.get((row, column), ""), ".") for column in points) for row in points]
    return "\n".join([f"{position.player} to play, ko at {position.board.ko}", *rows])


def lively_move(position: Position, last: Sequence[Point], rng: np.random.Generator) -> Point | None:
    """A move as in a game between beginners: fights where the `last` moves were, chains in atari run, ladders are played."""
    board = position.board
    for _ in range(30):
        kind = rng.random()
        points: set[Point] = set()
        if kind < 0.5:
            for near in {near for move in last for near in (move, *beside(move, board.size)) if near in board.stones}:
                liberties = board.chain(near)[1]
                points |= liberties if len(liberties) <= 2 else set()
        elif kind < 0.85 and last:
            row, column = last[-1]
            points = {(row + down, column + right) for down in range(-2, 3) for right in range(-2, 3)}
        else:
            low = min(2, board.size // 3) if kind < 0.97 else 0
            points = {(int(row), int(column)) for row, column in rng.integers(low, board.size - low, (1, 2))}
        allowed = sorted(point for point in within(points, board.size) if position.after(point) is not None)
        if allowed:
            point = allowed[rng.integers(len(allowed))]
            if not board.is_own_eye(point, position.player):
                return point
    return None


def any_move(position: Position, rng: np.random.Generator) -> Point | None:
    """Any move that the rules allow, now and then a pass."""
    points = rng.permutation(position.board.size**2) if rng.random() > 0.03 else []
    for point in (divmod(int(each), position.board.size) for each in points):
        if position.after(point) is not None:
            return point
    return None
