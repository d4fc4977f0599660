from __future__ import annotations

import itertools
import math
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from convsight import layers
from convsight import network as networks
from convsight.architecture import parameters
from convsight.errors import InputError
from convsight.speech import data, decode, encode, model, phones, recognise, score, segments, sentences, synthesis
from convsight.speech.recognise import Recogniser
from convsight.training import Plan

SOUNDS = [synthesis.utterance(text, "m1", seed=place) for place, text in enumerate(sentences.sentences(24))]
KNOWN = data.corpus(
    (heard, segments.frame_labels(rows, heard.shape[2], phones.PHONES), "m1")
    for samples, rows in SOUNDS
    for heard in [encode.features(samples)]
)


@pytest.fixture(scope="module")
def learnt() -> Recogniser:
    small = recognise.beginning(model.recogniser(filters=12), KNOWN)
    return recognise.fit(small, KNOWN, plan=Plan(30, 4, model.PLAN.optimizer), device="cpu")


def test_it_learns(learnt: Recogniser) -> None:
    told = score.score(learnt, KNOWN)
    assert told.phone_error < 0.2 and told.frame_error < 0.25
    assert int(told.confusion.sum()) == KNOWN.frames


@pytest.mark.parametrize("piece", [160, 1000, 16_000])
def test_a_stream_tells_the_same_phones_as_the_whole(learnt: Recogniser, piece: int) -> None:
    samples = torch.cat([each for each, _ in SOUNDS[:3]])
    stream = recognise.Stream(learnt)
    found = [segment for each in samples.split(piece) for segment in stream.push(each)] + stream.finish()
    heard = encode.features(samples)
    path = learnt.path(heard)
    expected = decode.segments(path, learnt.phones)
    assert [each.phone for each in found] == [each.phone for each in expected]
    assert [round(each.start, 4) for each in found] == [round(each.start, 4) for each in expected]
    assert [round(each.end, 4) for each in found] == [round(each.end, 4) for each in expected]


@pytest.mark.parametrize("piece", [160, 16_000])
def test_answers_come_in_pieces_as_at_once(learnt: Recogniser, piece: int) -> None:
    samples = torch.cat([each for each, _ in SOUNDS[:3]])
    found = torch.cat(list(recognise.answered(learnt, torch.split(samples, piece))))
    assert torch.allclose(found, learnt.answers(encode.features(samples)), atol=1e-3)


def test_a_stream_tells_before_its_end(learnt: Recogniser) -> None:
    samples = torch.cat([each for each, _ in SOUNDS[:4]])
    stream = recognise.Stream(learnt)
    told = [segment for each in samples.split(160) for segment in stream.push(each)]
    assert told[-1].end > len(samples) / 16_000 - 1


@pytest.mark.parametrize("count", [0, 1, 100, 399, 1600])
def test_short_sounds_are_recognised(learnt: Recogniser, count: int) -> None:
    found = list(recognise.recognise(learnt, [torch.zeros(count)]))
    assert len(found) == (count > 0)


def test_an_utterance_is_told_the_same_whatever_it_is_batched_with(learnt: Recogniser) -> None:
    """Padding repeats the last frame, which the windows at the edge would do; the LSTM looks back only."""
    first, second = sorted(KNOWN.features[:2], key=lambda each: each.shape[2])
    padded = torch.cat([first, first[..., -1:].expand(-1, -1, second.shape[2] - first.shape[2])], 2)
    with torch.no_grad():
        together = learnt.network(torch.stack([padded, second]))[0, : first.shape[2]]
        alone = learnt.network(first[None])[0]
    assert torch.allclose(together, alone, atol=1e-4)


def test_it_is_saved_and_opened(learnt: Recogniser, tmp_path: Path) -> None:
    recognise.save_recogniser(learnt, tmp_path / "a.safetensors", {"data": "24 sentences"})
    opened = recognise.load_recogniser(str(tmp_path / "a.safetensors"))
    assert opened.speakers == ("m1",) and opened.timed
    assert opened.path(KNOWN.features[0]) == learnt.path(KNOWN.features[0])
    assert networks.load(str(tmp_path / "a.safetensors")).card == {"data": "24 sentences"}
    with pytest.raises(InputError, match="digits is no network for speech"):
        recognise.load_recogniser("digits")


