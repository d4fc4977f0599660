"""Data with known properties: along each of two axes a pattern recurs or not, and stands subsampling or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LENGTH = 16
_EXTENT = 4  # of a pattern, along each axis
_CLASSES = 4


@dataclass(frozen=True)
class Planted:
    """`recurs`: the pattern may be anywhere along the axis, else it is at one place and what is elsewhere means nothing.

    `subsamples`: along the axis the pattern is as wide as two entries at least, else it is told by single ones.
    """

    recurs: tuple[bool, bool]
    subsamples: tuple[bool, bool]


def planted(switches: Planted, *, count: int, noise: float, seed: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(count, 16, 16) and (count,) classes of 4; `noise` is its standard deviation, where patterns are of size one."""
    draw = np.random.default_rng(seed)
    patterns = _patterns(switches, np.random.default_rng(1_000))
    x = noise * draw.standard_normal((count, LENGTH, LENGTH), dtype=np.float32)
    y = draw.integers(_CLASSES, size=count)
    for sample, its_class in enumerate(y):
        places = [_place(recurs, draw) for recurs in switches.recurs]
        _put(x[sample], patterns[its_class], places)
        if not all(switches.recurs):  # the pattern of any class, where it means nothing
            moved = [place if recurs else _elsewhere(draw) for place, recurs in zip(places, switches.recurs, strict=True)]
            _put(x[sample], patterns[draw.integers(_CLASSES)], moved)
    return x, y


def _patterns(switches: Planted, draw: np.random.Generator) -> list[NDArray[np.float32]]:
    """One for each class: signs, in blocks of two along an axis that stands subsampling, alternating along one that doesn't."""
    found: list[NDArray[np.float32]] = []
    while len(found) < _CLASSES:
        blocks = draw.choice([-1.0, 1.0], size=[_EXTENT // 2, _EXTENT // 2])
        for axis, coarse in enumerate(switches.subsamples):
            doubled = np.repeat(blocks, 2, axis)
            signs = (
                1.0 if coarse else np.where(np.arange(_EXTENT) % 2 == 0, 1.0, -1.0).reshape((-1, 1) if axis == 0 else (1, -1))
            )
            blocks = doubled * signs
        if all((blocks != each).any() and (blocks != -each).any() for each in found):
            found.append(blocks.astype(np.float32))
    return found


def _place(recurs: bool, draw: np.random.Generator) -> int:
    return 2 * int(draw.integers((LENGTH - _EXTENT) // 2 + 1)) if recurs else 4


def _elsewhere(draw: np.random.Generator) -> int:
    return int(2 * draw.integers(5, (LENGTH - _EXTENT) // 2 + 1))


def _put(x: NDArray[np.float32], pattern: NDArray[np.float32], places: list[int]) -> None:
    first, second = places
    x[first : first + _EXTENT, second : second + _EXTENT] += pattern
