"""Pictures of what a network for speech hears, which notebooks show, with what they show."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from convsight.pictures import View
from convsight.speech import draw, show
from convsight.speech import shift as shifts
from convsight.speech.encode import LogMel
from convsight.speech.recognise import Recogniser, recognise
from convsight.speech.segments import Segment


@dataclass(frozen=True)
class Shift(View):
    """`movements`: (K,), by how many mel bands each filter's answer lies higher in the second saying; nan if it is silent."""

    movements: Tensor


@dataclass(frozen=True)
class Phones(View):
    """`energies`: (B, T, mels), log energies, of each phone."""

    energies: Tensor


@dataclass(frozen=True)
class Heard(View):
    """`segments`: the phones that were recognised, with their times."""

    segments: list[Segment]


def shift(recogniser: Recogniser, text: str = "你好", *, man: str = "m1", woman: str = "f2") -> Shift:
    """A man's and a woman's voice of espeak-ng saying `text`, in Mandarin, over how far filters' answers move between them."""
    said = [shifts.saying(text, each) for each in (man, woman)]
    moved = shifts.movements(recogniser.network, *said)
    return Shift(draw.sayings(said, [f"a man, {man}", f"a woman, {woman}"], moved), moved)


def phones(recogniser: Recogniser, names: list[str], *, seed: int = 0) -> Phones:
    """The spectrograms in which the network is surest of the phones `names`. Raises InputError if it knows no such phone."""
    found = show.phone_pattern(recogniser, names, seed=seed)
    energies = found.input[:, 0].transpose(1, 2)
    return Phones(draw.patterns(energies, names), energies)


def heard(recogniser: Recogniser, samples: Tensor) -> Heard:
    """The spectrogram of `samples`, (N,) in [-1, 1] at 16 kHz, over the phones that `recogniser` hears."""
    found = list(recognise(recogniser, [samples]))
    return Heard(draw.recognised(LogMel()(samples), found), found)
