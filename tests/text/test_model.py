from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from convsight import InputError
from convsight.network import save
from convsight.text import encode, model
from convsight.text.slots import features, windows

GOOD = ["a fine film", "truly fine , truly moving", "moving and fine", "fine", "a moving film , fine at last"] * 8
BAD = ["a dull film", "truly dull , truly silly", "silly and dull", "dull", "a silly film , dull at last"] * 8
TEXTS, LABELS = GOOD + BAD, [1] * len(GOOD) + [0] * len(BAD)
PLAN = replace(model.PLAN, epochs=6, batch=10)


def small(embeddings: model.Embeddings = "rand", width: int = 12) -> model.Classifier:
    vocabulary = encode.vocabulary(TEXTS)
    random = np.random.default_rng(0)
    vectors = {word: random.normal(size=width).astype(np.float32) for word in ("fine", "dull", "film", "a")}
    given = None if embeddings == "rand" else vectors
    return model.untrained(vocabulary, ("bad", "good"), embeddings=embeddings, vectors=given)


@pytest.mark.parametrize("embeddings", ["rand", "static", "non-static", "multichannel"])
def test_each_kind_of_embedding_learns_and_moves_what_it_says(embeddings: model.Embeddings) -> None:
    start = small(embeddings)
    before = [table.clone() for table in start.tables]
    learnt = model.fit(start, TEXTS, LABELS, plan=PLAN, device="cpu")
    assert learnt.logits(["a fine film", "dull and silly"]).argmax(1).tolist() == [1, 0]
    moved = [not torch.equal(table, each) for table, each in zip(learnt.tables, before, strict=True)]
    assert moved == {"rand": [True], "static": [False], "non-static": [True], "multichannel": [False, True]}[embeddings]
    assert all((table[encode.PADDING] == 0).all() for table in learnt.tables)
    assert all(torch.equal(table, each) for table, each in zip(start.tables, before, strict=True))


def test_what_is_given_stays_as_it_is() -> None:
    start = small()
    before = start.logits(TEXTS)
    first = model.fit(start, TEXTS, LABELS, plan=PLAN, seed=0, device="cpu")
    second = model.fit(start, TEXTS, LABELS, plan=PLAN, seed=1, device="cpu")
    assert torch.equal(replace(start).logits(TEXTS), before)
    assert not torch.equal(first.logits(TEXTS), second.logits(TEXTS))
    with torch.no_grad():
        sentences = [first.vocabulary.numbers(text) for text in TEXTS]
        answers = first.network.module(first.embedded(sentences))
    assert first.logits(TEXTS).numpy() == pytest.approx(answers.numpy(), abs=1e-5)


def test_the_same_seed_gives_the_same_network() -> None:
    first, second = (model.fit(small(), TEXTS, LABELS, plan=PLAN, seed=3, device="cpu").logits(TEXTS) for _ in range(2))
    assert torch.equal(first, second)


def test_no_class_weighs_more_than_the_norm() -> None:
    start = small()
    with torch.no_grad():
        start.network.module.output.weight.mul_(100)
    norms = []

    def note(output: torch.nn.Module, _inputs: object, _answers: object) -> None:
        norms.append(float(output.weight.detach().norm(dim=1).max()))

    start.network.module.output.register_forward_hook(note)
    learnt = model.fit(start, TEXTS, LABELS, plan=replace(PLAN, epochs=3), device="cpu")
    norms.append(float(learnt.network.module.output.weight.detach().norm(dim=1).max()))
    assert len(norms) == 25 and norms[0] == pytest.approx(model.LONGEST_NORM)
    assert max(norms) <= model.LONGEST_NORM * (1 + 1e-5)


@pytest.mark.parametrize("embeddings", ["rand", "multichannel"])
def test_tabulated_slots_answer_as_the_network_does(embeddings: model.Embeddings) -> None:
    classifier = small(embeddings)
    sentences = [classifier.vocabulary.numbers(text) for text in [*TEXTS, "", "fine", "a a a a a a a"]]
    with torch.no_grad():
        expected = classifier.network.module.eval()(classifier.embedded(sentences))
    assert classifier.logits([*TEXTS, "", "fine", "a a a a a a a"]).numpy() == pytest.approx(expected.numpy(), abs=1e-5)


WORDS = st.sampled_from(["fine", "dull", "film", "a", ",", "unheard"])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(WORDS, max_size=30).map(" ".join), min_size=1, max_size=40), st.integers(1, 9))
def test_what_a_sentence_is_batched_with_cannot_be_seen(texts: list[str], batch: int) -> None:
    classifier = small()
    together = classifier.logits(texts, batch=batch)
    alone = torch.cat([classifier.logits([text]) for text in texts])
    assert torch.equal(together, alone)
    numbers = encode.padded([classifier.vocabulary.numbers(text) for text in texts])[:, 0, 0].long()
    longer = torch.nn.functional.pad(numbers, (0, 17))
    assert torch.equal(features(classifier.slots, numbers), features(classifier.slots, longer))


def test_a_long_text_is_read_in_parts_as_if_whole() -> None:
    classifier = small()
    numbers = torch.randint(1, len(classifier.vocabulary), (2, 4_321), generator=torch.Generator().manual_seed(0))
    whole = torch.cat([each.amax(1) for each in windows(classifier.slots, numbers)], 1).relu()
    assert torch.equal(features(classifier.slots, numbers), whole)


@pytest.mark.slow
def test_ten_megabytes_in_one_line_are_learnt_from_and_classified() -> None:
    long = "fine film , a " * 700_000
    start = model.untrained_for([*TEXTS, long], ("bad", "good"))
    learnt = model.fit(start, [*TEXTS, long], [*LABELS, 1], plan=replace(PLAN, epochs=1), device="cpu")
    assert torch.equal(learnt.logits([long])[0], learnt.logits([long, "a"])[0])


