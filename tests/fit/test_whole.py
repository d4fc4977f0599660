from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from convsight.architecture import WHOLE, Architecture
from convsight.fit import data, recommend, whole
from convsight.fit.bench import Bench
from convsight.fit.interval import Interval
from convsight.fit.properties import USUAL, Along, Measured
from convsight.fit.verdict import Finding

STEPS = 60


def pattern(anywhere: bool, *, noise: float = 0.3) -> data.Samples:
    """Series (800, 30) with one of two patterns `anywhere`, and which it is, or one at two places, and at which."""
    draw = np.random.default_rng(1)
    y = draw.integers(2, size=800)
    x = noise * draw.standard_normal((800, 30))
    for row, its_class in zip(x, y, strict=True):
        place = draw.integers(26) if anywhere else (8, 18)[its_class]
        row[place : place + 4] += (1, -1, 1, -1) if its_class or not anywhere else (1, 1, -1, -1)
    return data.samples(x, y, axes=("time",))


def bench_of(samples: data.Samples) -> Bench:
    return Bench(samples, 20, 3, device="cpu")


def measured(along: Along, sliding: Interval, *, doubtful: bool = False, axis: str = "time", length: int = 30) -> Measured:
    slides = Along(5, WHOLE)
    found = Measured(axis, length, (1.0, 1.0, 0.001), along, slides)
    return replace(found, sliding=Finding("cannot tell", sliding), transfer=Finding("no") if doubtful else Finding())


UNSURE, SURE = Interval(0.0, 0.05), Interval(0.05, 0.01)


@pytest.mark.parametrize("anywhere", [True, False])
def test_without_recurrence_filters_slide_only_where_the_whole_network_is_better_by_it(anywhere: bool) -> None:
    found = measured(Along(5, WHOLE), SURE, doubtful=True)
    architecture, (settled,) = whole.settled(bench_of(pattern(anywhere, noise=0.5)), [found], steps=STEPS)
    assert (settled.along.slides == 5) == (settled.whole.verdict == "yes") == anywhere
    assert bool(architecture.convolutions[0].slides) == anywhere
    said = "though what they learn at" if anywhere else "and though sliding ones tell"
    assert said in recommend.reason(settled)


