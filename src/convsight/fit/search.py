"""From a whole network to one that tells more, step by step: by other pooling, other lengths of filters, another depth."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

from torch import Tensor

from convsight.architecture import WHOLE, Architecture
from convsight.fit import recommend
from convsight.fit.bench import Bench, OutOfTimeError
from convsight.fit.interval import Interval
from convsight.fit.properties import Along, Measured

_POOLINGS = (WHOLE, 4, 2, 1)
_REACHES = (3, 5, 9, 17, 33)
_LEAST_DEPTH = 2


@dataclass(frozen=True)
class _Place:
    """A network, its scores (n,), and what it does along each axis."""

    architecture: Architecture
    scores: Tensor
    measured: list[Measured]


def climbed(
    bench: Bench, begin: Architecture, measured: Sequence[Measured], *, steps: int
) -> tuple[Architecture, list[Measured]]:
    """The network that is reached from `begin`, which does what was `measured`, and what it does.

    Along one axis after the other all poolings are learnt, then all lengths of filters, then all lengths with all poolings; and
    after each of these all depths. The best of them is taken if it tells more than what there is by half of how far off that
    may be; which is best is chosen for each part by the others. All are as deep as what there is, but two convolutions at
    least: pooling over all alone leaves little to tell by. Where filters span an axis, sliding ones are tried if small networks
    leave that open and whole ones do not surely tell less so; where it is doubtful they must tell more by not a little. It ends
    once there is no time, or less than one sample is missed.
    """
    try:
        scores = bench.scores(begin, recommend.said(begin, measured), steps=steps)[0]
    except OutOfTimeError:
        return begin, list(measured)
    here = _Place(begin, scores, list(measured))
    pooled, both = (partial(each, poolings=(1,) if bench.samples.per_point else _POOLINGS) for each in (_pooled, _both))
    for others in (pooled, _longer_or_shorter, both):
        for axis, found in enumerate(measured):
            here = _along(bench, here, axis, others(found, here.measured[axis].along), steps)
        here = _at_other_depths(bench, here, steps)
    return here.architecture, here.measured


def _along(bench: Bench, here: _Place, axis: int, others: Sequence[Along], steps: int) -> _Place:
    """The best of `others` along an axis, if it is better."""
    found = here.measured[axis]
    plans = [[*here.measured[:axis], replace(found, along=other), *here.measured[axis + 1 :]] for other in others]
    depth = max(_LEAST_DEPTH, len(here.architecture.convolutions))
    there, more = _better(bench, here, [(depth, plan) for plan in plans], steps)
    doubtful = found.doubtful and found.along.slides is None
    if more is None or (doubtful and more.mean <= bench.little(there.scores)):
        return here
    if there.measured[axis].along == found.along:  # it is only deeper
        return there
    before, now = len(here.architecture.convolutions), len(there.architecture.convolutions)
    shallower = "" if before == now else f", {before} convolution{'s' if before > 1 else ''} deep rather than {now}"
    its = replace(there.measured[axis], as_usual=None, instead=(f"filters that {recommend.does(found)}{shallower}", more))
    return replace(there, measured=[*there.measured[:axis], its, *there.measured[axis + 1 :]])


def _at_other_depths(bench: Bench, here: _Place, steps: int) -> _Place:
    depths = recommend.depths(bench.samples, here.measured)
    return _better(bench, here, [(depth, here.measured) for depth in depths], steps)[0]


def _better(
    bench: Bench, here: _Place, others: Sequence[tuple[int, list[Measured]]], steps: int
) -> tuple[_Place, Interval | None]:
    """The best of `others`, of so many convolutions at most, and how much more it tells; or `here`, and None."""
    if bench.all_told(here.scores):
        return here, None
    places: list[_Place] = []
    with suppress(OutOfTimeError):
        for most, measured in others:
            if monotonic() > bench.deadline:
                break
            depths = recommend.depths(bench.samples, measured)
            depth = max((each for each in depths if each <= most), default=depths[0])
            architecture = recommend.recommended(bench.samples, measured, depth=depth)
            if architecture in (here.architecture, *(each.architecture for each in places)):
                continue
            scores = bench.scores(architecture, recommend.said(architecture, measured), steps=steps)[0]
            places.append(_Place(architecture, scores, measured))
    if not places:
        return here, None
    more = bench.interval(bench.best(dict(enumerate(each.scores for each in places))) - here.scores)
    best = max(places, key=lambda each: float(each.scores.mean()))
    return (best, more) if more.seems_more else (here, None)


def _pooled(found: Measured, along: Along, poolings: Sequence[int]) -> list[Along]:
    surely_less = found.whole.effect is not None and found.whole.effect.high < 0
    slides = along.slides or (found.sliding_along.slides if found.left_to_whole and not surely_less else None)
    if slides is None:
        return []
    left = found.length - slides + 1
    return [Along(slides, factor) for factor in poolings if factor <= left // 2]


def _longer_or_shorter(found: Measured, along: Along) -> list[Along]:
    most = (found.length + 1) // 2
    return [] if along.slides is None else [replace(along, slides=reach) for reach in _REACHES if reach <= most]


def _both(found: Measured, along: Along, poolings: Sequence[int]) -> list[Along]:
    return [each for reach in _longer_or_shorter(found, along) for each in _pooled(found, reach, poolings)]
