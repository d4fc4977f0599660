from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from convsight import fourier, fourier_overlay, maco


def slope(image: Tensor) -> float:
    """Of log power against log frequency, over all coefficients but the mean's."""
    power = torch.fft.rfft2(image).abs().square()
    height, width = image.shape
    frequency = torch.hypot(torch.fft.fftfreq(height)[:, None].double(), torch.fft.rfftfreq(width).double())
    inside = frequency > 0
    return float(np.polyfit(frequency[inside].log().numpy(), power[inside].log().numpy(), 1)[0])


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (10, 7), (5, 5), (1, 6)])
def test_a_zero_spectrum_is_the_middle_of_the_range(size: tuple[int, int]) -> None:
    image = fourier((3, *size), 2, deviation=0.0, value_range=(-1.0, 3.0))()
    assert image.shape == (2, 3, *size)
    assert torch.equal(image, torch.ones(2, 3, *size))


@pytest.mark.parametrize("size", [(8, 8), (7, 10), (10, 7)])
def test_the_picture_is_numpys_inverse_transform_of_the_scaled_spectrum(size: tuple[int, int]) -> None:
    parametrization = fourier((1, *size), deviation=1.0, seed=3, dtype=torch.float64)
    spectrum = torch.view_as_complex(parametrization.spectrum.detach()).numpy()[0, 0]
    rows, columns = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])
    scaled = 2 * spectrum / (8 * np.maximum(np.hypot(rows, columns), 1 / max(size))) ** 1.25
    expected = 1 / (1 + np.exp(-np.fft.irfft2(scaled, s=size, norm="ortho")))
    np.testing.assert_allclose(parametrization()[0, 0].detach().numpy(), expected, rtol=1e-12)


def test_decorrelated_colours_vary_as_photographs_do() -> None:
    """Of ImageNet's colours the first principal component is brightness: the three channels go together."""
    image = fourier((3, 64, 48), 1, deviation=1.0)().detach()[0].flatten(1)
    together = torch.corrcoef(torch.logit(image))
    apart = torch.corrcoef(torch.logit(fourier((3, 64, 48), 1, deviation=1.0, decorrelated=False)().detach()[0].flatten(1)))
    assert together[0, 1] > 0.8 and together[1, 2] > 0.8
    assert apart.fill_diagonal_(0).abs().max() < 0.5


def test_low_frequencies_carry_more_as_in_photographs() -> None:
    """Power falls as frequency to the minus twice the decay, which is what photographs' slopes near -2.5 are."""
    image = torch.logit(fourier((1, 64, 64), 1, deviation=0.1, dtype=torch.float64)().detach()[0, 0])
    assert slope(image) == pytest.approx(-2.5, abs=0.3)


def test_an_overlay_begins_as_its_picture_and_moves_each_wave_by_a_power_of_its_frequency() -> None:
    picture = 0.3 + 0.4 * torch.rand(1, 3, 24, 64, dtype=torch.float64)
    stored = fourier_overlay(picture, decay=0.5)
    torch.testing.assert_close(stored(), picture, atol=1e-12, rtol=0)
    wave = 0.01 * torch.cos(2 * torch.pi * torch.arange(64, dtype=torch.float64) / 32).expand_as(picture)
    with torch.no_grad():
        stored.changes.copy_(wave)
    torch.testing.assert_close(stored(), picture + 2 * wave, atol=1e-12, rtol=0)  # a quarter of the frequency of eight pixels
    with torch.no_grad():
        stored.changes.fill_(1.0)
    assert torch.equal(stored(), torch.ones_like(picture))


@pytest.mark.parametrize("size", [(32, 32), (32, 31), (24, 40)])
def test_maco_keeps_every_magnitude_whatever_the_phases(size: tuple[int, int]) -> None:
    stored = maco((1, *size), decay=1.0, contrast=0.5, seed=1, dtype=torch.float64)
    powers = []
    for seed in (0, 1):
        with torch.no_grad():
            stored.phases.copy_(torch.randn(stored.phases.shape, generator=torch.Generator().manual_seed(seed)))
            powers.append(torch.fft.rfft2(torch.logit(stored()[0, 0])).abs())
    inner = [each[:, 1 : (size[1] - 1) // 2] for each in powers]  # the first and an even last column are real by themselves
    torch.testing.assert_close(*inner)
    frequency = torch.hypot(
        torch.fft.fftfreq(size[0], dtype=torch.float64)[:, None], torch.fft.rfftfreq(size[1], dtype=torch.float64)
    )
    inside = frequency[:, 1 : (size[1] - 1) // 2]
    product = inner[0] * inside
    torch.testing.assert_close(product, product[:1, :1].expand_as(product))


def test_maco_begins_with_the_contrast_asked_for_and_moves_by_its_phases_alone() -> None:
    stored = maco((1, 64, 64), 2, contrast=0.7, seed=3, value_range=(-2.0, 2.0), dtype=torch.float64)
    assert [name for name, _ in stored.named_parameters()] == ["phases"]
    image = torch.logit((stored().detach() + 2) / 4)
    assert image.mean().abs() < 1e-9
    assert image.std() == pytest.approx(0.7, rel=0.15)
    assert torch.equal(image[0], image[1])
