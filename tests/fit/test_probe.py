from __future__ import annotations

import numpy as np
import pytest
import torch

from convsight.architecture import Architecture
from convsight.fit import data, probe, recommend
from convsight.fit.properties import Along, Measured

DRAW = np.random.default_rng(0)
X = DRAW.standard_normal((60, 6, 7)).astype(np.float32)


@pytest.mark.parametrize("kind", ["one", "two", "points", "points, spanned"])
def test_numbers_are_told_in_their_units(kind: str) -> None:
    y = {"one": 7 + 3 * X[:, 0, 0], "two": X[:, 0, :2] * (5, 0.1) + (1_000, 0)}.get(kind, 100 + 9 * X)
    known = data.samples(X, y)
    network = probe.learnt(_architecture(known, "spanned" in kind), known, steps=3)
    assert known.units is not None
    mean, spread = known.units
    with torch.no_grad():
        before = network(known.inputs)
        expected = before * spread + mean
        torch.testing.assert_close(probe.in_units(network, known.units)(known.inputs), expected, rtol=1e-4, atol=1e-3)
        assert torch.equal(network(known.inputs), before)


def _architecture(known: data.Samples, spanned: bool) -> Architecture:
    alongs = (Along(3), Along() if spanned else Along(3))
    measured = [Measured(axis, 6 + place, (1.0, 1.0, 0.1), alongs[place]) for place, axis in enumerate(known.axes)]
    return recommend.recommended(known, measured, depth=1)
