"""What a filter looks for, as words, and which words of a text decide.

A filter is linear in the vectors under it, so the n-gram that it answers most strongly is found exactly, slot by slot, without
a search. Thresholds and negative n-grams follow Jacovi, Shalom, Goldberg 2018, "Understanding convolutional neural networks for
text classification".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape

import torch
from torch import Tensor

from convsight.errors import InputError
from convsight.text.encode import PADDING, UNKNOWN, of_similar_length, padded
from convsight.text.model import Classifier
from convsight.text.slots import Slots, around, features, windows

PURITY, NGRAMS, FILTERS_A_CLASS = 0.75, 10, 3
_BATCH = 256


@dataclass(frozen=True)
class NGram:
    """Words under a filter, one a slot, "" where there is none; what each adds to the filter's answer, and the answer."""

    words: tuple[str, ...]
    added: tuple[float, ...]
    answer: float

    def __str__(self) -> str:
        return " ".join(each or "·" for each in self.words)


@dataclass(frozen=True)
class Part:
    """What one filter contributes to the decision on a text: its n-gram, where its first word is, and logit by class."""

    filter: int
    start: int
    ngram: NGram
    contribution: tuple[float, ...]


@dataclass(frozen=True)
class Explanation:
    """A text's words, the filters that answer to it, those first that decide most, and what the last layer adds by class.

    The contributions of `parts` and `bias` add up to `logits`. `by_word`: (words, classes), how much of that each word carries;
    with `constant`, by class, it adds up to the same.
    """

    words: tuple[str, ...]
    labels: tuple[str, ...]
    parts: tuple[Part, ...] = field(repr=False)
    bias: tuple[float, ...]
    logits: tuple[float, ...]
    by_word: Tensor = field(repr=False)
    constant: tuple[float, ...]

    @property
    def label(self) -> str:
        """The class with the highest logit."""
        return self.labels[max(range(len(self.labels)), key=self.logits.__getitem__)]

    def weights(self) -> list[float]:
        """How much each word speaks for the class, or under 0 against it, as a part of what the strongest does."""
        for_it: list[float] = against_others(self.by_word, self.labels.index(self.label)).tolist()
        strongest = max(map(abs, for_it), default=0.0) or 1.0
        return [each / strongest for each in for_it]

    def rows(self, most: int = NGRAMS) -> list[tuple[str, str, tuple[float, ...]]]:
        """N-gram, filter and contributions of the `most` strongest, of the others, of the bias; and the logits, their sum."""
        rest = [part.contribution for part in self.parts[most:]]
        return [
            *((str(part.ngram), str(part.filter), part.contribution) for part in self.parts[:most]),
            (f"{len(rest)} other filters", "", tuple(sum(each) for each in zip((0.0,) * len(self.bias), *rest, strict=True))),
            ("the same for every text", "", self.bias),
            ("logit", "", self.logits),
        ]

    def html(self, most: int = NGRAMS) -> str:
        """The words, green where they speak for the class and red where against it, and a table of `rows`."""
        shades = (f"rgba({'0,140,60' if each > 0 else '200,40,40'},{abs(each):.2f})" for each in self.weights())
        spans = (f'<span style="background:{shade}">{escape(w)}</span>' for w, shade in zip(self.words, shades, strict=True))
        head = "".join(f"<th>{escape(each)}</th>" for each in ("n-gram", "filter", *self.labels))
        lines = "".join(
            f"<tr><td>{escape(ngram)}</td><td>{number}</td>{''.join(f'<td>{each:+.3f}</td>' for each in contributions)}</tr>"
            for ngram, number, contributions in self.rows(most)
        )
        return (
            f"<p><b>{escape(self.label)}</b> (green speaks for it, red against it): {' '.join(spans)}</p>"
            f"<table><tr>{head}</tr>{lines}</table>"
        )

    def _repr_html_(self) -> str:
        return self.html()


def filters(slots: Slots) -> list[tuple[int, int]]:
    """Of each filter, in the order of the features, its group among `slots.tables` and its place there."""
    return [(group, place) for group, table in enumerate(slots.tables) for place in range(table.shape[2])]


