"""Spectrograms and movements along frequency as pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from convsight.pictures import from_tensor, to_tensor
from convsight.speech.encode import FRAMES_A_SECOND
from convsight.speech.phones import SILENCE
from convsight.speech.segments import Segment
from convsight.speech.shift import Saying

INK, PAPER, BAR = (30, 30, 30), (255, 255, 255), (0, 110, 170)
_FRAME, _BAND, _MARGIN, _TEXT, _HISTOGRAM = 7, 6, 24, 16, 120  # pixels
_WIDEST = 1_000
_LOUDNESS = 12.0  # of the logarithm of energy that is drawn, below the loudest
_GLOW = torch.tensor([[255, 255, 255], [253, 212, 158], [239, 101, 72], [127, 0, 0], [30, 0, 20]]) / 255


def spectrogram(energies: Tensor) -> Tensor:
    """(T, mels), log energies, as a picture: (3, mels, T) float in [0, 1], low frequencies at the bottom, loud is dark."""
    shown = ((energies - energies.max()) / _LOUDNESS + 1).clamp(0, 1).T.flip(0)
    place = shown * (len(_GLOW) - 1)
    below = place.floor().clamp_max(len(_GLOW) - 2).long()
    part = (place - below)[..., None]
    return (_GLOW[below] * (1 - part) + _GLOW[below + 1] * part).permute(2, 0, 1)


def sayings(said: Sequence[Saying], names: Sequence[str], movements: Tensor) -> Tensor:
    """Spectrograms beside one another, their sounds written under them, and under those how far filters' answers moved.

    `movements`: (K,), in mel bands, nan for those that don't answer. (3, H, W) float in [0, 1].
    """
    pictures = [_enlarged(spectrogram(each.energies)) for each in said]
    height = pictures[0].height
    width = sum(each.width for each in pictures) + _MARGIN * (len(pictures) + 1)
    whole = Image.new("RGB", (width, height + _HISTOGRAM + 4 * _MARGIN + 4 * _TEXT), PAPER)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(_TEXT)
    left, top = _MARGIN, _MARGIN + _TEXT
    for one, name, picture in zip(said, names, pictures, strict=True):
        draw.text((left, _MARGIN / 2), name, INK, font)
        whole.paste(picture, (left, top))
        for sound, start, end in zip(one.sounds, one.bounds, one.bounds[1:], strict=False):
            draw.line([left + start * _FRAME, top, left + start * _FRAME, top + height + _TEXT], (140, 140, 140))
            draw.text((left + (start + end) / 2 * _FRAME, top + height + _TEXT / 2), sound, INK, font, "mm")
        left += picture.width + _MARGIN
    _histogram(draw, font, movements, top + height + _TEXT + _MARGIN, width)
    return to_tensor(whole)[0]


def patterns(energies: Tensor, names: Sequence[str]) -> Tensor:
    """Spectrograms (B, T, mels) in rows, a name over each: (3, H, W) float in [0, 1]."""
    pictures = [_enlarged(spectrogram(each)) for each in energies]
    columns = min(len(pictures), max(1, _WIDEST // (pictures[0].width + _MARGIN)))
    rows = -(-len(pictures) // columns)
    width, height = pictures[0].width + _MARGIN, pictures[0].height + _MARGIN + _TEXT
    whole = Image.new("RGB", (columns * width + _MARGIN, rows * height + _MARGIN), PAPER)
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(_TEXT)
    for place, (picture, name) in enumerate(zip(pictures, names, strict=True)):
        row, column = divmod(place, columns)
        left, top = _MARGIN + column * width, _MARGIN / 2 + row * height
        draw.text((left, top), name, INK, font)
        whole.paste(picture, (left, int(top) + _TEXT + 6))
    return to_tensor(whole)[0]


def recognised(energies: Tensor, segments: Sequence[Segment]) -> Tensor:
    """The spectrogram of `energies` (T, mels), and under it the phones of `segments`: (3, H, W) float in [0, 1]."""
    picture = _enlarged(spectrogram(energies))
    whole = Image.new("RGB", (picture.width, picture.height + 2 * _TEXT), PAPER)
    whole.paste(picture, (0, 0))
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(_TEXT - 4)
    for number, each in enumerate(segments):
        left, right = (time * FRAMES_A_SECOND * _FRAME for time in (each.start, each.end))
        draw.line([left, 0, left, picture.height + _TEXT / 2], (120, 120, 120))
        if each.phone != SILENCE:
            draw.text(((left + right) / 2, picture.height + _TEXT * (0.6 + 0.8 * (number % 2))), each.phone, INK, font, "mm")
    return to_tensor(whole)[0]


def _histogram(
    draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, movements: Tensor, top: float, width: int
) -> None:
    counts = Counter(movements[~movements.isnan()].int().tolist())
    low, high = min(-2, *counts), max(4, *counts)
    step, floor = (width - 2 * _MARGIN) / (high - low + 1), top + _TEXT + _HISTOGRAM
    draw.text((_MARGIN, top - _TEXT / 2), "how many filters answer so many mel bands higher", INK, font)
    for moved in range(low, high + 1):
        middle = _MARGIN + (moved - low + 0.5) * step
        tall = (_HISTOGRAM - 2 * _TEXT) * counts[moved] / max(counts.values())
        draw.text((middle, floor + _TEXT), f"{moved:+d}" if moved else "0", INK, font, "mm")
        if counts[moved]:
            draw.rectangle([middle - 0.3 * step, floor - tall, middle + 0.3 * step, floor], BAR)
            draw.text((middle, floor - tall - _TEXT / 2), str(counts[moved]), INK, font, "mm")


def _enlarged(picture: Tensor) -> Image.Image:
    drawn = from_tensor(picture)
    return drawn.resize((drawn.width * _FRAME, drawn.height * _BAND), Image.Resampling.NEAREST)
