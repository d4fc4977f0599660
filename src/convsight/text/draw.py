"""Explanations of decisions as pictures."""

from __future__ import annotations

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from convsight.pictures import to_tensor
from convsight.text.show import Explanation, against_others

FOR, AGAINST, INK, PAPER = (0, 140, 60), (200, 40, 40), (30, 30, 30), (255, 255, 255)
_WIDTH, _MARGIN, _LINE, _SIZE, _TIMES = 760, 20, 34, 18, 2  # pixels; drawn so much larger, then made small


def explained(told: Explanation, *, most: int = 8) -> Tensor:
    """The text, words that speak for the class green and those against it red, over the `most` n-grams that decide.

    A bar is what its filter contributes, beyond the mean of the other classes. (3, H, W) float in [0, 1].
    """
    label = told.labels.index(told.label)
    parts = [(str(part.ngram), *against_others(_row(part.contribution), label).tolist()) for part in told.parts[:most]]
    unit, font = _TIMES, ImageFont.load_default(_SIZE * _TIMES)
    places, lines = _lines(told.words, font, (_WIDTH - 2 * _MARGIN) * unit)
    height = 2 * _MARGIN + (lines + 1 + len(parts)) * _LINE
    whole = Image.new("RGB", (_WIDTH * unit, height * unit), PAPER)
    draw = ImageDraw.Draw(whole)
    for word, weight, (left, line, width) in zip(told.words, told.weights(), places, strict=True):
        x, y = _MARGIN * unit + left, (_MARGIN + line * _LINE) * unit
        draw.rounded_rectangle([x, y, x + width, y + 0.8 * _LINE * unit], 4 * unit, _shade(weight))
        draw.text((x + width / 2, y + 0.4 * _LINE * unit), word, INK, font, "mm")
    longest = max((abs(value) for _, value in parts), default=0.0) or 1.0
    middle = 0.62 * _WIDTH * unit
    for row, (ngram, value) in enumerate(parts, start=lines + 1):
        y = (_MARGIN + row * _LINE) * unit
        draw.text((middle - 0.2 * _WIDTH * unit, y + 0.4 * _LINE * unit), ngram, INK, font, "rm")
        end = middle + 0.2 * _WIDTH * unit * value / longest
        draw.rectangle([min(middle, end), y, max(middle, end), y + 0.7 * _LINE * unit], FOR if value > 0 else AGAINST)
        draw.text((0.97 * _WIDTH * unit, y + 0.4 * _LINE * unit), f"{value:+.2f}", INK, font, "rm")
    return to_tensor(whole.resize((_WIDTH, height), Image.Resampling.LANCZOS))[0]


def _row(contribution: tuple[float, ...]) -> Tensor:
    return Tensor([contribution])


def _shade(weight: float) -> tuple[int, ...]:
    """White, and the greener or the redder the more `weight`, from -1 to 1, speaks for the class or against it."""
    colour = FOR if weight > 0 else AGAINST
    return tuple(round(255 + (each - 255) * 0.75 * abs(weight)) for each in colour)


def _lines(
    words: tuple[str, ...], font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float
) -> tuple[list[tuple[float, int, float]], int]:
    """For each word how far right, in which line, and how wide its box is; and how many lines there are."""
    places, left, line = [], 0.0, 0
    for word in words:
        width = font.getlength(word) + 0.6 * _SIZE * _TIMES
        if left and left + width > room:
            left, line = 0.0, line + 1
        places.append((left, line, width))
        left += width + 0.2 * _SIZE * _TIMES
    return places, line + 1
