"""Boards as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from convsight.go.board import handicap, most_handicap
from convsight.go.rules import BLACK, EMPTY
from convsight.go.sgf import LETTERS
from convsight.pictures import grid, to_tensor

WOOD, LINE, GOOD, BAD = (222, 184, 120), (70, 50, 25), (30, 110, 220), (210, 50, 40)
_TIMES = 4  # drawn so much larger, then made small, so that edges are smooth


def picture(
    board: NDArray[np.int8],
    *,
    cell: int = 28,
    texts: Mapping[int, str] | None = None,
    tints: Mapping[int, float] | None = None,
    last: int | None = None,
    frame: tuple[int, int, int, int] | None = None,
) -> Tensor:
    """`board` (n, n) of EMPTY, BLACK, WHITE as a picture: (3, H, W) float in [0, 1], a point `cell` pixels wide.

    `texts`: what is written on points. `tints`: from -1 to 1, how red or blue a point is. `last`: the point of the latest move,
    which gets a ring. `frame`: rows and columns (top, left, bottom, right; the ends too) to draw a line around.
    """
    size, unit = len(board), cell * _TIMES
    whole = Image.new("RGB", ((size + 1) * unit, (size + 1) * unit), WOOD)
    draw = ImageDraw.Draw(whole, "RGBA")

    def at(point: int) -> tuple[int, int]:
        return (point % size + 1) * unit, (point // size + 1) * unit

    for index in range(1, size + 1):
        draw.line([(unit, index * unit), (size * unit, index * unit)], LINE, _TIMES)
        draw.line([(index * unit, unit), (index * unit, size * unit)], LINE, _TIMES)
    for point in handicap(size, min(most_handicap(size), 9 if size > 13 else 5)) if size >= 9 else ():
        _disc(draw, at(point), unit // 10, LINE)
    for point, tint in (tints or {}).items():
        if board.flat[point] == EMPTY:
            _disc(draw, at(point), round(unit * 0.46), _mixed(WOOD, GOOD if tint > 0 else BAD, 0.8 * min(1, abs(tint))))
    for point, colour in enumerate(board.reshape(-1)):
        if colour != EMPTY:
            _disc(draw, at(point), round(unit * 0.47), (20, 20, 20) if colour == BLACK else (245, 245, 240), LINE)
            if tints and point in tints:
                shade = GOOD if tints[point] > 0 else BAD
                _disc(draw, at(point), round(unit * (0.14 + 0.2 * min(1, abs(tints[point])))), shade, (245, 245, 240))
    if last is not None and last < size * size:
        x, y = at(last)
        ring = round(unit * (0.42 if tints and last in tints else 0.25))
        draw.ellipse([x - ring, y - ring, x + ring, y + ring], outline=BAD, width=_TIMES * 2)
    font = ImageFont.load_default(unit * 0.42)
    for point, text in (texts or {}).items():
        on = board.reshape(-1)[point]
        if on == EMPTY and not (tints and point in tints):
            _disc(draw, at(point), round(unit * 0.34), WOOD)
        dark = on == BLACK or abs((tints or {}).get(point, 0)) > 0.55
        draw.text(at(point), text, (255, 255, 255) if dark else (0, 0, 0), font, "mm")
    if size > 6:
        for index in range(size):
            place, number = (index + 1) * unit, str(size - index)
            for other in (unit * 0.3, (size + 0.7) * unit):
                draw.text((place, other), LETTERS[index], LINE, font, "mm")
                draw.text((other, place), number, LINE, font, "mm")
    if frame:
        top, left, bottom, right = frame
        corners = [(left + 0.5) * unit, (top + 0.5) * unit, (right + 1.5) * unit, (bottom + 1.5) * unit]
        draw.rectangle(corners, outline=GOOD, width=_TIMES * 3)
    return to_tensor(whole.resize(((size + 1) * cell, (size + 1) * cell), Image.Resampling.LANCZOS))[0]


def expected(board: NDArray[np.int8], prior: NDArray[np.float32], *, last: int | None = None) -> Tensor:
    """`board` with the eight likeliest moves of `prior` (n * n,) in percent, bluer where they are likelier: (3, H, W)."""
    best = [int(each) for each in prior.argsort()[::-1][:8] if prior[each] >= 0.005]
    texts = {each: f"{prior[each] * 100:.0f}" for each in best}
    return picture(board, texts=texts, tints={each: float(prior[each]) ** 0.5 for each in best}, last=last)


def surprise(board: NDArray[np.int8], prior: NDArray[np.float32], played: int, *, last: int | None = None) -> Tensor:
    """`expected`, with what was `played` instead in red: (3, H, W), 640 pixels or a little less."""
    best = {int(each): float(prior[each]) for each in prior.argsort()[::-1][:8] if prior[each] >= 0.005 and each != played}
    texts = {each: f"{chance * 100:.0f}" for each, chance in best.items()}
    tints = {each: 0.3 + 0.7 * chance**0.5 for each, chance in best.items()}
    cell = 640 // (len(board) + 1)
    return picture(board, cell=cell, texts={**texts, played: "x"}, tints={**tints, played: -1.0}, last=last)


def carrying(board: NDArray[np.int8], carried: Mapping[int, float], point: int, *, last: int | None = None) -> Tensor:
    """`board` with the stones that speak for a move at `point` blue, and those against it red: (3, H, W)."""
    most = max(map(abs, carried.values()), default=0.0) or 1.0
    tints = {each: part / most for each, part in carried.items() if abs(part) > most / 20}
    return picture(board, texts={point: "?"}, tints=tints, last=last)


def climb(before: NDArray[np.int8], after: NDArray[np.int8], frame: tuple[int, int, int, int]) -> list[Tensor]:
    """Two boards, each (3, H, W), a frame around the same part of both, and red where the second is another."""
    changed = {int(point): -0.6 for point in (before != after).reshape(-1).nonzero()[0]}
    return [picture(before, frame=frame), picture(after, frame=frame, tints=changed)]


def pattern(weights: NDArray[np.float32], *, cell: int = 18) -> Tensor:
    """What a filter of stones (3, k, k), for own stones, the opponent's and none, looks for: (3, H, W) float in [0, 1].

    On each point whichever it likes best, own stones black; the more it matters there, the less it fades into the board.
    """
    side, unit = weights.shape[1], cell * _TIMES
    whole = Image.new("RGB", (side * unit, side * unit), WOOD)
    draw = ImageDraw.Draw(whole, "RGBA")
    best = weights.argmax(0)
    gain = weights.max(0) - np.median(weights, 0)
    gain = gain / max(float(gain.max()), 1e-12)
    for row in range(side):
        for column in range(side):
            x, y = round((column + 0.5) * unit), round((row + 0.5) * unit)
            draw.line([(x - unit / 2, y), (x + unit / 2, y)], LINE, _TIMES)
            draw.line([(x, y - unit / 2), (x, y + unit / 2)], LINE, _TIMES)
            seen = round(255 * float(gain[row, column]))
            if best[row, column] == 2:
                draw.rectangle([x - unit // 5, y - unit // 5, x + unit // 5, y + unit // 5], (*GOOD, seen))
            else:
                shade = (20, 20, 20) if best[row, column] == 0 else (250, 250, 245)
                _disc(draw, (x, y), round(unit * 0.44), (*shade, seen))
    return to_tensor(whole.resize((side * cell, side * cell), Image.Resampling.LANCZOS))[0]


def side_by_side(pictures: Sequence[Tensor], *, columns: int, gap: int = 8) -> Tensor:
    """Pictures of one size in rows, on white: (3, H, W)."""
    return grid(torch.stack(list(pictures)), columns=columns, enlarge=1, gap=gap, ground=1.0)


def _mixed(first: tuple[int, int, int], second: tuple[int, int, int], part: float) -> tuple[int, ...]:
    """A colour that is `part` of the way from the first to the second."""
    return tuple(round(low + (high - low) * part) for low, high in zip(first, second, strict=True))


def _disc(
    draw: ImageDraw.ImageDraw,
    centre: tuple[int, int],
    radius: int,
    fill: tuple[int, ...],
    outline: tuple[int, ...] | None = None,
) -> None:
    x, y = centre
    draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill, outline, 2)
