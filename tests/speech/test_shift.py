from __future__ import annotations

import pytest
import torch

from convsight.errors import InputError
from convsight.speech import draw, model, shift, views
from convsight.speech.phones import PHONES
from convsight.speech.recognise import Recogniser
from convsight.speech.segments import Segment
from convsight.training import Plan

UNTRAINED = model.untrained(model.recogniser(filters=20), seed=0, mean=(15.0, 0.0, 0.0), std=(3.4, 0.8, 0.3))


@pytest.mark.parametrize("moved", [-3, 0, 2, 5])
def test_a_spectrogram_moved_by_bands_moves_every_answer_so_far(moved: int) -> None:
    """A ridge on silence, so that nothing is lost at the edges."""
    energies = torch.full((60, 40), 5.0)
    energies[:, 18:21] = torch.linspace(12, 20, 60)[:, None]
    one = shift.Saying(energies, (0.0, 25.0, 60.0), ("n", "i"))
    other = shift.Saying(energies.roll(moved, 1), (0.0, 25.0, 60.0), ("n", "i"))
    found = shift.movements(UNTRAINED, one, other)
    answering = found[~found.isnan()]
    assert len(answering) > 10 and (answering == moved).double().mean() > 0.85


def test_a_womans_voice_moves_answers_up_and_another_mans_does_not() -> None:
    man, woman, other = (shift.saying("你好", each) for each in ("m1", "f2", "m3"))
    assert man.sounds == woman.sounds == ("n", "i", "X", "Au")
    assert float(shift.movements(UNTRAINED, man, woman).nanmedian()) >= 1
    assert float(shift.movements(UNTRAINED, man, other).nanmedian()) == 0


def test_words_of_another_language_are_compared_too() -> None:
    man, woman = (shift.saying("hello", each) for each in ("m1", "f2"))
    assert man.sounds == woman.sounds and not any(each.startswith("(") for each in man.sounds)
    assert float(shift.movements(UNTRAINED, man, woman).nanmedian()) >= 1


def test_what_cannot_be_compared_is_said() -> None:
    with pytest.raises(InputError, match="not the same sounds"):
        shift.movements(UNTRAINED, shift.saying("你好", "m1"), shift.saying("中", "m1"))
    flat = model.untrained(model.recogniser("time", filters=4))
    said = shift.saying("你好", "m1")
    for each in (flat, model.untrained(model.recogniser("none", filters=4))):
        with pytest.raises(InputError, match="has no filters"):
            shift.movements(each, said, said)
    limited = model.untrained(model.recogniser(filters=4, limited=True))
    with pytest.raises(InputError, match="each band of frequencies has filters of its own"):
        shift.movements(limited, said, said)


def test_the_experiment_learns_men_and_is_judged_by_others_too() -> None:
    (result,) = shift.experiment([("none", 6)], count=40, seeds=(1,), plan=Plan(4, 8, model.PLAN.optimizer), device="cpu")
    assert (result.slides, result.pooling, result.seed) == ("none", 6, 1)
    assert 0 < result.known.frame_error < 1 and result.other.phone_error > 0
    assert result.warped[1.0] is result.known and {*result.warped} == {*shift.WARPS}


def test_spectrograms_are_dark_where_it_is_loud_and_low_at_the_bottom() -> None:
    energies = torch.zeros(5, 40)
    energies[2, 3] = 12
    picture = draw.spectrogram(energies)
    assert picture.shape == (3, 40, 5) and picture.min() >= 0 and picture.max() <= 1
    assert picture.sum(0).argmin() == (39 - 3) * 5 + 2


def test_pictures_have_all_there_is_to_see() -> None:
    recogniser = Recogniser(UNTRAINED, torch.zeros(len(PHONES), len(PHONES)))
    seen = views.shift(recogniser)
    assert seen.picture.shape[0] == 3 and seen.movements.shape == (20,) and seen._repr_png_()
    heard = views.heard(recogniser, torch.randn(8_000))
    assert heard.picture.shape[0] == 3 and heard.segments[0].start < 0.02
    drawn = draw.recognised(torch.zeros(50, 40), [Segment(0.0, 0.2, "aa"), Segment(0.2, 0.5, "sil")])
    assert not torch.equal(drawn, draw.recognised(torch.zeros(50, 40), [Segment(0.0, 0.5, "sil")]))
