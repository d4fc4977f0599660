from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convsight.speech.phones import PHONES, SILENCE
from convsight.speech.words import DIGITS, words

NAMES = list(DIGITS)


def heard(spoken: list[str], quiet: bool, generator: torch.Generator) -> Tensor:
    """Log chances that prefer what is spoken, frame by frame, with noise."""
    frames: list[str] = []
    for each in spoken:
        frames += [phone for phone in DIGITS[each][0].split() for _ in range(6)] + [SILENCE] * (8 if quiet else 0)
    answers = torch.randn(len(frames), len(PHONES), generator=generator)
    answers[range(len(frames)), [PHONES.index(each) for each in frames]] += 8
    return answers.log_softmax(1)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5), st.booleans(), st.integers(0, 100))
def test_rows_of_digits_are_found_through_noise(spoken: list[str], quiet: bool, seed: int) -> None:
    answers = heard(spoken, quiet, torch.Generator().manual_seed(seed))
    found = words([answers], PHONES)
    assert [each.word for each in found] == spoken
    assert words([answers[:0], *torch.split(answers, 7), answers[:0]], PHONES) == found
    assert all(each.end > each.start for each in found)


def test_silence_has_no_words_and_one_frame_does_not_fail() -> None:
    quiet = torch.full((20, len(PHONES)), -8.0)
    quiet[:, PHONES.index(SILENCE)] = 0
    assert words([quiet], PHONES) == [] == words([], PHONES)
    assert len(words([quiet[:1]], PHONES)) <= 1
