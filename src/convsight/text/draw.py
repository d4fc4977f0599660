"""Decisions and n-grams as pictures."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from convsight.errors import InputError
from convsight.pictures import to_tensor
from convsight.text.show import Explanation, NGram, against_others

FOR, AGAINST, INK, PAPER = (0, 140, 60), (200, 40, 40), (30, 30, 30), (255, 255, 255)
_WIDTH, _MARGIN, _LINE, _SIZE, _TIMES = 760, 20, 34, 18, 2  # pixels; drawn so much larger, then made small
_LONGEST = 2_000  # words
_FONTS = (
    "DejaVuSans.ttf", "NotoSans-Regular.ttf", "LiberationSans-Regular.ttf", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc",
    "Arial.ttf", "Arial Unicode.ttf", "PingFang.ttc", "arial.ttf", "msyh.ttc", "simsun.ttc",
)  # fmt: skip


def explained(told: Explanation, *, most: int = 8) -> Tensor:
    """The class; the text, words that speak for it green and those against it red; and the `most` n-grams that decide.

    A bar is what its filter contributes, beyond the mean of the other classes. (3, H, W) float in [0, 1]. Raises InputError if
    the font lacks a letter, or the text is too long for a picture.
    """
    label = told.labels.index(told.label)
    parts = [(str(part.ngram), *against_others(_row(part.contribution), label).tolist()) for part in told.parts[:most]]
    unit, font = _TIMES, _font([*told.words, *told.labels])
    if len(told.words) > _LONGEST:
        raise InputError(f"a text of {len(told.words):,} words is too long for a picture, {_LONGEST:,} are not; take .html")
    places, lines = _lines(told.words, font, (_WIDTH - 2 * _MARGIN) * unit)
    height = 2 * _MARGIN + (lines + 2 + len(parts)) * _LINE
    whole = Image.new("RGB", (_WIDTH * unit, height * unit), PAPER)
    draw = ImageDraw.Draw(whole)
    for x, said, colour in ((_MARGIN, told.label, INK), (0.74 * _WIDTH, "for it", FOR), (0.84 * _WIDTH, "against it", AGAINST)):
        draw.text((x * unit, (_MARGIN + 0.4 * _LINE) * unit), said, colour, font, "lm")
    for word, weight, (left, line, width) in zip(told.words, told.weights(), places, strict=True):
        x, y = _MARGIN * unit + left, (_MARGIN + (line + 1) * _LINE) * unit
        draw.rounded_rectangle([x, y, x + width, y + 0.8 * _LINE * unit], 4 * unit, _shade(weight))
        draw.text((x + width / 2, y + 0.4 * _LINE * unit), word, INK, font, "mm")
    _bars(draw, parts, (lines + 2) * _LINE, font, longest=max((abs(value) for _, value in parts), default=1.0))
    return to_tensor(whole.resize((_WIDTH, height), Image.Resampling.LANCZOS))[0]


def ngrams(found: Sequence[NGram], labels: Sequence[str]) -> Tensor:
    """N-grams under the label of the class that each speaks for, with bars of how strongly their filters answer.

    (3, H, W) float in [0, 1]. Raises InputError if the font lacks a letter.
    """
    groups = [
        (label, [each for each, own in zip(found, labels, strict=True) if own == label]) for label in dict.fromkeys(labels)
    ]
    unit, font = _TIMES, _font([*(word for each in found for word in each.words), *labels])
    height = 2 * _MARGIN + (len(found) + len(groups)) * _LINE
    whole = Image.new("RGB", (_WIDTH * unit, height * unit), PAPER)
    draw = ImageDraw.Draw(whole)
    top, longest = 0, max(each.answer for each in found)
    for label, some in groups:
        draw.text((_MARGIN * unit, (_MARGIN + top + 0.4 * _LINE) * unit), label, INK, font, "lm")
        _bars(draw, [(str(each), each.answer) for each in some], top + _LINE, font, longest=longest)
        top += (len(some) + 1) * _LINE
    return to_tensor(whole.resize((_WIDTH, height), Image.Resampling.LANCZOS))[0]


def _bars(
    draw: ImageDraw.ImageDraw, rows: Sequence[tuple[str, float]], top: float,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont, *, longest: float,
) -> None:  # fmt: skip
    """A line each from `top` on: the words, a bar, green above zero and red under it, and the number."""
    unit, middle = _TIMES, 0.62 * _WIDTH * _TIMES
    edge = middle - (0.22 if any(value < 0 for _, value in rows) else 0.02) * _WIDTH * unit
    for row, (words, value) in enumerate(rows):
        y = (_MARGIN + top + row * _LINE) * unit
        draw.text((edge, y + 0.4 * _LINE * unit), words, INK, font, "rm")
        end = middle + 0.2 * _WIDTH * unit * value / (longest or 1.0)
        draw.rectangle([min(middle, end), y, max(middle, end), y + 0.7 * _LINE * unit], FOR if value > 0 else AGAINST)
        draw.text((0.97 * _WIDTH * unit, y + 0.4 * _LINE * unit), f"{value:+.2f}", INK, font, "rm")


def _font(words: Sequence[str]) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The first that has all letters: Pillow's own, or one of those that systems bring."""
    size, letters = _SIZE * _TIMES, set("".join(words))
    lacking = ""
    for name in ("", *_FONTS):
        try:
            font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
        except OSError:
            continue
        missing = bytes(font.getmask("\uffff"))
        lacks = sorted(each for each in letters if not each.isspace() and bytes(font.getmask(each)) == missing)
        if not lacks:
            return font
        lacking = lacking or lacks[0]
    raise InputError(f'no font here that pictures are drawn with has "{lacking}"; take what is printed, or a page (.html)')


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
