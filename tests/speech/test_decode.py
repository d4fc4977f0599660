from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from convsight.speech import decode


def by_hand(answers: Tensor, transitions: Tensor) -> float:
    """The score of the best of all paths."""
    frames, phones = answers.shape
    return max(
        sum(float(answers[frame, phone]) for frame, phone in enumerate(path))
        + sum(float(transitions[pair]) for pair in pairwise(path))
        for path in product(range(phones), repeat=frames)
    )


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 1000))
def test_the_path_is_the_best_of_all(frames: int, phones: int, seed: int) -> None:
    generator = Generator().manual_seed(seed)
    answers, transitions = (torch.randn(size, phones, generator=generator) for size in (frames, phones))
    found = decode.path(answers, transitions)
    score = sum(float(answers[frame, phone]) for frame, phone in enumerate(found)) + sum(
        float(transitions[pair]) for pair in pairwise(found)
    )
    assert len(found) == frames and abs(score - by_hand(answers, transitions)) < 1e-4


def test_the_path_of_a_long_sound_is_that_of_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, transitions = torch.randn(100, 6).mul(2).log_softmax(1), torch.randn(6, 6)
    whole = decode.path(answers, transitions)
    monkeypatch.setattr(decode, "_PIECE", 7)
    assert decode.path(answers, transitions) == whole


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(0, 1000))
def test_pieces_tell_the_same_path_and_early(cuts: list[int], seed: int) -> None:
    generator = Generator().manual_seed(seed)
    answers = torch.randn(sum(cuts), 5, generator=generator).mul(3).log_softmax(1)
    transitions = torch.randn(5, 5, generator=generator).log_softmax(1)
    path, found = decode.Path(transitions), []
    for each in answers.split(cuts):
        found += path.push(each)
    early = len(found)
    assert found + path.finish() == decode.path(answers, transitions)
    assert early > len(answers) - 30


def test_transitions_are_counted() -> None:
    found = decode.transitions([torch.tensor([0, 0, 0, 1]), torch.tensor([1, 1])], 2).exp()
    assert torch.allclose(found, torch.tensor([[2.5 / 4, 1.5 / 4], [0.5 / 2, 1.5 / 2]]))