def test_of_a_long_text_the_beginning_is_learnt() -> None:
    rest = [[2] * 10, [3] * (model.LEARNT_WORDS + 500)]
    inputs, _ = next(iter(model.batches(rest, [0, 1], batch=2, seed=0)(0)))
    assert inputs.shape[-1] == model.LEARNT_WORDS + 1


def test_windows_cover_every_word_by_every_slot() -> None:
    classifier = small()
    numbers = encode.padded([classifier.vocabulary.numbers("fine film")])[:, 0, 0].long()
    for answers, table, bias in zip(
        windows(classifier.slots, numbers), classifier.slots.tables, classifier.slots.biases, strict=True
    ):
        reach = table.shape[1]
        assert answers.shape[1] == 3 + reach - 1
        first, film = numbers[0, :2]
        assert torch.allclose(answers[0, 0], table[first, reach - 1] + bias, atol=1e-6)
        assert torch.allclose(answers[0, reach - 1], table[first, 0] + table[film, 1] + bias, atol=1e-6)
        assert torch.allclose(answers[0, -1], bias, atol=1e-6)


def test_the_order_of_a_vectors_numbers_says_nothing() -> None:
    """Lecture, row L11: filters span the embedding, so its dimensions may be shuffled, with the filters' alike."""
    classifier = small("static")
    order = torch.randperm(12)
    for each in classifier.network.module.convolutions.children():
        if isinstance(each, torch.nn.Conv2d):
            each.weight.data = each.weight.data[:, :, order]
    shuffled = replace(classifier, tables=tuple(table[:, order] for table in classifier.tables))
    assert shuffled.logits(TEXTS).numpy() == pytest.approx(small("static").logits(TEXTS).numpy(), abs=1e-6)


def test_a_classifier_survives_being_saved() -> None:
    learnt = model.fit(small("multichannel"), TEXTS, LABELS, plan=PLAN, device="cpu")
    model.save_classifier(learnt, Path("mine.safetensors"))
    opened = model.load_classifier("mine.safetensors")
    assert opened.vocabulary == learnt.vocabulary and opened.network.labels == ("bad", "good")
    assert opened.logits(TEXTS).numpy() == pytest.approx(learnt.logits(TEXTS).numpy(), abs=0.02)  # vectors in half precision
    sentences = [opened.vocabulary.numbers(text) for text in TEXTS]
    with torch.no_grad():  # nothing drops out
        answers = [opened.network.module(opened.embedded(sentences)) for _ in range(2)]
    assert torch.equal(*answers) and answers[0].numpy() == pytest.approx(opened.logits(TEXTS).numpy(), abs=1e-5)
    model.save_classifier(opened, Path("again.safetensors"))
    assert torch.equal(model.load_classifier("again.safetensors").logits(TEXTS), opened.logits(TEXTS))


def test_what_cannot_be_is_said() -> None:
    vocabulary = encode.vocabulary(TEXTS)
    with pytest.raises(InputError, match="static needs word vectors"):
        model.untrained(vocabulary, ("bad", "good"), embeddings="static")
    with pytest.raises(InputError, match="two classes at least, not 1"):
        model.untrained(vocabulary, ("bad",))
    with pytest.raises(InputError, match="not one text"):
        small().probabilities("fine")
    with pytest.raises(InputError, match="rand begins without word vectors"):
        model.untrained_for(TEXTS, ("bad", "good"), embeddings="rand", vectors=lambda _: {})
    with pytest.raises(InputError, match="no text has a word as the tokeniser english reads it"):
        model.untrained_for(["很好", "不好"], ("bad", "good"))
    with pytest.raises(InputError, match="no network for text"):
        model.load_classifier("digits")
    learnt = small()
    model.save_classifier(replace(learnt, tables=(learnt.tables[0][:, :5],)), Path("other.safetensors"))
    with pytest.raises(InputError, match="not those that its network was trained on"):
        model.load_classifier("other.safetensors")
    model.save_classifier(learnt, Path("own.safetensors"))
    with safetensors.safe_open("own.safetensors", "pt") as opened:
        said = opened.metadata()
    for change in (lambda table: table.flip(0), lambda table: table * torch.nan, lambda table: table.short()):
        tensors = load_file("own.safetensors")
        (name,) = (each for each in tensors if each.endswith("words0"))
        save_file({**tensors, name: change(tensors[name]).contiguous()}, "other.safetensors", said)
        with pytest.raises(InputError, match="not those that its network was trained on"):
            model.load_classifier("other.safetensors")
    older = {"words": list(learnt.vocabulary.words), "tokeniser": "english", "embeddings": learnt.embeddings}
    save(learnt.network, "older.safetensors", {"words0": learnt.tables[0].half()}, older)
    with pytest.raises(InputError, match=r"older\.safetensors is of an earlier version"):
        model.load_classifier("older.safetensors")


def test_unknown_words_get_the_variance_of_the_known() -> None:
    vocabulary = encode.Vocabulary(("", "", *(f"word{number}" for number in range(4000))))
    random = np.random.default_rng(0)
    known = {f"word{number}": random.normal(3, 7, 20).astype(np.float32) for number in range(2000)}
    table = model.first_vectors(vocabulary, known)
    assert float(table[2002:].std()) == pytest.approx(float(table[2:2002].std()), rel=0.02)
    assert float(table[2:2002].mean()) == pytest.approx(0, abs=1e-4) and (table[0] == 0).all()
