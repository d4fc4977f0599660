"""Phone times for recordings with a transcript: forced alignment by pocketsphinx, whose package carries its English model."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import torch
from torch import Tensor

from convsight.errors import InputError, extra
from convsight.speech import phones
from convsight.speech.audio import RATE
from convsight.speech.encode import LENGTH, STEP
from convsight.speech.segments import Segment, in_order

_SHORTEST = 0.03  # seconds; Kaldi's and pocketsphinx's phones have three states
_WORD = re.compile(r"(?:[^\W_]|')+")
_QUIET = (20, 0, 30, 5, 50)  # steps of quiet put before and after, tried in turn until the aligner finds the words


def align(samples: Tensor, transcript: str, where: str = "the recording") -> tuple[Segment, ...]:
    """The phones of `transcript`, in English, with their times in `samples` (N,) in [-1, 1] at 16 kHz.

    Raises InputError if the transcript has no words, one that the pronouncing dictionary lacks, or doesn't fit the sound.
    """
    decoder = _decoder()
    given = _WORD.findall(transcript.lower().replace("’", "'"))
    words = [each if decoder.lookup_word(each) else each.strip("'") for each in given if each.strip("'")]
    if not words:
        raise InputError(f"{where}: the transcript has no English words")
    if unknown := [each for each in words if decoder.lookup_word(each) is None]:
        raise InputError(f'{where}: the pronouncing dictionary has no "{unknown[0]}"; spell it otherwise')
    for steps in _QUIET:
        found = _aligned(decoder, samples, words, steps * STEP)
        if any(each.phone != phones.SILENCE for each in found):
            return in_order(found, where)
    raise InputError(f'{where}: the sound doesn\'t fit its transcript, "{transcript.strip()}"')


def _aligned(decoder: Any, samples: Tensor, words: list[str], quiet: int) -> list[Segment]:
    """The segments that the aligner finds, none if no path fits."""
    hiss = 30.0 / 2**15 * torch.randn(quiet, generator=torch.Generator().manual_seed(0))
    whole = torch.cat([hiss, samples, hiss]).clamp(-1, 1)
    sound = (whole * (2**15 - 1)).short().numpy().tobytes()
    decoder.reinit_feat()  # else its estimates of noise and means are still those of the sound before
    try:
        decoder.set_align_text(" ".join(words))
        _decode(decoder, sound)
        decoder.set_alignment()
        _decode(decoder, sound)
        found = list(decoder.get_alignment().phones())
    except (RuntimeError, TypeError, AttributeError):  # what pocketsphinx has when no path fits
        return []
    names = [phones.arpabet(each.name) for each in found]
    starts = [(each.start * STEP + (LENGTH - STEP) / 2 - quiet) / RATE for each in found]
    return _at_least(_SHORTEST, names, starts, len(samples) / RATE)


def _at_least(shortest: float, names: list[str], starts: list[float], end: float) -> list[Segment]:
    """Segments within [0, `end`], phones that are no silence at least `shortest` long, if all together leave room for that."""
    lengths = [shortest if name != phones.SILENCE else 0.0 for name in names]
    shrunk = min(1.0, end / max(sum(lengths), 1e-9))
    bounds = [min(max(0.0, start), end) for start in [0.0, *starts[1:], end]]
    for place, length in enumerate(lengths):
        bounds[place + 1] = max(bounds[place + 1], bounds[place] + shrunk * length)
    bounds[-1] = end
    for place in range(len(lengths) - 1, -1, -1):
        bounds[place] = max(0.0, min(bounds[place], bounds[place + 1] - shrunk * lengths[place]))
    return [Segment(start, until, name) for start, until, name in zip(bounds, bounds[1:], names, strict=False) if until > start]


def _decode(decoder: Any, sound: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()


@cache
def _decoder() -> Any:
    return extra("pocketsphinx", "speech").Decoder(lm=None, loglevel="FATAL", samprate=RATE, cmn="batch")
