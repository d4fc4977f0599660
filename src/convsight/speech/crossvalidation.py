"""How well a recogniser hears someone it has never heard: each speaker of a corpus in turn is left out, and judged by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch.nn.functional as F  # noqa: N812 (the field's name for it)

from convsight.errors import InputError
from convsight.speech.data import Corpus
from convsight.speech.recognise import Recogniser
from convsight.speech.score import Score, score
from convsight.speech.words import Lexicon, words


@dataclass(frozen=True)
class Fold:
    """How well `speaker`, who was left out, is heard; `right`: the part of their `count` recordings with all words right."""

    speaker: str
    count: int
    score: Score
    right: float | None


def folds(known: Corpus, learn: Callable[[str, Corpus], Recogniser], *, lexicon: Lexicon | None = None) -> Iterator[Fold]:
    """A fold for each speaker of `known`, who is judged by what `learn(speaker, others)` makes of the others.

    `lexicon`: also judge by the words that it finds.
    Raises InputError if there is one speaker only.
    """
    speakers = sorted(set(known.speakers))
    if len(speakers) < 2:
        raise InputError(f"there must be two speakers at least to leave one out, not {len(speakers)}")
    for speaker in speakers:
        others, own = known.of([speaker], others=True), known.of([speaker])
        recogniser = learn(speaker, others)
        right = words_right(recogniser, own, lexicon) if lexicon else None
        yield Fold(speaker, len(own), score(recogniser, own), right)


def words_right(recogniser: Recogniser, known: Corpus, lexicon: Lexicon) -> float:
    """The part of the recordings whose row of words is just that of their labels."""
    right = 0
    for features, labels in zip(known.features, known.labels, strict=True):
        said = (100.0 * (F.one_hot(labels, len(recogniser.phones)) - 1)).float()
        spoken, heard = (
            [each.word for each in words([answers], recogniser.phones, lexicon)]
            for answers in (said, recogniser.answers(features))
        )
        right += spoken == heard
    return right / len(known)
