"""The learning curve of a training: a file with a line of JSON for each check, and a picture of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from convsight.files import write_lines
from convsight.pictures import View, to_tensor

INK, PAPER, GRID, BAR = (30, 30, 30), (255, 255, 255), (215, 215, 215), (0, 110, 170)
_WIDTH, _HEIGHT, _LEFT, _MARGIN, _TEXT = 900, 260, 90, 30, 18  # pixels
_PLOTS = (
    ("wins", "games won against earlier selves", "{:.0%}"),
    ("against_start", "games won against its start", "{:.0%}"),
    ("entropy", "entropy of its moves, in nats", "{:.2f}"),
    ("length", "moves a game", "{:.0f}"),
)


def add(path: Path, line: Mapping[str, float]) -> None:
    """Add `line`, which has the positions or games seen so far; later ones, of before a training went on, are left out."""
    before = [each for each in _lines(path) if json.loads(each)["positions"] < line["positions"]]
    write_lines(path, [*before, json.dumps(dict(line))])


def seconds(path: Path) -> float:
    """How long the training has taken to its last check; 0 without one."""
    lines = _lines(path)
    return float(json.loads(lines[-1])["seconds"]) if lines else 0.0


def read(path: Path) -> list[dict[str, float]]:
    """The lines of the file, the first first; none if it isn't there."""
    return [json.loads(each) for each in _lines(path)]


def picture(lines: Sequence[Mapping[str, float]]) -> Tensor:
    """The curve of self-play, drawn against the number of games: (3, H, W) float in [0, 1], a plot under another."""
    whole = Image.new("RGB", (_WIDTH, _HEIGHT * len(_PLOTS)), PAPER)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(_TEXT)
    for number, (name, title, form) in enumerate(_PLOTS):
        points = [(each["positions"], each[name]) for each in lines if name in each]
        if points:
            _plot(draw, font, number * _HEIGHT, title, form, points)
    return to_tensor(whole)[0]


def view(lines: Sequence[Mapping[str, float]]) -> View:
    """`picture`, as notebooks show it."""
    return View(picture(lines))


def _plot(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    top: int,
    title: str,
    form: str,
    points: Sequence[tuple[float, float]],
) -> None:
    values = [0.0, 1.0] if form.endswith("%}") else []
    values += [value for _, value in points]
    low, high, last = min(values), max(values), max(games for games, _ in points)
    span = (high - low) or 1.0
    floor, ceiling = top + _HEIGHT - _MARGIN - _TEXT, top + _MARGIN + _TEXT

    def at(games: float, value: float) -> tuple[float, float]:
        return _LEFT + (_WIDTH - _LEFT - _MARGIN) * games / last, floor - (floor - ceiling) * (value - low) / span

    draw.text((_LEFT, top + _MARGIN / 2), title, INK, font, "lm")
    for value in (low, (low + high) / 2, high):
        y = at(0, value)[1]
        draw.line([_LEFT, y, _WIDTH - _MARGIN, y], GRID)
        draw.text((_LEFT - 8, y), form.format(value), INK, font, "rm")
    for part in (0, 0.5, 1):
        draw.text((at(part * last, low)[0], floor + _TEXT), f"{part * last:,.0f}", INK, font, "mm" if part < 1 else "rm")
    draw.text((_WIDTH / 2 + 120, floor + _TEXT), "games", INK, font, "mm")
    path = [at(*each) for each in points]
    draw.line(path, BAR, 3, joint="curve")
    for x, y in path if len(path) < 60 else ():
        draw.ellipse([x - 4, y - 4, x + 4, y + 4], BAR)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
