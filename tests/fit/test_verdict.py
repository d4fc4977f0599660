from __future__ import annotations

import pytest

from convsight.fit import verdict
from convsight.fit.interval import Interval


@pytest.mark.parametrize(
    ("learnt", "missed", "little"),
    [(0.5, 0.4, 0.04), (0.3, 0.7, 0.03), (0.8, 0.01, 0.008), (-0.3, 1.3, 0.0)],
)
def test_little_is_a_tenth_of_the_less_but_a_hundredth_of_what_is_learnt(learnt: float, missed: float, little: float) -> None:
    assert verdict.little(learnt, missed) == pytest.approx(little)


@pytest.mark.parametrize(
    ("mean", "error", "better", "no_worse"),
    [
        (0.05, 0.02, "yes", "yes"),  # surely above zero, and not a little
        (0.01, 0.005, "no", "yes"),  # surely above zero, and surely a little
        (0.01, 0.02, "cannot tell", "yes"),
        (0.03, 0.04, "cannot tell", "yes"),
        (-0.01, 0.015, "no", "cannot tell"),
        (-0.05, 0.02, "no", "no"),
    ],
)
def test_differences(mean: float, error: float, better: str, no_worse: str) -> None:
    gain = Interval(mean, error)
    assert verdict.better(gain, 0.02).verdict == better and verdict.no_worse(gain, 0.02).verdict == no_worse
