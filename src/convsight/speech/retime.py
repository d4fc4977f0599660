"""When phones that are known to be spoken are spoken, by a network's answers: the likeliest path through their row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from convsight.speech import decode
from convsight.speech.audio import RATE
from convsight.speech.encode import features
from convsight.speech.phones import SILENCE
from convsight.speech.recognise import Recogniser
from convsight.speech.segments import Segment

_LEAST = 3  # frames of a phone, as the states of Kaldi's
_NEVER = -1e4


def retimed(recogniser: Recogniser, samples: Tensor, segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The phones of `segments` when `recogniser` hears them in `samples`, (N,) in [-1, 1] at 16 kHz.

    Silence may be at both ends, and where `segments` has it. If the sound is too short for all, they stay as they are.
    """
    answers = recogniser.answers(features(samples))
    row = [SILENCE, *(each.phone for each in segments if each.phone), SILENCE]
    row = [phone for place, phone in enumerate(row) if phone != SILENCE or row[place - 1] != SILENCE or place == 0]
    if sum(_LEAST for phone in row if phone != SILENCE) > len(answers):
        return tuple(segments)
    path = _path(answers, [recogniser.phones.index(phone) for phone in row], recogniser.phones.index(SILENCE))
    found = decode.segments(path, row)
    found[0] = replace(found[0], start=0.0)
    found[-1] = replace(found[-1], end=len(samples) / RATE)
    return tuple(found)


def _path(answers: Tensor, row: Sequence[int], silence: int) -> list[int]:
    """For each frame the place in `row`, whose phones follow one another, silences or none between them."""
    states = [(place, phone) for place, phone in enumerate(row) for _ in range(1 if phone == silence else _LEAST)]
    heard = answers[:, [phone for _, phone in states]].clone()
    quiet = [phone == silence for _, phone in states]
    last_of = [place == len(states) - 1 or states[place][0] != states[place + 1][0] for place in range(len(states))]
    steps = torch.full((len(states), len(states)), _NEVER)
    for place, ends in enumerate(last_of):
        if ends:
            steps[place, place] = 0.0
        if place + 1 < len(states):
            steps[place, place + 1] = 0.0
        if ends and place + 2 < len(states) and quiet[place + 1]:
            steps[place, place + 2] = 0.0
    heard[0, 1 + quiet[0] :] = _NEVER
    heard[-1, : len(states) - 1 - quiet[-1]] = _NEVER
    return [states[each][0] for each in decode.path(heard, steps)]
