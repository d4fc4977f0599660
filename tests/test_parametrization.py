from __future__ import annotations

import numpy as np
import pytest
import torch

from convsight import fourier, lbfgs, pixels, pixels_from


def test_a_picture_may_lie_in_memory_as_it_likes() -> None:
    """L-BFGS reads the gradient as one row, and a gradient lies as its parameter does."""
    picture = torch.rand(1, 9, 7, 3).permute(0, 3, 1, 2)
    stored = pixels_from(picture)
    assert torch.equal(stored(), picture)
    climb = lbfgs()(stored.parameters())

    def loss() -> torch.Tensor:
        climb.zero_grad()
        value = (stored() - 0.5).square().sum()
        value.backward()
        return value

    climb.step(loss)
    assert loss() < (picture - 0.5).square().sum()


def test_pixels_start_dark_and_the_same_in_every_sample() -> None:
    image = pixels((2, 5, 7), 3, seed=4)()
    assert image.shape == (3, 2, 5, 7)
    assert image.min() >= 0 and image.max() < 0.2
    assert torch.equal(image[0], image[2])
    assert torch.equal(image, pixels((2, 5, 7), 3, seed=4)())
    assert not torch.equal(image, pixels((2, 5, 7), 3, seed=5)())


def test_pixels_from_zeros_and_from_a_picture() -> None:
    assert torch.equal(pixels((1, 5, 7), noise=0)(), torch.zeros(1, 1, 5, 7))
    picture = torch.rand(2, 3, 5, 7)
    assert torch.equal(pixels_from(picture)(), picture)


def test_pixels_stay_in_their_range_and_come_back_from_a_bound() -> None:
    parametrization = pixels_from(torch.tensor([[[[-0.5, 0.5, 1.5]]]]))
    assert parametrization().flatten().tolist() == [0.0, 0.5, 1.0]
    for upwards, passes in ((True, [1.0, 1.0, 0.0]), (False, [0.0, 1.0, 1.0])):
        parametrization.zero_grad()
        (parametrization().sum() * (-1 if upwards else 1)).backward()
        assert parametrization.values.grad is not None
        assert parametrization.values.grad.abs().flatten().tolist() == passes


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
    scaled = spectrum / np.maximum(np.hypot(rows, columns), 1 / max(size))
    expected = 1 / (1 + np.exp(-np.fft.irfft2(scaled, s=size, norm="ortho") / 4))
    np.testing.assert_allclose(parametrization()[0, 0].detach().numpy(), expected, rtol=1e-12)


def test_decorrelated_colours_vary_as_photographs_do() -> None:
    """Of ImageNet's colours the first principal component is brightness: the three channels go together."""
    image = fourier((3, 64, 48), 1, deviation=1.0)().detach()[0].flatten(1)
    together = torch.corrcoef(torch.logit(image))
    apart = torch.corrcoef(torch.logit(fourier((3, 64, 48), 1, deviation=1.0, decorrelated=False)().detach()[0].flatten(1)))
    assert together[0, 1] > 0.8 and together[1, 2] > 0.8
    assert apart.fill_diagonal_(0).abs().max() < 0.5


def test_low_frequencies_carry_more_as_in_photographs() -> None:
    image = torch.logit(fourier((1, 64, 64), 1, deviation=1.0, dtype=torch.float64)().detach()[0, 0])
    power = torch.fft.rfft2(image).abs().square()
    radius = torch.sqrt(torch.fft.fftfreq(64)[:, None] ** 2 + torch.fft.rfftfreq(64) ** 2)
    low, high = (power[(radius > first) & (radius < last)].mean() for first, last in ((0.05, 0.07), (0.4, 0.45)))
    assert 0.6 < torch.log(low / high) / torch.log(torch.tensor((0.425 / 0.06) ** 2)) < 1.4
