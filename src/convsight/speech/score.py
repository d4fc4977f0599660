"""How well phones are recognised: phone error rate, errors of frames, and which phones are taken for which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from convsight.errors import extra
from convsight.speech.data import Corpus
from convsight.speech.phones import SILENCE, VOICED
from convsight.speech.recognise import Recogniser


@dataclass(frozen=True)
class Score:
    """Parts of one: `phone_error`, substituted, left out and put in, of all phones that are spoken, silence not counted;
    `frame_error` of the frames with speech, and of those with `voiced` and `unvoiced` phones.

    `confusion`: (phones, phones), how many frames of the row's phone were taken for the column's.
    """

    phone_error: float
    frame_error: float
    voiced: float
    unvoiced: float
    confusion: Tensor


def score(recogniser: Recogniser, corpus: Corpus) -> Score:
    """How well `recogniser` hears `corpus`, utterance by utterance."""
    phones = recogniser.phones
    count = len(phones)
    confusion = torch.zeros(count, count, dtype=torch.int64)
    spoken, heard = [], []
    for features, labels in zip(corpus.features, corpus.labels, strict=True):
        found = recogniser.path(features)
        spoken.append(string(labels.tolist(), phones))
        heard.append(string(found, phones))
        confusion += torch.bincount(labels * count + torch.tensor(found), minlength=count * count).view(count, count)
    voiced = torch.tensor([phone in VOICED for phone in phones])
    speech = torch.tensor([phone != SILENCE for phone in phones])
    return Score(
        phone_error(spoken, heard), _wrong(confusion, speech), _wrong(confusion, voiced), _wrong(confusion, speech & ~voiced),
        confusion,
    )  # fmt: skip


def string(frames: Iterable[int], phones: Sequence[str]) -> list[str]:
    """The phone string of a row of frames, without silence."""
    return [phones[each] for each, _ in groupby(frames) if phones[each] != SILENCE]


def phone_error(spoken: Sequence[Sequence[str]], heard: Sequence[Sequence[str]]) -> float:
    """Phones substituted, left out and put in, by the cheapest way, of all that were `spoken`; over 1 if many are put in."""
    jiwer = extra("jiwer", "speech")
    pairs = [(" ".join(each), " ".join(other)) for each, other in zip(spoken, heard, strict=True)]
    counted = [jiwer.process_words(each, other) for each, other in pairs if each]
    errors = sum(each.substitutions + each.deletions + each.insertions for each in counted)
    put_in = sum(len(other.split()) for each, other in pairs if not each)
    return float((errors + put_in) / max(1, sum(map(len, spoken))))


def _wrong(confusion: Tensor, rows: Tensor) -> float:
    some = confusion[rows].sum()
    right = confusion.diagonal()[rows].sum()
    return float((some - right) / some.clamp_min(1))
