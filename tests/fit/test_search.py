from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from convsight.architecture import WHOLE, Architecture
from convsight.fit import data, recommend, search
from convsight.fit.bench import Bench
from convsight.fit.interval import Interval
from convsight.fit.properties import Along, Measured
from convsight.fit.verdict import Finding

STEPS = 60


def anywhere() -> Bench:
    """Series (800, 30) with one of two patterns at any place, and which it is."""
    draw = np.random.default_rng(1)
    y = draw.integers(2, size=800)
    x = 0.3 * draw.standard_normal((800, 30))
    for row, its_class in zip(x, y, strict=True):
        place = draw.integers(26)
        row[place : place + 4] += (1, -1, 1, -1) if its_class else (1, 1, -1, -1)
    return bench_of(x, y)


def at_its_place() -> Bench:
    """Series (800, 12) whose first numbers are larger, or not."""
    draw = np.random.default_rng(2)
    y = draw.integers(2, size=800)
    x = draw.standard_normal((800, 12))
    x[:, :3] += y[:, None]
    return bench_of(x, y)


def bench_of(x: np.ndarray, y: np.ndarray) -> Bench:
    return Bench(data.samples(x, y, axes=("time",)), 20, 3, device="cpu")


def measured(bench: Bench, along: Along, *, doubtful: bool = False) -> Measured:
    length = bench.samples.lengths["time"]
    found = Measured("time", length, (1.0, 1.0, 0.001), along, Along(5, 2))
    transfer = Finding("no") if doubtful else Finding()
    return replace(found, sliding=Finding("cannot tell", Interval(0.0, 0.05)), transfer=transfer)


def begun(bench: Bench, found: Measured, steps: int = STEPS) -> tuple[Architecture, Tensor]:
    architecture = recommend.recommended(bench.samples, [found], depth=1)
    return architecture, bench.scores(architecture, "", steps=steps)[0]


@pytest.mark.parametrize("along", [Along(5), Along()])
def test_for_patterns_anywhere_filters_come_to_pool_over_all(along: Along) -> None:
    bench = anywhere()
    found = measured(bench, along)
    architecture, scores = begun(bench, found)
    better, (settled,) = search.climbed(bench, architecture, [found], steps=STEPS)
    assert settled.along.pools == WHOLE and settled.instead and settled.instead[1].low > 0
    assert float(bench.scores(better, "", steps=STEPS).mean()) > float(scores.mean()) + settled.instead[1].low / 2
    said = recommend.reason(settled)
    assert "over all of it, since the whole network tells more so (+" in said and ") than by filters that s" in said


def test_where_nothing_tells_more_all_stays() -> None:
    bench = at_its_place()
    found = measured(bench, Along())
    architecture, _ = begun(bench, found)
    learnt: list[str] = []
    bench.on_network = learnt.append
    better, (settled,) = search.climbed(bench, architecture, [found], steps=STEPS)
    assert settled.along == Along() and settled.instead is None and len(learnt) > 4
    assert better.convolutions[0].slides == {}


def test_where_networks_deny_sliding_it_is_not_tried() -> None:
    bench = anywhere()
    surely_less = Finding("no", Interval(-0.05, 0.01))
    for found in (replace(measured(bench, Along()), sliding=surely_less), replace(measured(bench, Along()), whole=surely_less)):
        architecture, _ = begun(bench, found)
        _, (settled,) = search.climbed(bench, architecture, [found], steps=STEPS)
        assert settled.along == Along() and settled.instead is None


