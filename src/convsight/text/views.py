"""Pictures of what a network for text reads, which notebooks show, with what they show."""

from __future__ import annotations

from dataclasses import dataclass

from convsight.pictures import View
from convsight.text import draw, show
from convsight.text.model import Classifier
from convsight.text.show import Explanation, NGram

FILTERS_A_CLASS = 3


@dataclass(frozen=True)
class Decision(View):
    """`told`: which words of a text decide."""

    told: Explanation


@dataclass(frozen=True)
class LookedFor(View):
    """`found`: for each of the filters `numbers` the n-gram that it answers most to; `labels`: the class it speaks for."""

    numbers: list[int]
    found: list[NGram]
    labels: list[str]


def decision(classifier: Classifier, text: str, *, most: int = show.NGRAMS) -> Decision:
    """Which words of `text` decide, over the `most` n-grams that do."""
    told = show.explain(classifier, text)
    return Decision(draw.explained(told, most=most), told)


def looked_for(classifier: Classifier, number: int | None = None) -> LookedFor:
    """What filter `number` looks for, or the three of each class that weigh most. Raises InputError if it isn't there."""
    numbers = show.weightiest(classifier, FILTERS_A_CLASS) if number is None else [number]
    found = [show.best_ngram(classifier, each) for each in numbers]
    own = show.classes_of_filters(classifier)
    labels = [classifier.network.labels[own[each]] for each in numbers]
    return LookedFor(draw.ngrams(found, labels), numbers, found, labels)
