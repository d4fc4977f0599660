from __future__ import annotations

from itertools import product
from math import fsum
from random import Random

import pytest
import torch

from convsight import InputError
from convsight.text import encode, model, show

WORDS = ("fine", "dull", "film", "a", "not", ",")


def untrained(words: tuple[str, ...] = WORDS) -> model.Classifier:
    vocabulary = encode.Vocabulary(("<padding>", "<unknown>", *words))
    made = model.untrained(vocabulary, ("bad", "good", "so"), seed=1)
    with torch.no_grad():
        for each in made.network.module.parameters():
            each.mul_(3)
    return made


@pytest.mark.parametrize("number", [0, 57, 99])
def test_the_best_ngram_is_what_trying_all_of_them_finds(number: int) -> None:
    classifier = untrained()
    filters = classifier.network.module.convolutions.conv1
    tried = list(product(range(2, 8), repeat=3))
    pictures = classifier.embedded(tried)[..., :3]
    with torch.no_grad():
        answers = torch.nn.functional.conv2d(pictures, filters.weight, filters.bias)[:, number, 0, 0]
    best = show.best_ngram(classifier, number)
    assert best.words == tuple(classifier.vocabulary.words[each] for each in tried[int(answers.argmax())])
    assert best.answer == pytest.approx(float(answers.max()), abs=1e-5)
    assert [column[0] for column in show.best_words(classifier, number)] == list(best.words)


@pytest.mark.parametrize("text", ["a fine film", "not a dull film , a film", "", "unheard of", "fine " * 40])
def test_contributions_add_up_to_the_logits(text: str) -> None:
    classifier = untrained()
    told = show.explain(classifier, text)
    with torch.no_grad():
        logits = classifier.network.module.eval()(classifier.embedded([classifier.vocabulary.numbers(text)]))[0]
    parts = torch.tensor([part.contribution for part in told.parts]).view(-1, 3).sum(0) + torch.tensor(told.bias)
    assert torch.allclose(parts, logits, atol=1e-5)
    assert torch.allclose(told.by_word.sum(0) + torch.tensor(told.constant), logits, atol=1e-4)
    assert told.label == classifier.network.labels[int(logits.argmax())]
    assert told.words == tuple(text.split())
    assert told._repr_html_().count("<span") == len(told.words)


def test_the_ngrams_of_texts_are_found_by_how_much_they_excite() -> None:
    classifier, texts = untrained(), ["a fine film", "not a dull film", "fine , fine , fine", *["fine film"] * 600]
    explained = [part for text in dict.fromkeys(texts) for part in show.explain(classifier, text).parts]
    for number in (3, 150, 299):
        group, _place = show.filters(classifier.slots)[number]
        reach = (3, 4, 5)[group]
        around = [["" for _ in range(reach - 1)] + text.split() + [""] * reach for text in texts]
        ngrams = {tuple(words[at : at + reach]) for words in around for at in range(len(words) - reach + 1)}
        ngrams -= {("",) * reach}
        pictures = classifier.embedded([[classifier.vocabulary.number(word) for word in each] for each in sorted(ngrams)])
        layer = [each for each in classifier.network.module.convolutions.children() if isinstance(each, torch.nn.Conv2d)][group]
        with torch.no_grad():
            true = torch.nn.functional.conv2d(pictures[..., :reach], layer.weight, layer.bias)[:, number % 100, 0, 0]
        found = show.exciting(classifier, number, texts, count=6)
        assert len({each.words for each in found}) == 6 and {each.words for each in found} <= ngrams
        answers = [each.answer for each in found]
        assert answers == pytest.approx(sorted(true.tolist(), reverse=True)[:6], abs=1e-5)
        told = [part for part in explained if part.filter == number]
        if told:
            assert answers[0] == pytest.approx(max(part.ngram.answer for part in told), abs=1e-5)


def test_a_threshold_is_where_enough_texts_are_of_the_filters_class() -> None:
    classifier = untrained()
    texts = ["fine film", "dull film", "not fine", "a film", "fine", ", dull", "fine fine", "a , a"] * 3
    labels = [number % 8 % 3 for number in range(len(texts))]
    found = show.thresholds(classifier, texts, labels, purity=0.6)
    own = show.classes_of_filters(classifier)
    sentences = [classifier.vocabulary.numbers(text) for text in texts]
    with torch.no_grad():
        strongest = classifier.network.module.convolutions(classifier.embedded(sentences))
    for number, threshold in enumerate(found):
        above = [label for label, each in zip(labels, strongest[:, number].tolist(), strict=True) if each >= threshold - 1e-6]
        assert threshold == float("inf") or sum(label == own[number] for label in above) >= 0.6 * len(above) > 0
        for lower in {each for each in strongest[:, number].tolist() if each < threshold - 1e-6}:
            above = [label for label, each in zip(labels, strongest[:, number].tolist(), strict=True) if each >= lower]
            assert sum(label == own[number] for label in above) < 0.6 * len(above)
    assert any(each < float("inf") for each in found)


def test_negative_ngrams_differ_in_one_word_and_stay_under_the_threshold() -> None:
    classifier = untrained()
    best = show.best_ngram(classifier, 120)
    found = show.negatives(classifier, 120, best, best.answer - 0.5)
    words = classifier.vocabulary.words[2:]
    changed = [[*best.words[:slot], word, *best.words[slot + 1 :]] for slot in range(len(best.words)) for word in words]
    pictures = classifier.embedded([[classifier.vocabulary.number(word) for word in each] for each in changed])[..., :4]
    filters = classifier.network.module.convolutions.conv2
    with torch.no_grad():
        answers = torch.nn.functional.conv2d(pictures, filters.weight, filters.bias)[:, 20, 0, 0]
    assert found and found[0].answer == pytest.approx(float(answers.min()), abs=1e-4)
    for each in found:
        assert sum(ours != theirs for ours, theirs in zip(each.words, best.words, strict=True)) == 1
        assert each.answer < best.answer - 0.5
    assert show.negatives(classifier, 120, best, -100.0) == []


def test_a_filter_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="there are 300, numbered 0 to 299"):
        show.best_ngram(untrained(), 300)


def test_contributions_add_up_in_a_thousand_sentences_with_the_network_that_ships() -> None:
    classifier = model.load_classifier("text")
    random = Random(0)
    known = classifier.vocabulary.words[2:]
    texts = [" ".join(random.choices([*known[:300], *random.sample(known, 300), "unheard-of"], k=random.randrange(40)))
             for _ in range(1_000)]  # fmt: skip
    logits = classifier.logits(texts)
    told = [show.explain(classifier, each) for each in texts]
    sums = torch.tensor(
        [[fsum(each) for each in zip(*(part.contribution for part in one.parts), one.bias, strict=True)] for one in told]
    )
    assert (sums - logits).abs().max() <= 1e-5
    assert len(set(logits.argmax(1).tolist())) == 2
