from __future__ import annotations

import pytest
import torch

from convsight.errors import InputError
from convsight.speech import data, encode, model, show, synthesis
from convsight.speech.phones import PHONES
from convsight.speech.recognise import Recogniser

HEARS = Recogniser(
    model.untrained(model.recogniser(filters=6), seed=0, mean=(15.0, 0.0, 0.0), std=(3.4, 0.8, 0.3)),
    torch.zeros(len(PHONES), len(PHONES)),
)


def test_a_phones_pattern_is_climbed_to_and_is_a_spectrogram_with_its_changes() -> None:
    found = show.phone_pattern(HEARS, ["s", "aa"], steps=12)
    assert found.input.shape == (2, 3, 40, show.FRAMES)
    assert (found.scores[-1] > found.scores[0]).all()
    energies = found.input[:, 0]
    assert energies.min() >= show.QUIET and energies.max() <= show.LOUD
    inside = encode.with_changes(energies[0].T)[:, :, 4:-4]
    assert torch.allclose(found.input[0][:, :, 4:-4], inside, atol=1e-4)
    with pytest.raises(InputError, match='knows no phone "xx"'):
        show.phone_pattern(HEARS, ["xx"])


def test_a_filters_pattern_excites_it_more_than_any_real_sound() -> None:
    known = data.corpus(
        (encode.features(samples), torch.zeros(1).long(), "m1")
        for samples in (synthesis.utterance(text, "m1", seed=0)[0] for text in ("a big yellow bird", "six ships"))
    )
    found = show.filter_pattern(HEARS, [3], steps=96)
    place, frame, answer = show.exciting(HEARS, known, 3)[0]
    assert found.input.shape == (1, 3, 40, model.WINDOW) and float(found.score[0]) > answer
    convolution = HEARS.network.module.get_submodule("frames.window.conv1")
    before, after = (known.features[place][..., each].expand(-1, -1, 7) for each in (slice(1), slice(-1, None)))
    whole = torch.cat([before, known.features[place], after], 2)
    given = HEARS.network.input.normalise(whole[None, ..., frame : frame + 15])
    with torch.no_grad():
        answered = convolution(given)
    assert float(answered[0, 3].max()) == pytest.approx(answer, rel=1e-4)
    with pytest.raises(InputError, match="there are 6 filters, from 0; there is no 9"):
        show.exciting(HEARS, known, 9)


def test_energies_become_a_sound_with_these_energies() -> None:
    samples, _ = synthesis.utterance("a big yellow bird", "f2", seed=0, clean=True)
    energies = encode.LogMel()(samples)
    made = show.sound(energies)
    again = encode.LogMel()(made)
    assert made.shape == ((len(energies) - 1) * encode.STEP + encode.LENGTH,) and made.abs().max() <= 1
    loud = energies > energies.max() - 10
    assert torch.corrcoef(torch.stack([again[loud], energies[loud]]))[0, 1] > 0.9


def test_a_piece_lies_around_its_frame() -> None:
    samples = torch.arange(16_000.0)
    assert show.piece(samples, 50, seconds=0.1).mean() == pytest.approx(50 * 160 + 200, abs=1)
    assert len(show.piece(samples, 0)) < 0.3 * 16_000
