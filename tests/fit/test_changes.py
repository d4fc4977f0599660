from __future__ import annotations

import pytest
import torch

from convsight.fit import changes

GRID = torch.arange(2 * 3 * 7 * 5).float().view(2, 3, 7, 5)


@pytest.mark.parametrize("place", [2, 3])
def test_subsampling_leaves_means_of_neighbours(place: int) -> None:
    less = changes.subsampled(GRID, place=place, factor=2)
    rows, found = GRID.movedim(place, 0), less.movedim(place, 0)
    assert less.shape == GRID.shape
    assert torch.equal(found[0], (rows[0] + rows[1]) / 2) and torch.equal(found[0], found[1])
    assert torch.equal(found[-1], rows[-1])  # of an odd length the last stands alone
    assert torch.allclose(found[:4].mean(), rows[:4].mean())


def test_shifting_repeats_the_first() -> None:
    moved = changes.shifted(GRID, place=2, by=2)
    assert torch.equal(moved[:, :, 2:], GRID[:, :, :5]) and torch.equal(moved[:, :, 0], GRID[:, :, 0])


def test_entries_that_are_gone_are_blank() -> None:
    left = changes.without(GRID, place=3, gone=range(2, 5), blank=torch.tensor([7.0, 8.0, 9.0]))
    assert torch.equal(left[..., :2], GRID[..., :2]) and left.shape == GRID.shape
    assert all((left[:, channel, :, 2:] == 7.0 + channel).all() for channel in range(3))


def test_pieces_are_shuffled_whole_in_each_sample_otherwise() -> None:
    inputs = torch.arange(14.0).expand(6, 2, 3, 14).clone()
    mixed = changes.shuffled(inputs, place=3, length=4)
    assert mixed.shape == inputs.shape and torch.equal(mixed[..., 12:], inputs[..., 12:])
    firsts = mixed[:, 0, 0, :12].view(6, 3, 4)
    assert torch.equal(firsts - firsts[..., :1], torch.arange(4.0).expand(6, 3, 4))
    assert torch.equal(firsts[..., 0].sort(1).values, torch.tensor([0.0, 4.0, 8.0]).expand(6, 3))
    assert len(torch.unique(firsts[..., 0], dim=0)) > 1 and (mixed == mixed[:, :1, :1]).all()
