"""Pictures of what a network for text reads, which notebooks show, with what they show."""

from __future__ import annotations

from dataclasses import dataclass

from convsight.pictures import View
from convsight.text import draw, show
from convsight.text.model import Classifier
from convsight.text.show import Explanation, NGram


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
    numbers, found, labels = (list(each) for each in zip(*show.looked_for(classifier, number), strict=True))
    return LookedFor(draw.ngrams(found, labels), numbers, found, labels)
