from __future__ import annotations

import numpy as np
import pytest

from convsight.fit import data
from convsight.fit.resemblance import resemblance


def test_neighbours_resemble_each_other_in_a_walk_and_not_in_noise() -> None:
    draw = np.random.default_rng(0)
    walk = draw.standard_normal((300, 12, 8)).cumsum(1)
    known = data.samples(walk, np.arange(300) % 2, axes=("time", "channel"))
    neighbours, chance, likely = resemblance(known, "time")
    assert neighbours > 1.2 * chance and likely < 0.01
    small = resemblance(data.samples(1e-30 * walk, np.arange(300) % 2, axes=("time", "channel")), "time")
    assert small == pytest.approx((neighbours, chance, likely))
    assert resemblance(known, "channel")[2] > 0.05
    mixed = data.samples(walk[:, draw.permutation(12)], np.arange(300) % 2, axes=("time", "channel"))
    assert resemblance(mixed, "time")[2] > 0.01
