from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from convsight.architecture import WHOLE, Architecture
from convsight.fit import data, recommend, search
from convsight.fit.bench import Bench, Interval
from convsight.fit.properties import Along, Measured
from convsight.fit.verdict import Finding

STEPS = 60


def anywhere(*, classes: int = 2) -> Bench:
    """Series (800, 30) with one of two patterns at any place, and which it is."""
    draw = np.random.default_rng(1)
    y = draw.integers(classes, size=800)
    x = 0.3 * draw.standard_normal((800, 30))
    for row, its_class in zip(x, y, strict=True):
        place = draw.integers(26)
        row[place : place + 4] += (1, -1, 1, -1) if its_class else (1, 1, -1, -1)
    return bench_of(x, y)


def at_its_place(noise: float) -> Bench:
    """Series (800, 12) whose first or last numbers are larger, and which."""
    draw = np.random.default_rng(2)
    y = draw.integers(2, size=800)
    x = noise * draw.standard_normal((800, 12))
    x[:, :3] += y[:, None]
    return bench_of(x, y)


def bench_of(x: np.ndarray, y: np.ndarray) -> Bench:
    known, judged = data.parted(data.samples(x, y, axes=("time",)))
    return Bench(known, judged, 20, 2, device="cpu")


def measured(bench: Bench, along: Along, *, sliding: str = "cannot tell", doubtful: bool = False) -> Measured:
    length = bench.known.lengths["time"]
    found = Measured("time", length, (1.0, 1.0, 0.001), along, Along(5, 2), doubtful=doubtful)
    return replace(found, sliding=Finding(sliding, Interval(0.0, 0.05)))  # type: ignore[arg-type]


def begun(bench: Bench, found: Measured, depth: int = 1) -> tuple[Architecture, Tensor]:
    architecture = recommend.recommended(bench.known, [found], depth=depth)
    return architecture, bench.scores(architecture, "", steps=STEPS)[:, 0]


@pytest.mark.parametrize("along", [Along(5), Along()])
def test_for_patterns_anywhere_filters_come_to_pool_over_all(along: Along) -> None:
    bench = anywhere()
    found = measured(bench, along)
    architecture, scores = begun(bench, found)
    better, (settled,) = search.climbed(bench, architecture, scores, [found], steps=STEPS)
    assert settled.along.pools == WHOLE and settled.instead and settled.instead[1].low > 0
    assert float(bench.scores(better, "", steps=STEPS).mean()) > float(scores.mean()) + settled.instead[1].low / 2
    said = recommend.reason(settled)
    assert "over all of it, since the whole network tells" in said and "more so than by filters that s" in said


def test_where_nothing_tells_more_all_stays() -> None:
    bench = at_its_place(1.0)
    found = measured(bench, Along())
    architecture, scores = begun(bench, found)
    learnt: list[str] = []
    bench.on_network = learnt.append
    better, (settled,) = search.climbed(bench, architecture, scores, [found], steps=STEPS)
    assert settled.along == Along() and settled.instead is None and len(learnt) > 4
    assert better.convolutions[0] == architecture.convolutions[0]


@pytest.mark.parametrize(("told", "doubtful"), [("no", False), ("cannot tell", True)])
def test_what_small_networks_deny_must_surely_be_better(told: str, doubtful: bool) -> None:
    bench = anywhere()
    found = measured(bench, Along(), sliding=told, doubtful=doubtful)
    architecture, scores = begun(bench, found)
    _, (settled,) = search.climbed(bench, architecture, scores, [found], steps=STEPS)
    assert (settled.along.slides is None) == doubtful


def test_nothing_is_learnt_without_time_or_need() -> None:
    bench = at_its_place(1.0)
    found = measured(bench, Along())
    architecture, scores = begun(bench, found)
    for each, deadline in ((scores, 0.0), (torch.ones_like(scores), float("inf"))):
        bench.deadline = deadline
        bench.on_network = lambda name: pytest.fail(name)
        assert search.climbed(bench, architecture, each, [found], steps=STEPS) == (architecture, [found])


def test_points_are_not_pooled() -> None:
    draw = np.random.default_rng(0)
    boards = draw.integers(2, size=(80, 2, 9, 9))
    known, judged = data.parted(data.samples(boards, boards[:, 0].astype(float), axes=("row", "column")))
    bench = Bench(known, judged, 20, 2, device="cpu")
    found = [Measured(axis, 9, (1.0, 1.0, 0.001), Along(5), Along(5)) for axis in ("row", "column")]
    begin = recommend.recommended(known, found, depth=1)
    _, settled = search.climbed(bench, begin, bench.scores(begin, "", steps=20)[:, 0], found, steps=20)
    assert all(each.along.pools == 1 for each in settled)
