from __future__ import annotations

import numpy as np
import pytest

from convsight.architecture import WHOLE, build, multiplications, parameters
from convsight.fit import data, properties, recommend
from convsight.fit.interval import Interval
from convsight.fit.properties import Along, Measured
from convsight.fit.verdict import Finding

DRAW = np.random.default_rng(0)
PICTURES = data.samples(DRAW.standard_normal((40, 28, 28)), np.arange(40) % 10)
BOARDS = data.samples(DRAW.integers(2, size=(40, 8, 9, 9)), np.eye(81, dtype=bool)[np.arange(40)].reshape(40, 9, 9))
WORDS = data.samples(DRAW.standard_normal((40, 50, 30)), np.arange(40) % 2, axes=("embedding", "time"))


def found(samples: data.Samples, *along: Along) -> list[Measured]:
    return [
        Measured(axis, length, (1.0, 1.0, 1.0), each)
        for (axis, length), each in zip(samples.lengths.items(), along, strict=True)
    ]


@pytest.mark.parametrize(
    ("samples", "along"),
    [
        (PICTURES, (Along(5, 2), Along(5, 4))), (PICTURES, (Along(), Along(9, WHOLE))), (PICTURES, (Along(), Along())),
        (PICTURES, (Along(1, WHOLE), Along(17, 4))), (BOARDS, (Along(3), Along(5))), (BOARDS, (Along(), Along(3))),
        (WORDS, (Along(), Along(3, WHOLE))), (WORDS, (Along(33, 2), Along(1))),
    ],
)  # fmt: skip
def test_whatever_was_found_can_be_built(samples: data.Samples, along: tuple[Along, ...]) -> None:
    measured = found(samples, *along)
    for depth in recommend.depths(samples, measured):
        declared = recommend.recommended(samples, measured, depth=depth)
        assert build(declared)(samples.inputs[:2].float()).shape == (2, samples.outputs)
    assert recommend.depths(samples, measured)[0] == 1


def test_filters_span_slide_and_pool_as_was_found() -> None:
    (once,) = recommend.recommended(WORDS, found(WORDS, Along(), Along(3, WHOLE)), depth=1).convolutions
    assert (once.slides, once.pools) == ({"time": 3}, {"time": WHOLE})
    twice = recommend.recommended(PICTURES, found(PICTURES, Along(5, 4), Along(5, 2)), depth=2).convolutions
    assert [each.slides for each in twice] == [{"height": 3, "width": 3}] * 2
    assert [each.pools for each in twice] == [{"height": 2, "width": 2}, {"height": 2}]
    board = recommend.recommended(BOARDS, found(BOARDS, Along(5), Along(5)), depth=2)
    assert board.per_point and all(not each.pools and each.padded for each in board.convolutions)


def test_it_multiplies_at_most_eight_times_as_often_as_the_usual_one() -> None:
    usual = recommend.usual(PICTURES)
    assert multiplications(usual) == 28**2 * 32 * 9 + 14**2 * 64 * 32 * 9 + 7**2 * 64 * 128 + 128 * 10
    for reach in (9, 13):
        wide = found(PICTURES, Along(reach, WHOLE), Along(reach, WHOLE))
        for depth in recommend.depths(PICTURES, wide):
            declared = recommend.recommended(PICTURES, wide, depth=depth)
            filters = declared.convolutions[0].filters
            assert multiplications(declared) <= 8 * multiplications(usual) or filters == 8
            more = recommend._declared(PICTURES, {each.axis: each.along for each in wide}, depth, filters + 1)
            assert multiplications(more) > 8 * multiplications(usual) or parameters(more) > parameters(usual) or filters == 96
    boards = found(BOARDS, Along(5), Along(5))
    assert multiplications(recommend.recommended(BOARDS, boards, depth=4)) > 8 * multiplications(recommend.usual(BOARDS))


def test_with_the_usual_filters_it_is_the_usual_network() -> None:
    along = Along(3, 2)
    as_usual = found(PICTURES, along, along)
    assert recommend.depths(PICTURES, as_usual) == [2]
    assert recommend.recommended(PICTURES, as_usual, depth=2) == recommend.usual(PICTURES)
    assert len(recommend.depths(PICTURES, found(PICTURES, along, Along(3)))) > 1


def test_the_usual_ones_are_as_large() -> None:
    usual = recommend.usual(PICTURES)
    assert [each.pools for each in usual.convolutions] == [{"height": 2, "width": 2}] * 2
    assert [each.slides for each in usual.convolutions] == [{"height": 3, "width": 3}] * 2
    fits = recommend.recommended(PICTURES, found(PICTURES, Along(5, 4), Along(5, 4)), depth=2)
    flat = recommend.fully_connected(PICTURES, parameters(fits))
    assert not flat.convolutions and abs(parameters(flat) / parameters(fits) - 1) < 0.02
    assert abs(parameters(fits) / parameters(usual) - 1) < 0.2


@pytest.mark.parametrize("lengths", [(2, 40), (5, 5), (4, 4), (3, 7), (2, 2), (1, 4)])
def test_short_axes_have_their_networks(lengths: tuple[int, int]) -> None:
    known = data.samples(DRAW.standard_normal((40, 3, *lengths)), np.arange(40) % 2, axes=("a", "b"))
    for each in (recommend.usual(known), *properties.first_networks(known)):
        assert build(each)(known.inputs[:2]).shape == (2, 2)
    points = data.samples(DRAW.standard_normal((40, *lengths)), DRAW.standard_normal((40, *lengths)), axes=("a", "b"))
    for each in properties.first_networks(points):
        assert build(each)(points.inputs[:2]).shape == (2, points.outputs)


def test_reasons_say_what_was_measured() -> None:
    (first, second) = found(PICTURES, Along(5, 2), Along())
    first.sliding = Finding("yes", Interval(0.05, 0.01))
    second.sliding = Finding("no", Interval(-0.02, 0.01))
    assert recommend.reason(first) == (
        "height: filters slide, 5 entries long, with pooling by 2, since sliding filters tell 5.0% ± 1.0% more than ones of as "
        "many parameters that span it."
    )
    assert "width: filters span all 28 entries, since sliding filters tell no more" in recommend.reason(second)
    second.sliding, second.transfer = Finding("cannot tell", Interval(0.05, 0.09)), Finding("no")
    assert recommend.reason(second) == (
        "width: filters span all 28 entries, since what filters learn at one place serves less than half as much at another, "
        "and there was no time to ask the whole network whether to slide, by which small ones tell +5.0% ± 9.0%."
    )
    second.transfer = Finding()
    assert "small networks leave it open whether sliding is better" in recommend.reason(second)
    second.sliding = Finding()
    assert "no time to measure" in recommend.reason(second)
    second.instead = "filters that slide", Interval(0.01, 0.02)
    assert recommend.reason(second) == (
        "width: filters span all 28 entries, since the whole network seems to tell more so (+1.0% ± 2.0%) than by filters that "
        "slide."
    )