def test_learning_goes_on_from_another(learnt: Recogniser) -> None:
    """Trained twice in one process, and from a copy: the first stays as it was."""
    before = {name: each.clone() for name, each in learnt.network.module.state_dict().items()}
    again = recognise.fit(learnt, KNOWN, plan=Plan(1, 8, model.PLAN.optimizer), device="cpu")
    after = learnt.network.module.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(not torch.equal(before[name], each) for name, each in again.network.module.state_dict().items())


def test_a_checkpoint_is_of_this_corpus_only(learnt: Recogniser, tmp_path: Path) -> None:
    path = tmp_path / "a.checkpoint"

    def interrupt(_step: int, _loss: float) -> None:
        signal.raise_signal(signal.SIGINT)

    plan = Plan(1, 8, model.PLAN.optimizer)
    with pytest.raises(KeyboardInterrupt):
        recognise.fit(learnt, KNOWN, plan=plan, device="cpu", checkpoint=path, on_step=interrupt)
    other = data.corpus(list(zip(KNOWN.features, KNOWN.labels, KNOWN.speakers, strict=True))[::-1])
    nothing = recognise.beginning(model.recogniser(filters=12), KNOWN)
    for start, known, ctc, what in (
        (learnt, other, False, "content"), (nothing, KNOWN, False, "start"), (learnt, KNOWN, True, "ctc"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=f"is of a training with {what}"):
            recognise.fit(start, known, ctc=ctc, plan=plan, device="cpu", checkpoint=path)


@pytest.mark.parametrize(("both_ways", "centred"), [(True, False), (False, True)])
def test_what_needs_the_whole_is_told_at_the_end(both_ways: bool, centred: bool, tmp_path: Path) -> None:
    begun = recognise.beginning(model.recogniser(filters=12, both_ways=both_ways, centred=centred), KNOWN)
    made = recognise.fit(begun, KNOWN, plan=Plan(2, 8, model.PLAN.optimizer), device="cpu")
    recognise.save_recogniser(made, tmp_path / "a.safetensors")
    opened = recognise.load_recogniser(str(tmp_path / "a.safetensors"))
    samples = torch.cat([each for each, _ in SOUNDS[:2]])
    stream = recognise.Stream(opened)
    assert [segment for each in samples.split(160) for segment in stream.push(each)] == []
    expected = decode.segments(made.path(encode.features(samples)), made.phones)
    assert [each.phone for each in stream.finish()] == [each.phone for each in expected]
    louder = encode.features(8 * samples[: len(samples) // 2])
    quieter = encode.features(samples[: len(samples) // 2])
    same = torch.allclose(opened.answers(louder), opened.answers(quieter), atol=0.02)
    assert same is centred


def test_strings_of_phones_can_be_learnt_without_their_times(learnt: Recogniser) -> None:
    flat = replace(learnt, transitions=torch.zeros_like(learnt.transitions))
    made = recognise.fit(learnt, KNOWN, ctc=True, other_voices=False, plan=Plan(6, 4, model.PLAN.optimizer), device="cpu")
    before, after = score.score(flat, KNOWN), score.score(made, KNOWN)
    assert after.phone_error < 0.8 * before.phone_error
    quiet = phones.PHONES.index(phones.SILENCE)
    told = [sum(each != quiet for features in KNOWN.features for each in some.path(features)) for some in (flat, made)]
    assert told[1] < told[0]  # what is told is told in few frames, between blanks
    with pytest.raises(InputError, match="strings of phones, not when they are spoken"):
        recognise.check_timed(made)


def test_the_loss_of_strings_is_that_of_all_their_timings() -> None:
    """By brute force over all rows of four frames."""
    output = torch.randn(1, 4, len(phones.PHONES), generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[phones.PHONES.index(each) for each in ("s", "iy", "iy", phones.SILENCE)]])
    chances = output[0].log_softmax(1)
    among = [phones.PHONES.index(each) for each in ("s", "iy", phones.SILENCE)]
    total = sum(
        float(chances[range(4), list(row)].sum().exp())
        for row in itertools.product(among, repeat=4)
        if score.string(row, phones.PHONES) == ["s", "iy"]
    )
    assert float(model.ctc_loss(output, labels)) == pytest.approx(-math.log(total) / 2, rel=1e-4)


def test_another_voice_is_a_warp_of_the_bands_and_of_time() -> None:
    """A tone's peak moves to where the filters that `LogMel` warps hear it; labels move with their frames."""
    tone = torch.sin(2 * torch.pi * 2_000 * torch.arange(16_000) / 16_000)
    for warp in (0.85, 1.0, 1.15):
        expected = int(encode.LogMel(warp=warp)(tone)[50].argmax())
        heard = encode.LogMel()(tone)[50]
        places = encode.band_heard(warp)
        low = places.floor().long().clamp(0, encode.MELS - 2)
        moved = heard[low] + (places - low) * (heard[low + 1] - heard[low])
        assert abs(int(moved.argmax()) - expected) <= 1
    for features, labels in zip(KNOWN.features[:4], KNOWN.labels[:4], strict=True):
        said, moved_labels = model._said_otherwise(features, labels, torch.Generator().manual_seed(1))
        assert said.shape[2] == len(moved_labels) and 0.8 < len(moved_labels) / len(labels) < 1.25
        assert torch.equal(moved_labels.unique_consecutive(), labels.unique_consecutive())


def stringed(frames: str) -> list[str]:
    return score.string([phones.PHONES.index(each) for each in frames.split()], phones.PHONES)


def test_phone_errors_are_of_strings_not_frames() -> None:
    assert stringed("sil t t sil t aa aa sil") == ["t", "t", "aa"]
    assert score.phone_error([["t", "aa"]], [["t", "aa"]]) == 0
    assert score.phone_error([["k", "ae", "t"], ["s"]], [["k", "t"], ["s", "iy"]]) == 2 / 4  # one left out, one put in
    assert score.phone_error([["k", "ae"]], [[]]) == 1
    assert score.phone_error([[], ["s"]], [["t", "t"], ["s"]]) == 2  # put in where nothing is said


@pytest.mark.parametrize("both_ways", [False, True])
def test_siblings_have_as_many_parameters(both_ways: bool) -> None:
    wanted = parameters(model.recogniser(both_ways=both_ways))
    siblings = [model.recogniser(slides, both_ways=both_ways) for slides in ("time", "both", "none")]
    for each in (*siblings, model.recogniser(limited=True, both_ways=both_ways)):
        assert abs(parameters(each) / wanted - 1) < 0.01
    with pytest.raises(InputError, match="slide along frequency, not along time"):
        model.recogniser("time", limited=True)


def test_filters_slide_along_frequency_only() -> None:
    """Moved along frequency within what is pooled, a lone peak is told the same; moved along time it is not."""
    module = model.untrained(model.recogniser(pooling=33), seed=0).module.eval()
    window = dict(module.named_modules())["frames.window"]

    def told(band: int, frame: int) -> Tensor:
        given = torch.zeros(1, 3, encode.MELS, model.WINDOW)
        given[0, 0, band, frame] = 10
        with torch.no_grad():
            return window(given)

    assert torch.allclose(told(15, 7), told(22, 7), atol=1e-5)
    assert not torch.allclose(told(15, 7), told(15, 9), atol=1e-3)


def test_what_is_centred_is_so_over_the_whole_utterance() -> None:
    """As a network that isn't centred hears it with its mean taken off beforehand."""
    centred = recognise.beginning(model.recogniser(filters=8, centred=True), KNOWN)
    plain = recognise.beginning(model.recogniser(filters=8), KNOWN)
    plain.network.module.load_state_dict(centred.network.module.state_dict())
    mean = torch.tensor(centred.network.input.mean)[:, None, None]
    heard = KNOWN.features[0]
    taken_off = heard - heard.mean(2, keepdim=True) + mean
    assert torch.allclose(centred.answers(heard), plain.answers(taken_off), atol=1e-4)


def test_a_long_sound_is_told_in_pieces_as_at_once(learnt: Recogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = torch.cat(KNOWN.features[:2], 2)
    at_once = learnt.answers(heard)
    monkeypatch.setattr(layers, "_PIECE", 37)
    assert torch.allclose(learnt.answers(heard), at_once, atol=1e-4)


def test_batches_are_cut_not_padded() -> None:
    batches = model.batches(KNOWN.features, KNOWN.labels, batch=6, seed=0)
    for _, (inputs, targets) in zip(range(8), batches(0), strict=False):
        assert inputs.shape[0] == 6 and inputs.shape[3] == targets.shape[1] <= model.LONGEST
        assert inputs.isfinite().all() and (targets >= 0).all()