@pytest.mark.parametrize(("more", "doubtful", "slides"), [(0.03, True, True), (0.01, True, False), (0.01, False, True)])
def test_what_is_doubtful_must_tell_more_by_not_a_little(
    more: float, doubtful: bool, slides: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spanning networks tell 70%, where a guess has half."""
    bench = at_its_place()
    found = measured(bench, Along(), doubtful=doubtful)
    architecture = recommend.recommended(bench.samples, [found], depth=1)

    def scores(_: Bench, architecture: Architecture, *__: object, **___: object) -> Tensor:
        return torch.full((1, 800), 0.7 + (more if architecture.convolutions[0].slides else 0.0))

    monkeypatch.setattr(Bench, "scores", scores)
    _, (settled,) = search.climbed(bench, architecture, [found], steps=STEPS)
    assert (settled.along.slides is not None) == slides == (settled.instead is not None)


@pytest.mark.parametrize("worse", [4, 18])
def test_a_few_more_must_be_more_than_half_of_how_far_off_that_may_be(worse: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 800 samples 20 are told better, and some worse."""
    bench = at_its_place()
    found = measured(bench, Along())
    architecture, _ = begun(bench, found)
    scores = torch.full((800,), 0.5)
    other = scores.clone()
    places = torch.randperm(800, generator=torch.Generator().manual_seed(0))
    other[places[:20]] = 1.0
    other[places[20 : 20 + worse]] = 0.0
    monkeypatch.setattr(Bench, "scores", lambda *_, **__: other[None])
    here = search._Place(architecture, scores, [found])
    there, gain = search._better(bench, here, [(1, [replace(found, along=Along(5))])], STEPS)
    assert (there is here) == (gain is None) == (worse == 18)


def test_deeper_networks_are_tried() -> None:
    """Two marks, as far apart as no filter of three reaches, whose order is to be told."""
    draw = np.random.default_rng(4)
    y = draw.integers(2, size=800)
    x = 0.3 * draw.standard_normal((800, 24))
    for row, its_class in zip(x, y, strict=True):
        place = draw.integers(18)
        row[place], row[place + 4] = (2, -2) if its_class else (-2, 2)
    bench = bench_of(x, y)
    found = measured(bench, Along(3, WHOLE))
    here = search._Place(*begun(bench, found, 2 * STEPS), [found])
    there = search._at_other_depths(bench, here, 2 * STEPS)
    assert len(there.architecture.convolutions) > 1 and there.scores.mean() > here.scores.mean() + 0.1


@pytest.mark.parametrize("pooling", [1, 4])
def test_what_depth_brings_is_not_put_down_to_filters(pooling: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of two convolutions tell more, and those that pool by `pooling`, too."""
    bench = at_its_place()
    found = measured(bench, Along(3))

    def scores(_: Bench, architecture: Architecture, *__: object, **___: object) -> Tensor:
        deep, pools = len(architecture.convolutions) == 2, [each.pools.get("time", 1) for each in architecture.convolutions]
        return torch.full((1, 800), 0.5 + 0.2 * deep + 0.1 * (deep and pools == ([2, 2] if pooling == 4 else [1, 1])))

    monkeypatch.setattr(Bench, "scores", scores)
    architecture, (settled,) = search.climbed(bench, *begun(bench, found)[:1], [found], steps=STEPS)
    assert len(architecture.convolutions) == 2 and settled.along.pools == pooling
    said = None if settled.instead is None else settled.instead[0]
    assert (
        said == {1: None, 4: "filters that slide, 3 entries long, with no pooling, 1 convolution deep rather than 2"}[pooling]
    )


def test_nothing_is_learnt_without_time_or_need(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = at_its_place()
    found = measured(bench, Along())
    architecture, _ = begun(bench, found)
    bench.on_network = lambda name: pytest.fail(name)
    for known in (True, False):
        late = replace(bench, deadline=0.0, _found=bench._found if known else {})
        assert search.climbed(late, architecture, [found], steps=STEPS) == (architecture, [found])
    monkeypatch.setattr(Bench, "scores", lambda *_, **__: torch.ones(1, 800))
    assert search.climbed(bench, architecture, [found], steps=STEPS) == (architecture, [found])


def test_points_are_not_pooled() -> None:
    draw = np.random.default_rng(0)
    boards = draw.integers(2, size=(80, 2, 9, 9))
    bench = Bench(data.samples(boards, boards[:, 0].astype(float), axes=("row", "column")), 20, 2, device="cpu")
    found = [Measured(axis, 9, (1.0, 1.0, 0.001), Along(5), Along(5)) for axis in ("row", "column")]
    begin = recommend.recommended(bench.samples, found, depth=1)
    _, settled = search.climbed(bench, begin, found, steps=20)
    assert all(each.along.pools == 1 for each in settled)
