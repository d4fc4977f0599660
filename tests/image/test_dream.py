from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import nn

from convsight import InputSpec, Network, channel, evaluate, jitter
from convsight import dream as exaggerated
from convsight.image.dream import channels, dream, guided, octave_sizes, zoom

PHOTOGRAPH = F.interpolate(torch.rand(1, 3, 9, 12, generator=torch.Generator().manual_seed(4)), (96, 128), mode="bilinear")


def network() -> Network:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 8, 5, padding=2), nn.Tanh(), nn.Conv2d(8, 6, 5, stride=2, padding=2), nn.Tanh(), nn.Conv2d(6, 5, 3),
    )  # fmt: skip
    return Network(module, InputSpec((3, 64, 64)), name="small")


def test_a_dream_exaggerates_what_the_layer_answers_and_keeps_size_and_range() -> None:
    net = network()
    made = dream(net, PHOTOGRAPH, exaggerated("2"), steps=4)
    assert made.input.shape == PHOTOGRAPH.shape
    assert made.input.min() >= 0 and made.input.max() <= 1
    assert evaluate(net, exaggerated("2"), made.input) > 1.1 * evaluate(net, exaggerated("2"), PHOTOGRAPH)


def test_depths_give_different_dreams_and_a_seed_the_same() -> None:
    first, again, deeper = (dream(network(), PHOTOGRAPH, exaggerated(layer), steps=3).input for layer in ("0", "0", "4"))
    assert torch.equal(first, again)
    assert (first - deeper).abs().mean() > 0.01


def test_without_strength_the_photograph_stays_with_all_its_detail() -> None:
    made = dream(network(), PHOTOGRAPH, exaggerated("2"), steps=2, strength=1e-6)
    torch.testing.assert_close(made.input, PHOTOGRAPH, atol=2e-2, rtol=0)
    blurred = dream(network(), PHOTOGRAPH, exaggerated("2"), steps=2, strength=1e-6, detail=0.0)
    assert (blurred.input - PHOTOGRAPH).abs().mean() > 2 * (made.input - PHOTOGRAPH).abs().mean()


def test_tiles_leave_no_seams() -> None:
    """The mean difference between neighbours across the borders that tiles had at any step is that of neighbours elsewhere.

    Where the borders were is told by the views, drawn once more, of the columns' numbers.
    """
    wide = F.interpolate(torch.rand(1, 3, 9, 96, generator=torch.Generator().manual_seed(4)), (96, 1024), mode="bilinear")
    made = dream(network(), wide, exaggerated("2"), octaves=1, steps=12, tile=64).input
    differences = made.diff(dim=3).abs().mean((0, 1, 2))
    borders = torch.zeros(1023, dtype=torch.bool)
    generator = torch.Generator().manual_seed(0)
    for _ in range(12):
        columns = jitter(32)(generator)(torch.arange(1024).expand(1, 1, 96, 1024))[0, 0, 0]
        for first in columns[::64].tolist():
            borders[max(first - 1, 0)] = True
    assert 100 < borders.sum() < 500
    assert abs(float(differences[borders].mean() / differences[~borders].mean()) - 1) < 0.05


def test_any_number_of_channels_are_dreamt_of_at_once() -> None:
    net = network()
    alone = [evaluate(net, channel("2", unit), PHOTOGRAPH) for unit in (1, 3)]
    torch.testing.assert_close(evaluate(net, channels("2", [1, 3]), PHOTOGRAPH), sum(alone))


def test_octaves_grow_to_the_photographs_own_size() -> None:
    assert octave_sizes(torch.zeros(1, 3, 400, 300), 3) == [(204, 153), (286, 214), (400, 300)]
    assert octave_sizes(torch.zeros(1, 3, 50, 40), 5) == [(50, 40)]


def test_a_guide_draws_the_picture_towards_its_own_features() -> None:
    net, guide = network(), torch.rand(1, 3, 40, 50, generator=torch.Generator().manual_seed(9))
    objective = guided(net, "2", guide)
    made = dream(net, PHOTOGRAPH, objective, octaves=1, steps=12, strength=0.5)
    assert evaluate(net, objective, made.input) > evaluate(net, objective, PHOTOGRAPH)
    other = dream(net, PHOTOGRAPH, guided(net, "2", 1 - guide), octaves=1, steps=6)
    assert (made.input - other.input).abs().mean() > 0.01


def test_a_zoom_gives_as_many_pictures_as_asked_for_each_nearer() -> None:
    pictures = list(zoom(network(), PHOTOGRAPH, channel("2", 1), frames=3, octaves=1, steps=1, strength=1e-6, speed=1.25))
    assert [each.shape for each in pictures] == [PHOTOGRAPH.shape] * 3
    expected = F.interpolate(PHOTOGRAPH[..., 10:86, 13:115], (96, 128), mode="bicubic", align_corners=False)
    assert (pictures[1] - expected).abs().mean() < 0.02
