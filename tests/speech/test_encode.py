from __future__ import annotations

import kaldi_native_fbank
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from convsight.speech import encode, espeak, sentences, synthesis
from convsight.speech.audio import RATE

VOICES = espeak.voices("male")[:10] + espeak.voices("female")[:10]
SPOKEN = [synthesis.utterance(each, VOICES[place], seed=place)[0] for place, each in enumerate(sentences.sentences(20))]


def kaldis(samples: Tensor) -> np.ndarray:
    options = kaldi_native_fbank.FbankOptions()
    options.frame_opts.dither, options.frame_opts.samp_freq, options.mel_opts.num_bins = 0, RATE, encode.MELS
    fbank = kaldi_native_fbank.OnlineFbank(options)
    fbank.accept_waveform(RATE, (samples * 2**15).tolist())
    fbank.input_finished()
    return np.stack([fbank.get_frame(each) for each in range(fbank.num_frames_ready)])


@pytest.mark.parametrize("samples", SPOKEN)
def test_energies_are_kaldis(samples: Tensor) -> None:
    assert np.abs(encode.LogMel()(samples).numpy() - kaldis(samples)).max() < 1e-3


@pytest.mark.parametrize("seed", range(4))
def test_energies_of_telephone_speech_are_kaldis_down_to_78_decibels(seed: int) -> None:
    """Below, where resampling has left nothing, both round in single precision, Kaldi as well."""
    samples, _ = synthesis.utterance("seven yellow birds", VOICES[5 * seed], seed=seed, clean=True, telephone=True)
    ours, theirs = encode.LogMel()(samples).numpy(), kaldis(samples)
    loud = theirs > theirs.max(1, keepdims=True) - 18
    assert loud.mean() > 0.5 and np.abs(ours - theirs)[loud].max() < 1e-3


def test_changes_are_the_regression_over_two_frames() -> None:
    energies = torch.arange(12.0)[:, None].expand(12, 3) ** 2
    maps = encode.with_changes(energies)
    assert torch.allclose(maps[0], energies.T)
    assert torch.allclose(maps[1][:, 4:8], 2 * energies.sqrt().T[:, 4:8])  # the slope of a parabola
    assert torch.allclose(maps[2][:, 4:8], torch.full((3, 4), 2.0), atol=1e-5)
    assert torch.allclose(encode.with_changes(torch.ones(5, 3))[1:], torch.zeros(2, 3, 5), atol=1e-7)  # edges are repeated


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 3000), min_size=1, max_size=30), st.integers(0, 9))
def test_a_stream_gives_the_same_to_the_bit(cuts: list[int], seed: int) -> None:
    samples = SPOKEN[seed][: sum(cuts)]
    stream, start, parts = encode.FeatureStream(), 0, []
    for each in cuts:
        parts.append(stream.push(samples[start : start + each]))
        start += each
    parts.append(stream.finish())
    found = torch.cat(parts, 2)
    if len(samples):
        assert torch.equal(found, encode.features(samples))
    else:
        assert found.shape == (3, encode.MELS, 0)


def test_a_stream_of_ten_milliseconds_waits_for_no_more_than_it_needs() -> None:
    stream = encode.FeatureStream()
    counts = [stream.push(piece).shape[2] for piece in SPOKEN[0][: RATE // 2].split(encode.STEP)]
    assert sum(counts) == 1 + (RATE // 2 - encode.LENGTH) // encode.STEP - encode.REACH
    assert max(counts) == 1


def test_silence_is_the_smallest_number_and_short_sounds_make_a_frame() -> None:
    quiet = encode.LogMel()(torch.zeros(RATE))
    assert quiet.isfinite().all() and torch.equal(quiet, quiet[:1, :1].expand_as(quiet))
    assert encode.features(torch.ones(1)).shape == (3, encode.MELS, 1)


@pytest.mark.parametrize("warp", [0.85, 0.9, 1.1, 1.15])
def test_warping_moves_a_tone_by_that_factor(warp: float) -> None:
    def heard(frequency: float, log_mel: encode.LogMel) -> int:
        tone = 0.1 * torch.sin(2 * torch.pi * frequency * torch.arange(RATE // 4) / RATE)
        return int(log_mel(tone).mean(0).argmax())

    for frequency in (500.0, 1200.0, 2400.0):
        assert abs(heard(frequency, encode.LogMel(warp=warp)) - heard(frequency * warp, encode.LogMel())) <= 1
