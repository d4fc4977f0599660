"""When phones that are known to be spoken are spoken, by a network's answers: the likeliest path through their row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Tensor

from convsight.speech import decode
from convsight.speech.audio import RATE
from convsight.speech.encode import features
from convsight.speech.phones import SILENCE
from convsight.speech.recognise import Recogniser, check_timed
from convsight.speech.segments import Segment

_LEAST = 3  # frames of a phone, as the states of Kaldi's
_NEVER = float("-inf")


def retimed(recogniser: Recogniser, samples: Tensor, segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """The phones of `segments` when `recogniser` hears them in `samples`, (N,) in [-1, 1] at 16 kHz.

    Silence may be at both ends, and where `segments` has it. If the sound is too short for all, they stay as they are.
    Raises InputError if `recogniser` doesn't know when phones are spoken.
    """
    check_timed(recogniser)
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
    """For each frame the place in `row`, whose phones follow one another, silences or none between them.

    The likeliest path (Viterbi 1967) through the states of all phones, from each to itself, the next, or over a silence.
    """
    places = [place for place, phone in enumerate(row) for _ in range(1 if phone == silence else _LEAST)]
    heard = answers[:, [row[place] for place in places]]
    quiet = [row[place] == silence for place in places]
    ends = [place != after for place, after in pairwise([*places, -1])]
    over = [last and silent for last, silent in zip(ends, [*quiet[1:], False], strict=True)]
    stay, leap = (torch.zeros(len(places)).masked_fill(~torch.tensor(each), _NEVER) for each in (ends, over))
    scores = heard[0].clone()
    scores[1 + quiet[0] :] = _NEVER
    came = []
    for frame in heard[1:]:
        ways = [scores + stay, F.pad(scores[:-1], (1, 0), value=_NEVER), F.pad((scores + leap)[:-2], (2, 0), value=_NEVER)]
        best = torch.stack([each[: len(scores)] for each in ways]).max(0)
        scores = best.values + frame
        came.append(best.indices.to(torch.int8))
    state = len(places) - 1 - (quiet[-1] and bool(scores[-2] > scores[-1]) if len(places) > 1 else 0)
    path = [state]
    for each in reversed(came):
        path.append(path[-1] - int(each[path[-1]]))
    return [places[state] for state in reversed(path)]