def best_ngram(classifier: Classifier, number: int) -> NGram:
    """The words of the vocabulary that filter `number` answers most strongly to: exactly, the best word in each slot.

    Raises InputError if there is no such filter.
    """
    added = _added(classifier, number)
    return _ngram(classifier, number, added[UNKNOWN + 1 :].argmax(0) + UNKNOWN + 1)


def best_words(classifier: Classifier, number: int, count: int = 5) -> list[list[str]]:
    """For each slot of filter `number` the words that add most, in falling order. Raises InputError as `best_ngram` does."""
    added = _added(classifier, number)[UNKNOWN + 1 :]
    best = added.topk(min(count, len(added)), 0).indices + UNKNOWN + 1
    return [[classifier.vocabulary.words[each] for each in column] for column in best.T.tolist()]


def exciting(classifier: Classifier, number: int, texts: Iterable[str], count: int = NGRAMS) -> list[NGram]:
    """The n-grams of `texts` that filter `number` answers to most, each once, strongest first."""
    added = _added(classifier, number)
    reach = added.shape[1]
    best = torch.empty(0, reach, dtype=torch.int64)
    for numbers in _batches(classifier, texts):
        ngrams = around(numbers, reach).unfold(1, reach, 1).flatten(0, 1)
        seen = torch.unique(torch.cat([best, ngrams[(ngrams != PADDING).any(1)]]), dim=0)
        answers = added[seen, torch.arange(reach)].sum(1)
        best = seen[answers.topk(min(count, len(seen))).indices]
    return [_ngram(classifier, number, each) for each in best]


def explain(classifier: Classifier, text: str) -> Explanation:
    """Which n-grams of `text` decide, and by how much."""
    slots, tokens = classifier.slots, classifier.vocabulary.split(text)
    numbers = padded([classifier.vocabulary.numbers(text)])[:, 0, 0].long()
    by_word = torch.zeros(len(tokens), len(classifier.network.labels))
    constant = slots.bias.clone()
    parts: list[Part] = []
    first = 0
    for table, bias, answers in zip(slots.tables, slots.biases, windows(slots, numbers), strict=True):
        reach, count = table.shape[1:]
        strongest, where = answers[0].max(0)
        answering = (strongest > 0).nonzero()[:, 0]
        weight = slots.weight[:, first + answering].T
        slot = torch.arange(reach)
        under = around(numbers[0], reach).unfold(0, reach, 1)[where[answering]]
        added = table[under, slot, answering[:, None]]
        at = where[answering, None] - (reach - 1) + slot
        inside = (at >= 0) & (at < len(tokens))
        by_word.index_add_(0, at[inside], (added[..., None] * weight[:, None])[inside])
        constant += (weight * bias[answering, None]).sum(0)
        columns = first + answering, at, added, added.sum(1) + bias[answering], weight * strongest[answering, None]
        for number, places, adds, answer, contribution in zip(*(each.tolist() for each in columns), strict=True):
            words = tuple(tokens[place] if 0 <= place < len(tokens) else "" for place in places)
            parts.append(Part(number, places[0], NGram(words, tuple(adds), answer), tuple(contribution)))
        first += count
    logits = classifier.logits([text])[0].tolist()
    label = logits.index(max(logits))
    strength = against_others(torch.tensor([part.contribution for part in parts]).view(-1, len(logits)), label).abs().tolist()
    parts = [parts[place] for place in sorted(range(len(parts)), key=lambda place: -strength[place])]
    return Explanation(
        tuple(tokens), classifier.network.labels, tuple(parts), tuple(slots.bias.tolist()), tuple(logits), by_word,
        tuple(constant.tolist()),
    )  # fmt: skip


def against_others(values: Tensor, label: int) -> Tensor:
    """(N, classes) to (N,): how much each speaks for `label`, beyond the mean of the other classes."""
    others = [each for each in range(values.shape[1]) if each != label]
    return values[:, label] - values[:, others].mean(1)


