from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convsight.tiles import ascend_by_tiles, tiles


@settings(deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), tile=st.integers(1, 40))
def test_tiles_are_equal_cover_all_and_are_small_enough(height: int, width: int, tile: int) -> None:
    counted = torch.zeros(1, 1, height, width)
    sizes = set()
    for part in tiles(counted, tile):
        counted[part] += 1
        sizes.add(counted[part].shape)
    assert len(sizes) == 1
    assert max(next(iter(sizes))) <= tile
    assert counted.min() == 1


@pytest.mark.parametrize("tile", [4, 100])
def test_the_gradient_of_what_works_point_by_point_is_that_of_the_whole(tile: int) -> None:
    picture = torch.rand(2, 3, 12, 16, requires_grad=True)
    score = ascend_by_tiles(picture * 2, lambda piece: piece.pow(3).flatten(1).sum(1), tile)
    expected = (picture.detach() * 2).pow(3).flatten(1).sum(1)
    torch.testing.assert_close(score, expected)
    torch.testing.assert_close(picture.grad, -6 * (2 * picture.detach()).square())
