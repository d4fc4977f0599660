from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from convsight.architecture import WHOLE, build
from convsight.fit import data, properties, recommend, verdict
from convsight.fit.bench import Bench
from convsight.fit.interval import Interval
from convsight.fit.properties import Along, Measured
from convsight.fit.verdict import Verdict
from tests.fit.planted import Planted, planted


@pytest.mark.parametrize(
    ("mean", "error", "better", "no_worse"),
    [
        (0.1, 0.05, "yes", "yes"), (0.0, 0.005, "no", "yes"), (0.0, 0.1, "cannot tell", "cannot tell"),
        (-0.1, 0.05, "no", "no"), (0.005, 0.001, "no", "yes"),
        (-0.015, 0.001, "no", "no"), (-0.009, 0.005, "no", "cannot tell"),
    ],
)  # fmt: skip
def test_verdicts_are_of_the_whole_interval(mean: float, error: float, better: str, no_worse: str) -> None:
    """Where less than 0.01 is little."""
    assert verdict.better(Interval(mean, error), 0.01).verdict == better
    assert verdict.no_worse(Interval(mean, error), 0.01).verdict == no_worse


@pytest.mark.parametrize(
    ("sliding", "sharing", "transfer", "said"),
    [
        ("yes", "yes", "yes", "yes"), ("yes", "cannot tell", "yes", "yes"), ("cannot tell", "yes", "yes", "cannot tell"),
        ("yes", "yes", "cannot tell", "cannot tell"), ("yes", "no", "yes", "cannot tell"),
        ("yes", "no", "cannot tell", "cannot tell"), ("yes", "yes", "no", "no"), ("no", "yes", "yes", "no"),
    ],
)  # fmt: skip
def test_patterns_recur_if_sliding_and_transfer_say_so(
    sliding: Verdict, sharing: Verdict, transfer: Verdict, said: Verdict
) -> None:
    assert verdict.recurs(sliding, sharing, transfer) == said


def test_most_is_surely_more_than_half() -> None:
    assert [verdict.most(Interval(share, 0.1)).verdict for share in (0.7, 0.3, 0.55)] == ["yes", "no", "cannot tell"]


def test_the_networks_that_are_compared_are_as_declared() -> None:
    known = data.samples(np.random.default_rng(0).standard_normal((40, 2, 12, 9)), np.arange(40) % 2)
    plans = {"height": Along(5, 2), "width": Along()}
    made = properties.network(known, plans, filters=7)
    assert made.convolutions[0].slides == {"height": 5} and made.convolutions[0].pools == {"height": 2}
    assert build(made)(known.inputs[:3]).shape == (3, 2)
    for limited in ("height", None):
        assert build(properties.network(known, plans, filters=3, limited=limited))(known.inputs[:3]).shape == (3, 2)
    points = data.samples(known.inputs, np.eye(108, dtype=bool)[np.arange(40)].reshape(40, 12, 9))
    everywhere = properties.network(points, {"height": Along(3), "width": Along(5)}, filters=4)
    assert everywhere.per_point and build(everywhere)(points.inputs[:3]).shape == (3, 108)
    assert not properties.network(points, {"height": Along(3), "width": Along()}, filters=4).per_point


def measured(switches: Planted, *, noise: float = 0.5, count: int = 1_500, steps: int = 200) -> dict[str, Measured]:
    x, y = planted(switches, count=count, noise=noise, seed=0)
    return {
        each.axis: each for each in properties.measure(Bench(data.samples(x, y, axes=("first", "second")), steps, device="cpu"))
    }


def test_a_pattern_that_moves_recurs_and_one_that_stays_does_not() -> None:
    """Along a series; what is fine in it doesn't stand subsampling. Beside what stays is another that means nothing, and
    samples are of thirty groups.
    """
    draw = np.random.default_rng(0)
    y = draw.integers(2, size=600)
    shapes = np.array([(1.0, -1.0, 1.0, -1.0), (1.0, 1.0, -1.0, -1.0)], np.float32)
    found = {}
    for name, noise, parts in (("moves", 0.3, 2), ("stays", 0.5, 3)):
        x = noise * draw.standard_normal((600, 20), dtype=np.float32)
        for sample, its_class in enumerate(y):
            place = int(draw.integers(17)) if name == "moves" else 3
            x[sample, place : place + 4] += shapes[its_class]
            if name == "stays":
                place = int(draw.integers(8, 17))
                x[sample, place : place + 4] += shapes[draw.integers(2)]
        groups = draw.integers(30, size=600) if name == "stays" else None
        (found[name],) = properties.measure(
            Bench(data.samples(x, y, axes=("time",), groups=groups), 90, parts, device="cpu")
        )  # fmt: skip
    assert all(each.ordered.verdict == "yes" for each in found.values())
    reach, local = found["moves"].reach, found["moves"].local.effect
    short = max(each.mean for length, each in reach.items() if length <= 6)
    long = max(each.mean for length, each in reach.items() if length > 6)
    assert local and local.mean == pytest.approx(short - long, abs=0.01) and abs(short - long) > 0.01
    assert found["moves"].sliding.verdict == "yes" and found["moves"].recurs != "no" and found["moves"].along.pools != 1
    assert found["moves"].subsamples.verdict == "no"
    assert found["stays"].recurs == "no"


def test_the_first_that_is_as_good_is_taken() -> None:
    rows = {each: torch.full((5,), score) for each, score in ((1, 0.5), (3, 0.795), (5, 0.8), (9, 0.7))}
    assert [properties._first_as_good(rows, tolerance) for tolerance in (0.0, 0.01, 1.0)] == [5, 3, 1]


def test_of_noise_nothing_is_said() -> None:
    draw = np.random.default_rng(0)
    for y in (draw.lognormal(size=300), draw.integers(2, size=300)):
        whole = data.samples(draw.standard_normal((300, 12), dtype=np.float32), y, axes=("time",))
        (found,) = properties.measure(Bench(whole, 40, device="cpu"))
        assert not found.learnt and found.recurs == found.sliding.verdict == found.ordered.verdict == "cannot tell"
        assert "did not surely tell more than a guess" in recommend.reason(found)


@pytest.mark.slow
@pytest.mark.parametrize("switches", [Planted(each[:2], each[2:]) for each in itertools.product([True, False], repeat=4)])
def test_what_was_planted_is_found(switches: Planted) -> None:
    found = measured(switches, count=2_500, steps=300)
    right = 0
    for axis, recurs, subsamples in zip(("first", "second"), switches.recurs, switches.subsamples, strict=True):
        for said, on in ((found[axis].recurs, recurs), (found[axis].subsamples.verdict, subsamples)):
            assert said in ("yes" if on else "no", "cannot tell")
            right += said != "cannot tell"
    assert right >= 3


@pytest.mark.slow
def test_of_few_samples_nothing_wrong_is_said() -> None:
    switches = Planted((True, False), (False, True))
    found = measured(switches, count=200)
    for axis, recurs, subsamples in zip(("first", "second"), switches.recurs, switches.subsamples, strict=True):
        assert found[axis].recurs in ("yes" if recurs else "no", "cannot tell")
        assert found[axis].subsamples.verdict in ("yes" if subsamples else "no", "cannot tell")


def test_without_time_nothing_is_known() -> None:
    x, y = planted(Planted((True, True), (True, True)), count=100, noise=0.5, seed=0)
    for each in properties.measure(Bench(data.samples(x, y), 20, deadline=0.0)):
        assert each.recurs == each.local.verdict == each.subsamples.verdict == "cannot tell" and each.reach == {}
        assert each.along.pools != WHOLE
