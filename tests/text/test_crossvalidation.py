from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from convsight import InputError
from convsight.text import crossvalidation, model
from convsight.text.data import Labelled

GOOD = [f"{word} fine film number {number}" for number in range(15) for word in ("a", "the")]
BAD = [text.replace("fine", "dull") for text in GOOD]


def written() -> Path:
    Path("sets/mr").mkdir(parents=True)
    Path("sets/mr/pos.txt").write_text("\n".join(GOOD))
    Path("sets/mr/neg.txt").write_text("\n".join(BAD))
    Path("sets/sst2").mkdir()
    for name, some in (("train", 20), ("test", 5), ("dev", 3)):
        rows = [f"1 {text}" for text in GOOD[:some]] + [f"0 {text}" for text in BAD[:some]]
        Path(f"sets/sst2/{name}.txt").write_text("\n".join(rows))
    return Path("sets")


def test_a_set_is_folded_or_has_its_own_split() -> None:
    known = dict(crossvalidation.sets(written()))
    assert list(known) == ["mr", "sst2"] and [len(each) for each in known.values()] == [10, 1]
    tested = [text for _, test in known["mr"] for text in test.texts]
    assert sorted(tested) == sorted(GOOD + BAD)
    for learnt, test in known["mr"]:
        assert not set(learnt.texts) & set(test.texts) and len(learnt) + len(test) == 60
    (own,) = known["sst2"]
    assert (len(own[0]), len(own[1])) == (40, 10)
    with pytest.raises(InputError, match="no folder of sets"):
        list(crossvalidation.sets(Path("none")))
    Path("few/mr").mkdir(parents=True)
    Path("few/mr/pos.txt").write_text("fine\nso fine\n")
    Path("few/mr/neg.txt").write_text("dull\n")
    with pytest.raises(InputError, match="has 3 texts; 10 folds need 10 at least"):
        list(crossvalidation.sets(Path("few")))


def test_what_can_be_learnt_is_and_the_words_of_a_test_are_not_learnt() -> None:
    learnt, tested = dict(crossvalidation.sets(written()))["mr"][0]
    plan = replace(model.PLAN, epochs=8, batch=10)
    assert crossvalidation.accuracy(learnt, tested, embeddings="rand", vectors=None, plan=plan) == 1.0


@pytest.mark.parametrize("embeddings", ["rand", "static", "non-static", "multichannel"])
def test_of_a_test_neither_texts_nor_labels_are_learnt(monkeypatch: pytest.MonkeyPatch, embeddings: model.Embeddings) -> None:
    """The classic leak: with other labels and texts to test by, the very same network is learnt."""
    learnt, tested = dict(crossvalidation.sets(written()))["mr"][0]
    networks = []

    def kept(*given: object, **options: object) -> model.Classifier:
        networks.append(fit(*given, **options))
        return networks[-1]

    fit = model.fit
    monkeypatch.setattr(model, "fit", kept)
    words = ("a", "the", "fine", "dull", "film", "another", "number")
    vectors = {word: np.random.default_rng(place).standard_normal(20).astype(np.float32) for place, word in enumerate(words)}
    plan = replace(model.PLAN, epochs=3, batch=10)
    wrong = Labelled(("another text zzz", *tested.texts[1:]), tuple(reversed(tested.labels)))
    accuracies = [
        crossvalidation.accuracy(learnt, each, embeddings=embeddings, vectors=vectors, plan=plan) for each in (tested, wrong)
    ]
    assert torch.equal(*(each.logits(learnt.texts) for each in networks)) and len(set(accuracies)) == 2
