from __future__ import annotations

import math

import torch

from convsight.tour.measures import grown_apart, one_direction, plane_share, rise_kept


def test_a_plane_is_all_gradient_and_its_square_is_none() -> None:
    ramp = torch.tensor([-1.0, 0.0, 1.0])
    plane = 3 + 2 * ramp[:, None] - ramp
    line = ramp.square().expand(3, 3)
    assert torch.allclose(plane_share(torch.stack([plane, line])[:, None]), torch.tensor([1.0, 0.0]), atol=1e-6)


def test_a_plane_is_two_of_the_eight_ways_in_which_nine_random_weights_differ() -> None:
    assert abs(plane_share(torch.randn(20_000, 1, 3, 3)).mean() - 2 / 8) < 0.005


def test_stripes_run_in_one_direction_and_a_chequerboard_of_them_in_two() -> None:
    wave = torch.sin(torch.arange(32) * math.pi / 4)
    oblique = torch.sin((torch.arange(32)[:, None] + torch.arange(32)) * math.pi / 4)
    shares = one_direction(torch.stack([wave.expand(32, 32), oblique, wave[:, None] + wave])[:, None])
    assert torch.allclose(shares, torch.tensor([1.0, 1.0, 0.5]), atol=0.02)


def test_a_sum_keeps_its_rise_when_pictures_are_moved_and_one_pixel_does_not() -> None:
    pictures = torch.rand(2, 1, 8, 8)
    pictures[:, :, 4, 4] = 2
    assert torch.allclose(rise_kept(lambda given: 5 + given.sum((1, 2, 3)), pictures, 3), torch.ones(2))
    assert rise_kept(lambda given: 5 + given[:, 0, 4, 4], pictures, 3).max() < 0.5


def test_grown_apart_counts_each_sign_by_itself() -> None:
    before, after = torch.tensor([1.0, 2.0, 3.0, 4.0, -1.0, -2.0, 0.0]), torch.tensor([2.0, 3.0, 4.0, 1.0, -2.0, 5.0, 9.0])
    assert grown_apart(before, after) == (0.75, 0.5)
