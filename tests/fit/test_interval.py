from __future__ import annotations

import pytest
import torch
from scipy import stats

from convsight.fit.interval import Interval, of_mean

COUNT = 400


@pytest.mark.parametrize("apart", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("groups", [None, 8, 40])
def test_they_hold_the_truth_as_often_as_they_say(apart: float, groups: int | None) -> None:
    """Of four networks that differ by chance, `apart` times as much as samples do, a part each; of groups that differ, too."""
    of = torch.arange(COUNT) % (groups or 4)
    folds = of % 4  # no group is in two
    generator, held = torch.Generator().manual_seed(0), 0
    for _ in range(400):
        scores = torch.randn(COUNT, generator=generator) + apart * torch.randn(4, generator=generator)[folds]
        if groups:
            scores += 0.2 * torch.randn(groups, generator=generator)[of]
        found = of_mean(scores, groups=of if groups else None, folds=folds)
        held += found.low <= 0 <= found.high
    assert 0.86 <= held / 400 <= 0.96


def test_of_samples_alone_they_are_students() -> None:
    scores = torch.randn(60, generator=torch.Generator().manual_seed(0)) + 2
    found = of_mean(scores)
    low, high = stats.t.interval(0.9, 59, loc=scores.mean(), scale=stats.sem(scores))
    assert (found.mean, found.low, found.high) == pytest.approx((float(scores.mean()), low, high), rel=1e-3)


@pytest.mark.parametrize("count", [2, 3, 10])
def test_of_groups_whose_samples_are_alike_they_are_as_of_one_sample_a_group(count: int) -> None:
    by_group = torch.randn(count, generator=torch.Generator().manual_seed(1))
    groups = torch.arange(60) % count
    error = stats.t.ppf(0.95, count - 1) * stats.sem(by_group)
    assert of_mean(by_group[groups], groups=groups).error == pytest.approx(error, rel=0.01)


def test_networks_that_differ_more_than_samples_do_make_them_wider() -> None:
    by_network = torch.tensor([0.4, 0.5, 0.7, 0.6])
    folds = torch.arange(COUNT) % 4
    found = of_mean(by_network[folds], folds=folds)
    assert found.error == pytest.approx(stats.t.ppf(0.95, 3) * stats.sem(by_network), rel=0.01)
    noisy = by_network[folds] + 100 * torch.randn(COUNT, generator=torch.Generator().manual_seed(1))
    assert of_mean(noisy, folds=folds) == of_mean(noisy)


@pytest.mark.parametrize(("mean", "seems"), [(0.011, True), (0.009, False), (-0.02, False)])
def test_more_is_what_is_above_half_of_how_far_off_it_may_be(mean: float, seems: bool) -> None:
    assert Interval(mean, 0.02).seems_more == seems


def test_it_is_written_in_hundredths() -> None:
    assert str(Interval(-0.0123, 0.05)) == "-1.2% ± 5.0%"
