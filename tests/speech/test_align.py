from __future__ import annotations

import pytest
import torch

from convsight.errors import InputError
from convsight.speech import align, espeak, score, segments, synthesis
from convsight.speech.encode import LogMel
from convsight.speech.phones import PHONES, SILENCE


def test_what_espeak_says_is_found_when_it_says_it() -> None:
    samples, said = synthesis.utterance("seven paper ships", "m1", seed=0, clean=True)
    found = align.align(samples, "Seven paper ships.")
    names = [each.phone for each in found if each.phone != SILENCE]
    assert names == ["s", "eh", "v", "ah", "n", "p", "ey", "p", "er", "sh", "ih", "p", "s"]
    known = [each for each in said if each.phone != SILENCE]
    late = [abs(ours.start - theirs.start) for ours, theirs in zip(found[-len(known) :], known, strict=False)]
    frames = len(LogMel()(samples))
    ours, theirs = (segments.frame_labels(each, frames, PHONES) for each in (found, said))
    assert (ours == theirs).double().mean() > 0.5 and min(late) < 0.1


@pytest.mark.parametrize("digit", ["zero", "six", "eight"])
def test_every_phone_has_its_frames(digit: str) -> None:
    samples, _ = synthesis.utterance(digit, "f1", seed=1, telephone=True)
    found = align.align(samples, digit)
    labels = segments.frame_labels(found, len(LogMel()(samples)), PHONES)
    assert " ".join(score.string(labels.tolist(), PHONES)) in {"z ih r ow", "z iy r ow", "s ih k s", "ey t"}


def test_the_same_whatever_was_aligned_before() -> None:
    sounds = {text: synthesis.utterance(text, "m1", seed=0, clean=True)[0] for text in ("don't say seven", "nine eight one")}
    align._decoder.cache_clear()
    first = {text: align.align(samples, text) for text, samples in sounds.items()}
    assert {text: align.align(sounds[text], text) for text in reversed(sounds)} == first


def test_words_are_found_between_all_kinds_of_quotes() -> None:
    samples, _ = synthesis.utterance("don't say seven", "m1", seed=0, clean=True)
    plain = align.align(samples, "don't say seven")
    assert align.align(samples, "Don’t -- say 'seven'! '") == plain


@pytest.mark.parametrize("written", ["seven 3", "7", "naïve", "你好"])
def test_what_is_not_spelt_in_english_is_not_passed_over(written: str) -> None:
    with pytest.raises(InputError, match=f'pronouncing dictionary has no "{written.split()[-1]}"'):
        align.align(torch.zeros(16_000), written)


def test_what_cannot_be_aligned_is_said() -> None:
    samples = espeak.speak("hello").samples
    with pytest.raises(InputError, match="the transcript has no English words"):
        align.align(samples, "...")
    with pytest.raises(InputError, match='pronouncing dictionary has no "xqzzy"'):
        align.align(samples, "hello xqzzy")
    with pytest.raises(InputError, match="doesn't fit its transcript"):
        align.align(torch.zeros(800), "hello dear neighbour of mine")
