from __future__ import annotations

import pytest
import torch

from convsight import InputError, lbfgs, pixels, pixels_from


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


def test_from_several_seeds_each_sample_starts_by_itself() -> None:
    image = pixels((2, 5, 7), 3, seed=[4, 5, 4])()
    for sample, seed in enumerate((4, 5, 4)):
        assert torch.equal(image[sample], pixels((2, 5, 7), seed=seed)()[0])
    with pytest.raises(InputError, match="2 seeds are for 2 pictures, not for 3"):
        pixels((2, 5, 7), 3, seed=[4, 5])