@pytest.mark.parametrize(
    ("more", "slides", "said"),
    [
        ((0.04, 0.041, 0.042), True, "tells 4.1% ± "), ((0.0, 0.04, 0.08), True, "seems to tell 4.0% ± "),
        ((-0.05, 0.04, 0.13), False, "in the whole network it is +4.0% ± "), ((0.01, 0.011, 0.012), False, "it is +1.1% ± "),
    ],
)  # fmt: skip
def test_what_is_doubtful_slides_if_it_seems_to_tell_more_and_not_a_little(
    more: tuple[float, ...], slides: bool, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`more`: what sliding networks tell more in each of three parts than spanning ones, which tell 70%."""
    bench = bench_of(pattern(True))
    spanning = torch.full((800,), 0.7)
    sliding = spanning + torch.tensor(more)[bench.folds]

    def scores(_: Bench, architecture: Architecture, *__: object, **___: object) -> torch.Tensor:
        return (sliding if architecture.convolutions[0].slides else spanning)[None]

    monkeypatch.setattr(Bench, "scores", scores)
    _, _, (settled,) = whole._slid_or_spanned(bench, [measured(Along(5, WHOLE), SURE, doubtful=True)], STEPS)
    assert (settled.along.slides == 5) == slides and said in recommend.reason(settled)


@pytest.mark.parametrize("anywhere", [True, False])
@pytest.mark.parametrize("slid", [True, False])
def test_where_neither_is_surely_better_the_whole_network_is_asked(anywhere: bool, slid: bool) -> None:
    bench = bench_of(pattern(anywhere))
    found = measured(Along(5, WHOLE) if slid else Along(), UNSURE)
    _, scores, (settled,) = whole._slid_or_spanned(bench, [found], STEPS)
    assert scores is not None
    assert settled.along == (Along(5, WHOLE) if anywhere else Along())
    assert settled.whole.effect and (settled.whole.effect.mean > 0) == anywhere and scores.mean() > 0.9
    assert "in small networks sliding is neither surely better nor worse" in recommend.reason(settled)


def test_filters_are_as_usual_unless_others_seem_to_tell_more() -> None:
    bench = bench_of(pattern(False))
    architecture, (settled,) = whole.settled(bench, [measured(Along(), UNSURE)], steps=STEPS)
    assert settled.along == USUAL and architecture == recommend.usual(bench.samples)
    assert settled.as_usual and "pooling by 2, as is usual: with what seemed to do best" in recommend.reason(settled)
    bench = bench_of(pattern(True))
    architecture, (settled,) = whole.settled(bench, [measured(Along(5, WHOLE), SURE)], steps=STEPS)
    assert settled.along == Along(5, WHOLE) and settled.as_usual is None and not settled.whole.effect
    assert architecture != recommend.usual(bench.samples)


def test_which_axes_may_be_as_usual() -> None:
    bench = bench_of(pattern(True))
    for found, along in (
        (measured(Along(9, 4), SURE), Along(3, 2)), (measured(Along(), UNSURE), Along(3, 2)),
        (measured(Along(), SURE), Along()), (measured(Along(), UNSURE, doubtful=True), Along()),
        (measured(Along(5), SURE, length=5), Along(5)),
    ):  # fmt: skip
        assert whole._usual_along(bench, found) == along
    draw = np.random.default_rng(0)
    boards = bench_of(data.samples(draw.integers(2, size=(40, 2, 9, 9)), draw.standard_normal((40, 9, 9)), axes=("a", "b")))
    assert whole._usual_along(boards, measured(Along(9), SURE, axis="a", length=9)) == Along(3)


def test_of_what_is_told_whole_nothing_is_chosen_by() -> None:
    draw = np.random.default_rng(3)
    y = draw.integers(2, size=200)
    bench = bench_of(data.samples(0.1 * draw.standard_normal((200, 20)) + y[:, None], y, axes=("time",)))
    architecture, (settled,) = whole.settled(bench, [measured(Along(), SURE, doubtful=True)], steps=STEPS)
    assert architecture == recommend.usual(bench.samples) and settled.as_usual


def test_what_is_open_is_as_usual_without_time() -> None:
    bench = bench_of(pattern(True))
    bench.deadline = 0.0
    for found, along in (
        (measured(Along(), UNSURE), Along(3, 2)), (measured(Along(9), SURE), Along(9)),
        (measured(Along(5), SURE, doubtful=True), Along()),
    ):  # fmt: skip
        architecture, (settled,) = whole.settled(bench, [found], steps=STEPS)
        assert settled.along == along and settled.as_usual is None
        assert (architecture == recommend.usual(bench.samples)) == (along == Along(3, 2))


def test_of_two_axes_one_that_surely_spans_stays() -> None:
    draw = np.random.default_rng(2)
    y = draw.integers(2, size=200)
    x = 2.5 * draw.standard_normal((200, 8, 12)) + y[:, None, None]
    bench = bench_of(data.samples(x, y, axes=("a", "b")))
    found = [measured(Along(), SURE, axis="a", length=8), measured(Along(5, 4), SURE, axis="b", length=12)]
    architecture, (first, second) = whole.settled(bench, found, steps=STEPS)
    assert first == found[0] and second.along == Along(3, 2) and second.as_usual
    assert architecture.convolutions[0].slides == {"b": 3}


def test_out_of_time_nothing_is_settled() -> None:
    bench = bench_of(pattern(True))
    found = [measured(Along(5, WHOLE), SURE, doubtful=True)]
    told: list[str] = []

    def over(name: str) -> None:
        told.append(name)
        if len(told) == 2:
            bench.deadline = 0.0

    bench.on_network = over
    architecture, settled = whole.settled(bench, found, steps=STEPS)
    assert [each.split(":")[0] for each in told] == ["1 convolution", "2 convolutions"]
    assert [each.along for each in settled] == [Along()] and len(architecture.convolutions) == 2
    assert recommend.reason(settled[0]).endswith(" to slide, by which small ones tell +5.0% ± 1.0%.")


def test_whole_networks_learn_for_as_long_as_is_asked() -> None:
    bench = bench_of(pattern(True))
    asked = recommend.recommended(bench.samples, [measured(Along(5), SURE)], depth=1)
    few, more = (bench.scores(asked, "", steps=steps) for steps in (1, STEPS))
    assert more.mean() > few.mean() + 0.1 and not torch.equal(few, bench.scores(asked, ""))
