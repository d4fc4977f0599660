from __future__ import annotations

import torch
from torch import Generator

from convsight.transforms import compose, jitter, pad, rotate, scale

PICTURE = torch.rand(2, 3, 12, 17, generator=Generator().manual_seed(1))


def draws(transform: object, times: int = 40) -> list[torch.Tensor]:
    generator = Generator().manual_seed(0)
    return [transform(generator)(PICTURE) for _ in range(times)]


def test_jitter_shifts_both_ways_and_at_most_as_far_as_said() -> None:
    shifts = {
        (down, across)
        for view in draws(jitter(2), 300)
        for down in range(-3, 4)
        for across in range(-3, 4)
        if torch.equal(view, PICTURE.roll((down, across), (2, 3)))
    }
    assert shifts == {(down, across) for down in range(-2, 3) for across in range(-2, 3)}


def test_scale_keeps_the_size_and_one_changes_nothing() -> None:
    torch.testing.assert_close(draws(scale([1.0]), 1)[0], PICTURE)
    assert all(view.shape == PICTURE.shape for view in draws(scale([0.8, 1.2])))


def test_scale_enlarges_about_the_centre() -> None:
    dot = torch.zeros(1, 1, 21, 31)
    dot[0, 0, 10, 20] = 1  # 5 right of the centre
    view = scale([2.0])(Generator())(dot)[0, 0]
    assert divmod(int(view.argmax()), 31) == (10, 25)
    assert view.sum() > 2


def test_rotate_turns_about_the_centre_without_stretching() -> None:
    dot = torch.zeros(1, 1, 41, 61)
    dot[0, 0, 20, 45] = 1  # 15 right of the centre
    seen = set()
    generator = Generator().manual_seed(0)
    for _ in range(60):
        row, column = divmod(int(rotate(60)(generator)(dot)[0, 0].argmax()), 61)
        assert abs(((row - 20) ** 2 + (column - 30) ** 2) ** 0.5 - 15) < 1
        seen.add(row > 20)
    assert seen == {True, False}


def test_pad_adds_a_border() -> None:
    view = pad(2, value=0.25)(Generator())(PICTURE)
    assert view.shape == (2, 3, 16, 21)
    assert torch.equal(view[:, :, 2:-2, 2:-2], PICTURE)
    assert (view[:, :, :2] == 0.25).all() and (view[..., -2:] == 0.25).all()


def test_compose_applies_in_order_and_repeats_by_seed() -> None:
    first, second = (compose([jitter(3), rotate(9), pad(1)], Generator().manual_seed(5))(PICTURE) for _ in range(2))
    assert torch.equal(first, second)
    assert first.shape == (2, 3, 14, 19)
    assert not torch.equal(first, compose([jitter(3), rotate(9), pad(1)], Generator().manual_seed(6))(PICTURE))
