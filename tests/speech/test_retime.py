from __future__ import annotations

from itertools import pairwise

import torch

from convsight.speech import align, recognise, retime, segments, synthesis
from convsight.speech.audio import RATE
from convsight.speech.encode import LogMel
from convsight.speech.phones import PHONES, SILENCE
from convsight.speech.segments import Segment


def test_a_network_finds_phones_where_they_are_better_than_the_aligner() -> None:
    hears = recognise.load_recogniser("speech")
    right: dict[str, list[float]] = {"aligner": [], "network": []}
    for place, text in enumerate(("seven paper ships", "the cat sees a big dog", "six")):
        samples, said = synthesis.utterance(text, "m1", seed=place, telephone=True)
        first = align.align(samples, text)
        again = retime.retimed(hears, samples, first)
        assert [each.phone for each in again if each.phone != SILENCE] == [
            each.phone for each in first if each.phone != SILENCE
        ]
        assert again[0].start == 0 and again[-1].end == len(samples) / RATE
        assert all(one.end == other.start for one, other in pairwise(again))
        frames = len(LogMel()(samples))
        truth = segments.frame_labels(said, frames, PHONES)
        for name, rows in (("aligner", first), ("network", again)):
            right[name].append(float((segments.frame_labels(rows, frames, PHONES) == truth).double().mean()))
    assert sum(right["network"]) > sum(right["aligner"]) and min(right["network"]) > 0.7


def test_the_path_is_the_likeliest_of_all() -> None:
    """By brute force over all ways to lay a silence that may lack, two phones of three frames at least, and a silence."""
    answers = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    found = retime._path(answers, [0, 1, 2, 0], silence=0)
    best, expected = -torch.inf, []
    for first in range(4):
        for one in range(3, 10 - first):
            for two in range(3, 10 - first - one):
                row = [0] * first + [1] * one + [2] * two + [3] * (9 - first - one - two)
                total = sum(float(answers[frame, [0, 1, 2, 0][place]]) for frame, place in enumerate(row))
                if total > best:
                    best, expected = total, row
    assert found == expected


def test_a_sound_too_short_for_its_phones_keeps_its_times() -> None:
    rows = (Segment(0.0, 0.02, "s"), Segment(0.02, 0.05, "iy"))
    assert retime.retimed(recognise.load_recogniser("speech"), torch.zeros(800), rows) == rows
