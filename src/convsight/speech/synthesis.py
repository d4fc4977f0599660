"""Speech made by espeak-ng's voices, so that anyone can have a corpus with exact phone times."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Generator, Tensor

from convsight.errors import extra
from convsight.speech import phones
from convsight.speech.audio import RATE
from convsight.speech.espeak import Spoken, speak
from convsight.speech.segments import Segment, in_order, parted

_RATES, _PITCHES, _SPREADS = (140, 210), (35, 65), (30, 70)
_NOISE, _LEVEL = (15.0, 45.0), (-20.0, 0.0)  # decibels: speech over noise, and over what espeak-ng speaks at
_TELEPHONE = 8_000
_GLIDES = ("w", "y")
_VOICES: Mapping[phones.Language, str] = {"english": "en-us", "mandarin": "cmn"}  # as espeak-ng names them


def utterance(
    text: str, voice: str, *, seed: int, language: phones.Language = "english", clean: bool = False, telephone: bool = False
) -> tuple[Tensor, tuple[Segment, ...]]:
    """`text` spoken by `voice`: (N,) float in [-1, 1] at 16 kHz, and its phones.

    Speed, pitch, loudness and noise follow `seed`.
    `clean`: without noise, as loud as it comes. `telephone`: nothing above 4 kHz is left.
    Raises InputError if espeak-ng has no such voice, says nothing for the text, or takes it for another language.
    """
    draw = random.Random(seed)
    rate, pitch, spread = (draw.randint(*each) for each in (_RATES, _PITCHES, _SPREADS))
    spoken = speak(text, voice, language=_VOICES[language], rate=rate, pitch=pitch, spread=spread)
    samples = resampled(spoken.samples, spoken.rate, RATE)
    if telephone:
        samples = resampled(resampled(samples, RATE, _TELEPHONE), _TELEPHONE, RATE)
    if not clean:
        samples = noisy(samples, snr=draw.uniform(*_NOISE), seed=seed) * 10 ** (draw.uniform(*_LEVEL) / 20)
    return samples, segments(spoken, language)


def segments(spoken: Spoken, language: phones.Language = "english") -> tuple[Segment, ...]:
    """What was spoken as segments of the 39 phones; of two phones that espeak-ng runs together, half the time each.

    A glide that goes on in the next of its phonemes is one.
    """
    found: list[Segment] = []
    last = (len(spoken.samples), "_")
    for (start, label), (end, _) in pairwise([*spoken.phonemes, last]):
        parts = phones.espeak(label, language)
        begin, until = start / spoken.rate, end / spoken.rate
        rows = parted(begin, until, " ".join(parts)) if parts else []
        if found and (not rows or rows[0].phone == found[-1].phone in _GLIDES):
            found[-1] = Segment(found[-1].start, rows.pop(0).end if rows else until, found[-1].phone)
        found += rows
    return in_order(found, "espeak-ng's phonemes")


def noisy(samples: Tensor, *, snr: float, seed: int) -> Tensor:
    """`samples` (N,) with noise `snr` decibels below them, its power halved with each doubling of frequency (pink)."""
    white = torch.fft.rfft(torch.randn(len(samples), generator=Generator().manual_seed(seed)))
    pink = torch.fft.irfft(white / torch.arange(1, len(white) + 1).sqrt(), len(samples))
    factor = samples.square().mean().sqrt() / pink.square().mean().sqrt().clamp_min(1e-12) * 10 ** (-snr / 20)
    noise: Tensor = factor * pink
    return samples + noise


def resampled(samples: Tensor, rate: int, to: int) -> Tensor:
    """`samples` (N,) at `rate` a second as (M,) at `to` a second."""
    found: Tensor = torch.from_numpy(extra("soxr", "speech").resample(samples.numpy(), rate, to))
    return found


def spread_over(texts: Sequence[str], voices: Sequence[str]) -> list[tuple[str, str]]:
    """Each text with a voice, the voices in turn."""
    return [(text, voices[number % len(voices)]) for number, text in enumerate(texts)]
