from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn

from convsight import InputError, InputSpec, Network, load, pixels, principal
from convsight.image import show
from convsight.image.data import load_digits
from tests.networks import network


def test_filters_are_on_one_scale_with_zero_in_the_middle() -> None:
    digits = load("digits")
    name, pictures = show.filters(digits)
    weight = digits.module.conv1.weight.detach()
    assert name == "conv1"
    assert pictures.shape == (25, 1, 3, 3)
    assert pictures.min() >= 0 and pictures.max() <= 1
    torch.testing.assert_close((pictures - 0.5) * 2 * weight.abs().max(), weight)


def test_filters_of_zeros_are_grey() -> None:
    convolution = nn.Conv2d(1, 4, 3)
    nn.init.zeros_(convolution.weight)
    _, pictures = show.filters(Network(nn.Sequential(convolution), InputSpec((1, 8, 8))))
    assert (pictures == 0.5).all()


def test_filters_that_span_no_colours_are_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match=r"conv2 span 25 channels.*find what excites them with convsight see"):
        show.filters(load("digits"), "conv2")
    with pytest.raises(InputError, match='no convolution "convv1" in digits; did you mean "conv1"'):
        show.filters(load("digits"), "convv1")
    with pytest.raises(InputError, match="has no convolutions"):
        show.filters(Network(nn.Linear(3, 4), InputSpec((1, 1, 3))))


def test_a_folder_of_pictures_becomes_what_the_network_takes() -> None:
    Path("some").mkdir()
    for index in range(3):
        Image.new("RGB", (30 + index, 20), (255, 0, 0)).save(f"some/{index}.png")
    assert show.alike(Path("some"), network()).shape == (3, 3, 12, 17)
    assert show.alike(Path("some"), network())[0, :, 5, 5].tolist() == [1, 0, 0]
    with pytest.raises(InputError, match="there is no folder elsewhere"):
        show.alike(Path("elsewhere"), network())


def test_principal_components_hold_real_digits_and_little_else() -> None:
    """Forty of 784 directions keep most of a digit and little of noise; starting amounts give a digit-like picture."""
    real = load_digits(None, "train").pictures()
    stored = principal(real, 3, components=40)
    directions = stored.directions.flatten(1)
    directions = directions / directions.norm(dim=1, keepdim=True)
    torch.testing.assert_close(directions @ directions.T, torch.eye(40), atol=1e-4, rtol=0)
    kept = {}
    for name, pictures in (("digits", load_digits(None, "test").pictures()), ("noise", pixels((1, 28, 28), 5, noise=1.0)())):
        centred = (pictures.detach() - stored.mean).flatten(1)
        kept[name] = float((centred @ directions.T).norm() / centred.norm())
    assert kept["digits"] > 0.85 and kept["noise"] < 0.6
    assert stored().shape == (3, 1, 28, 28)


def test_principal_components_need_enough_pictures() -> None:
    with pytest.raises(InputError, match="40 principal components need more than 40 pictures; these are 12"):
        principal(torch.rand(12, 1, 4, 4))
