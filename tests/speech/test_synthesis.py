from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import pytest
import torch

from convsight.errors import InputError
from convsight.speech import espeak, mandarin, phones, sentences, synthesis
from convsight.speech.audio import RATE


def pitch(samples: torch.Tensor, rate: int) -> float:
    """The median of the best lag of the correlation of a piece with itself, in Hz."""
    found = []
    for piece in samples.unfold(0, rate // 10, rate // 20):
        spectrum = torch.fft.rfft(piece - piece.mean(), 2 * len(piece))
        correlation = torch.fft.irfft(spectrum.abs().square())
        low = rate // 400
        lag = low + int(correlation[low : rate // 60].argmax())
        if piece.abs().max() > 0.05 and correlation[lag] > 0.5 * correlation[0]:
            found.append(rate / lag)
    return float(torch.tensor(found).median())


def test_there_are_enough_voices_and_they_are_mens_and_womens() -> None:
    men, women = espeak.voices("male"), espeak.voices("female")
    assert len(men) >= 20 and len(women) >= 15 and not {*men} & {*women}
    heights = {
        voice: pitch(spoken.samples, spoken.rate)
        for voice in (*men[::5], *women[::4])
        for spoken in [espeak.speak("The lonely neighbour remembered the yellow moon.", voice)]
    }
    assert max(heights[each] for each in men[::5]) < min(heights[each] for each in women[::4])


def test_words_alone_are_digits_half_of_the_time_in_any_rhythm() -> None:
    found = sentences.words(2_000, seed=4)
    digits = [each in sentences.DIGITS for each in found]
    assert found == sentences.words(2_000, seed=4) != sentences.words(2_000, seed=5)
    assert all(each.isalpha() for each in found) and {*sentences.DIGITS} < {*found}
    for rhythm in (1, 2, 36):  # voices speak in turn: none may have digits only
        assert 0.3 < sum(digits[::rhythm]) / len(digits[::rhythm]) < 0.7


def test_what_is_spoken_has_its_phones_in_order() -> None:
    _, segments = synthesis.utterance("She sees three cats.", "m1", seed=0)
    spoken = [each.phone for each in segments if each.phone != phones.SILENCE]
    assert spoken == ["sh", "iy", "s", "iy", "z", "th", "r", "iy", "k", "ae", "t", "s"]
    assert all(first.end == second.start for first, second in pairwise(segments))


def test_silence_is_silent_where_the_labels_say_so() -> None:
    samples, segments = synthesis.utterance("Apples, pears, and a plum.", "m3", seed=1, clean=True)
    inside = [each for each in segments if each.phone == phones.SILENCE and each.end - each.start > 0.08]
    assert inside
    for each in inside:
        quiet = samples[int((each.start + 0.02) * RATE) : int((each.end - 0.02) * RATE)]
        assert quiet.abs().max() < 0.02 * samples.abs().max()


def loudness(samples: torch.Tensor, above: float) -> torch.Tensor:
    """(T,) decibels of what lies `above` so many Hz, in pieces of 10 ms, one a millisecond."""
    spectrum = torch.fft.rfft(samples)
    spectrum[: int(above * len(samples) / RATE)] = 0
    heard = torch.fft.irfft(spectrum, len(samples))
    return 10 * (heard.unfold(0, RATE // 100, RATE // 1000).square().mean(1) + 1e-9).log10()


@pytest.mark.parametrize(("language", "count"), [("english", 120), ("mandarin", 60)])
def test_bursts_of_plosives_and_silences_are_where_the_labels_say(language: phones.Language, count: int) -> None:
    """Of a plosive before a sound, the steepest rise above 1.5 kHz from 60 ms before it to 60 ms after; 500 phones.

    In Mandarin the closure before it is a silence of its own, and it is quiet in its midst.
    """
    voices = [*espeak.voices("male"), *espeak.voices("female")]
    right: list[bool] = []
    for number, text in enumerate(sentences.sentences(count, seed=5, language=language)):
        voice = voices[number % len(voices)]
        samples, rows = synthesis.utterance(text, voice, seed=number, language=language, clean=True)
        high, all_of_it = loudness(samples, 1_500), loudness(samples, 0)
        for before, each, after in zip(rows, rows[1:], rows[2:], strict=False):
            start, end = int(1_000 * each.start), int(1_000 * each.end)
            closed = [before.phone] if language == "english" else []
            if each.phone == phones.SILENCE and end - start > 60:
                right.append(bool(all_of_it[start + 20 : end - 30].max() < all_of_it.max() - 25))
            elif each.phone == phones.SILENCE and end - start > 25 and language == "mandarin":
                right.append(bool(all_of_it[start + 8 : end - 15].min() < all_of_it.max() - 25))
            elif each.phone in "ptkbdg" and phones.SILENCE not in (*closed, after.phone) and 60 <= start < len(high) - 180:
                around = high[start - 60 : end + 60]
                burst = start - 60 + int((around[10:] - around[:-10]).argmax()) + 10
                right.append(start - 20 <= burst <= end + 20)
    assert len(right) >= 500 and sum(right[:500]) / 500 >= 0.95


def test_mandarin_has_its_phones_in_order() -> None:
    _, segments = synthesis.utterance("我有四条鲤鱼。", "f2", seed=0, language="mandarin")
    spoken = [each.phone for each in segments if each.phone != phones.SILENCE]
    assert spoken == ["w", "ow", "y", "ow", "s", "ih", "t", "y", "aw", "l", "iy", "y", "iy"]
    assert all(first.end == second.start for first, second in pairwise(segments))
    with pytest.raises(InputError, match="takes part of the text for another language"):
        synthesis.utterance("我爱 ABC", "m1", seed=0, language="mandarin")


def test_what_was_said_before_changes_nothing() -> None:
    first = synthesis.utterance("A good day.", "f2", seed=3)
    other = synthesis.utterance("A good day.", "Alicia", seed=4)
    again = synthesis.utterance("A good day.", "f2", seed=3)
    assert torch.equal(first[0], again[0]) and first[1] == again[1] and not torch.equal(first[0], other[0])


def test_a_new_process_makes_the_same_sound_of_the_same_seed() -> None:
    code = (
        "from convsight.speech.synthesis import utterance; import hashlib; print([hashlib.sha256("
        "utterance('A good day.', voice, seed=seed)[0].numpy().tobytes()).hexdigest() "
        "for voice, seed in [('f2', 3), ('m1', 3), ('m1', 4)]])"
    )
    first, again = (subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2))
    assert first == again and len({*first.split()}) == 3


def test_noise_is_as_loud_as_it_was_asked_for() -> None:
    speech, _ = synthesis.utterance("A good day.", "f2", seed=0, clean=True)
    noise = synthesis.noisy(speech, snr=10, seed=0) - speech
    assert (speech.square().mean() / noise.square().mean()).log10().item() * 10 == pytest.approx(10, abs=0.01)


def test_a_telephone_lets_nothing_above_4_khz_through() -> None:
    def above(samples: torch.Tensor) -> float:
        power = torch.fft.rfft(samples).abs().square()
        return float(power[len(power) * 9 // 16 :].sum() / power.sum())

    whole, cut = (synthesis.utterance("She sees.", "m1", seed=0, clean=True, telephone=each)[0] for each in (False, True))
    assert above(whole) > 0.02 and above(cut) < 1e-5


def test_what_cannot_be_spoken_is_said() -> None:
    with pytest.raises(InputError, match=r'no voice "en-us\+nobody"'):
        espeak.speak("hello", "nobody")
    for text in ("", "...", " \n"):
        with pytest.raises(InputError, match="says nothing"):
            espeak.speak(text)


@pytest.mark.parametrize("language", ["english", "mandarin"])
def test_sentences_are_many_and_follow_the_seed(language: phones.Language) -> None:
    found, again, other = (sentences.sentences(500, seed=each, language=language) for each in (1, 1, 2))
    assert len({*found}) == 500 and found == again != other
    assert not any(re.search(r"[A-Z]{2,}|_|\ba [aeiou]", each) for each in found)
    assert all(each.isascii() for each in found) if language == "english" else not re.search(r"[a-zA-Z ]", "".join(found))


def test_sentences_hold_every_phone() -> None:
    spoken = {
        phone for each in sentences.sentences(150) for _, label in espeak.speak(each).phonemes for phone in phones.espeak(label)
    }
    assert spoken == {*phones.PHONES}


def test_words_of_mandarin_hold_every_sound_that_is_known_of_it() -> None:
    words = {*sentences.words(2_000, seed=0, language="mandarin")}
    sounds = {label.lstrip("',") for _, label in espeak.speak("，".join(sorted(words)), language="cmn").phonemes}
    known = {*mandarin._ESPEAK, *mandarin._SAME}
    assert {each for each in sounds if not each.startswith("_")} == known - {"N-"}  # which is said for 嗯 only
