"""Ladders, read to the end: a chain in atari runs, the attacker gives atari again and again, and one of them fails.

The runner may extend, or capture any attacking chain in atari beside it. It is free with three liberties, or if the attacker
can give no atari that holds; it is captured if no reply leaves it two liberties. A stone that simple ko forbids is not
played, so a capture that would first need a ko threat doesn't count; nor does a ladder that goes round in a circle of kos.
"""

from __future__ import annotations

import numpy as np

from convsight.go.rules import Array, compiled, count_liberties, ko_after, place, take_back

NODES = 10_000  # moves tried for one question; a ladder that needs more is taken for broken
_ROOM, _DEEPEST, _FRAME = 100_000, 700, 7


@compiled
def trail_for_reading() -> Array:
    """Room for the captures and replies along a ladder, and behind them for its moves."""
    return np.zeros(_ROOM + _DEEPEST * _FRAME, np.int32)


@compiled
def captures(colours: Array, width: int, prey: int, point: int, ko: int, trail: Array, scratch: Array) -> bool:
    """Whether the other colour, by playing at `point`, captures the chain at `prey`, which has two liberties, in a ladder."""
    return _captured(colours, width, prey, point, True, ko, trail, scratch)


@compiled
def escapes(colours: Array, width: int, prey: int, point: int, ko: int, trail: Array, scratch: Array) -> bool:
    """Whether the chain at `prey`, which is in atari, can't be captured in a ladder after its side plays at `point`."""
    return not _captured(colours, width, prey, point, False, ko, trail, scratch)


@compiled
def rescues(colours: Array, width: int, prey: int, moves: Array, scratch: Array) -> int:
    """What may rescue the chain at `prey`, which is in atari: its liberty, and captures of chains in atari beside it.

    They are written into `moves`; returns how many there are.
    """
    points = colours.size
    count_liberties(colours, width, prey, 2, scratch)
    moves[0], count = scratch[2 * points], 1
    stones = scratch[-2]
    chain = scratch[points : points + stones].copy()
    attacker = 3 - colours[prey]
    for stone in chain:
        for step in (1, -1, width, -width):
            if colours[stone + step] == attacker and count_liberties(colours, width, stone + step, 2, scratch) == 1:
                capture, known = scratch[2 * points], False
                for index in range(count):
                    known = known or moves[index] == capture
                if not known:
                    moves[count] = capture
                    count += 1
    return count


@compiled
def _captured(colours: Array, width: int, prey: int, point: int, attacks: bool, ko: int, trail: Array, scratch: Array) -> bool:
    """Whether the chain at `prey` is captured after the attacker, or its own side, plays at `point`.

    A search in depth first. Each move tried is a frame: its point, how many stones it took, where in `trail` these are, where
    the replies to it, how many, how many of them were tried, and what ko forbids.
    """
    frames = trail[-_DEEPEST * _FRAME :].reshape(_DEEPEST, _FRAME)
    depth, used, tried = 0, 0, 0
    while True:
        captured, known = not attacks, True  # what it means if the move cannot be played
        tried += attacks
        if point != ko and not (attacks and (tried > NODES or depth + 1 >= _DEEPEST or used + 3 * colours.size > _ROOM)):
            removed = trail[used:]
            taken = place(colours, width, point, 3 - colours[prey] if attacks else colours[prey], removed, scratch)
            if taken >= 0:
                next_ko = ko_after(colours, width, point, taken, removed)
                liberties = count_liberties(colours, width, prey, 3, scratch)
                first, second = scratch[2 * colours.size], scratch[2 * colours.size + 1]
                replies = trail[used + taken :]
                if attacks and liberties == 1:
                    count, known = rescues(colours, width, prey, replies, scratch), False
                elif attacks or liberties > 2:
                    captured = False
                elif liberties == 2:
                    replies[0], replies[1] = first, second
                    count, known = 2, False
                else:
                    captured = True
                if known:
                    take_back(colours, point, taken, removed)
                else:
                    frame = frames[depth]
                    frame[0], frame[1], frame[2], frame[3] = point, taken, used, used + taken
                    frame[4], frame[5], frame[6] = count, 0, next_ko
                    depth += 1
        while known:
            if depth == 0:
                return captured
            frame = frames[depth - 1]
            if captured != attacks and frame[5] < frame[4]:  # that reply failed; there is another
                break
            take_back(colours, frame[0], frame[1], trail[frame[2] :])
            depth -= 1
            attacks = not attacks
        frame = frames[depth - 1]
        point, used, ko = trail[frame[3] + frame[5]], frame[3] + frame[4], frame[6]
        frame[5] += 1
        attacks = attacks == known