def thresholds(classifier: Classifier, texts: Sequence[str], labels: Sequence[int], purity: float = PURITY) -> list[float]:
    """For each filter the answer from which on it tells something: of the texts with more, `purity` are of its class.

    The filter's class is the one that its weight speaks for most. Infinity where no answer is that telling.
    """
    strongest = torch.zeros(len(texts), len(filters(classifier.slots)))
    sentences = [classifier.vocabulary.numbers(each) for each in texts]
    for some in of_similar_length(sentences, _BATCH):
        strongest[some] = features(classifier.slots, padded([sentences[each] for each in some])[:, 0, 0].long())
    truth = torch.tensor(labels)
    found = []
    for number, own in enumerate(classes_of_filters(classifier)):
        answers, order = strongest[:, number].sort(descending=True)
        right = (truth[order] == own).double().cumsum(0) / torch.arange(1, len(order) + 1)
        ends = torch.cat([answers[1:] < answers[:-1], torch.ones(1, dtype=torch.bool)])  # equal answers go together
        telling = answers[(right >= purity) & ends]
        found.append(float(telling[-1]) if len(telling) else float("inf"))
    return found


def classes_of_filters(classifier: Classifier) -> list[int]:
    """For each filter the class that it speaks for most."""
    weight = classifier.slots.weight
    return (weight - weight.mean(0)).argmax(0).tolist()


def weightiest(classifier: Classifier, count: int) -> list[int]:
    """For each class the `count` filters that speak for it most."""
    weight = classifier.slots.weight
    ranked = (weight - weight.mean(0)).topk(min(count, weight.shape[1]), 1).indices
    return [each for row in ranked.tolist() for each in row]


def looked_for(classifier: Classifier, number: int | None = None) -> list[tuple[int, NGram, str]]:
    """Filter `number`, or those of each class that weigh most: its best n-gram, and the class that it speaks for most.

    Raises InputError if it isn't there.
    """
    numbers = weightiest(classifier, FILTERS_A_CLASS) if number is None else [number]
    best = [best_ngram(classifier, each) for each in numbers]
    own = classes_of_filters(classifier)
    return [(each, ngram, classifier.network.labels[own[each]]) for each, ngram in zip(numbers, best, strict=True)]


def negatives(classifier: Classifier, number: int, ngram: NGram, threshold: float, count: int = 5) -> list[NGram]:
    """N-grams that differ from `ngram` in one word and leave filter `number` under `threshold`, the weakest first."""
    added = _added(classifier, number)
    numbers, found = [classifier.vocabulary.number(word) for word in ngram.words], []
    for slot, kept in enumerate(ngram.added):
        changed = ngram.answer - kept + added[UNKNOWN + 1 :, slot]
        for word in changed.topk(min(count, len(changed)), largest=False).indices.tolist():
            if changed[word] < threshold:
                other = torch.tensor([*numbers[:slot], word + UNKNOWN + 1, *numbers[slot + 1 :]])
                found.append(_ngram(classifier, number, other))
    return sorted(found, key=lambda each: each.answer)[:count]


def _batches(classifier: Classifier, texts: Iterable[str]) -> Iterator[Tensor]:
    sentences = [classifier.vocabulary.numbers(each) for each in texts]
    for some in of_similar_length(sentences, _BATCH):
        yield padded([sentences[each] for each in some])[:, 0, 0].long()


def _located(classifier: Classifier, number: int) -> tuple[int, int]:
    place = number
    for group, table in enumerate(classifier.slots.tables):
        if 0 <= place < table.shape[2]:
            return group, place
        place -= table.shape[2]
    count = len(filters(classifier.slots))
    raise InputError(f"there is no filter {number}: there are {count}, numbered 0 to {count - 1}")


def _added(classifier: Classifier, number: int) -> Tensor:
    """(V, k): what each word adds in each slot of the filter."""
    group, place = _located(classifier, number)
    return classifier.slots.tables[group][..., place]


def _ngram(classifier: Classifier, number: int, numbers: Tensor) -> NGram:
    group, place = _located(classifier, number)
    added = classifier.slots.tables[group][..., place].gather(0, numbers[None])[0]
    known = classifier.vocabulary.words
    words = tuple("" if each == PADDING else known[each] for each in numbers.tolist())
    return NGram(words, tuple(added.tolist()), float(added.sum() + classifier.slots.biases[group][place]))
