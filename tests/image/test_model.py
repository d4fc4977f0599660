from __future__ import annotations

import torch
from torch import Generator

from convsight import load
from convsight.image import model
from convsight.image.data import load_digits


def test_distorted_digits_move_a_little_and_stay_in_range() -> None:
    images = load_digits(None, "test").images[:200]
    moved = model.distorted(images, Generator().manual_seed(0))
    assert moved.shape == (200, 1, 28, 28)
    assert moved.min() >= 0 and moved.max() <= 1
    ratio = moved.sum((1, 2, 3)) / (images.float().sum((1, 2)) / 255)
    assert ratio.min() > 0.7 and ratio.max() < 1.4
    assert torch.equal(moved, model.distorted(images, Generator().manual_seed(0)))
    assert not torch.equal(moved, model.distorted(images, Generator().manual_seed(1)))


def test_the_shipped_network_reads_distorted_digits() -> None:
    digits = load_digits(None, "test")
    network = load("digits")
    assert model.count_right(network, digits) >= 995
    with torch.no_grad():
        called = network(model.distorted(digits.images, Generator().manual_seed(0))).argmax(1)
    assert (called == digits.labels).sum() >= 990


def test_an_untrained_network_depends_on_its_seed_alone() -> None:
    first, second, third = (model.untrained(seed=seed).module.conv1.weight for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


def test_loss_is_the_cross_entropy_of_each_sample() -> None:
    output = torch.tensor([[0.0] * 10, [0.0] * 9 + [100.0]])
    torch.testing.assert_close(model.loss(output, torch.tensor([4, 9])), torch.tensor([2.302585, 0.0]))
