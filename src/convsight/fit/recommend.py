"""From what was measured to a network, with a reason for each axis; and that network beside the usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

from torch import Tensor

from convsight.architecture import WHOLE, Architecture, Convolution, build, enough, parameters
from convsight.errors import InputError
from convsight.fit import probe, verdict
from convsight.fit.bench import Bench, Interval, OutOfTimeError
from convsight.fit.data import Samples
from convsight.fit.properties import Along, Measured
from convsight.network import Network

_WIDTHS, _HIDDEN = (32, 64), 128
_POINT_LAYERS, _MOST_FILTERS = 4, 96
_USUAL = Along(3, 2)
_LEAST_AS_USUAL = 6  # entries of an axis


@dataclass(frozen=True)
class Candidate:
    """A network that was learnt; `right`: of the test's samples; `chosen_by`: of those that the best is chosen by, the mean."""

    name: str
    network: Network
    seconds: float
    right: Interval
    chosen_by: float

    @property
    def parameters(self) -> int:
        return sum(each.numel() for each in self.network.module.parameters())


def usual(samples: Samples) -> Architecture:
    """The usual default: 3x3 filters and 2x2 pooling along both axes, twice, then fully connected, whatever the data are."""
    lengths, convolutions, left = _lengths(samples), [], dict(_lengths(samples))
    for width in _WIDTHS:
        slides = {axis: 3 for axis, length in left.items() if length >= 3}
        pools = dict.fromkeys(slides, 2)
        convolutions.append(Convolution(width, slides, pools, padded=True))
        left = {axis: length // 2 if axis in slides else 1 for axis, length in left.items()}
    return Architecture(samples.inputs.shape[1], lengths, tuple(convolutions), (_HIDDEN,), samples.outputs)


def fully_connected(samples: Samples, wanted: int) -> Architecture:
    """Two fully connected layers and the outputs, with `wanted` parameters or more."""

    def make(width: int) -> Architecture:
        inputs = samples.inputs.shape[1]
        return Architecture(inputs, _lengths(samples), (), (width, _HIDDEN), samples.outputs)

    return make(enough(make, wanted))


def recommended(samples: Samples, measured: Sequence[Measured], *, depth: int) -> Architecture:
    """The network that does along each axis what was measured to do best, with about as many parameters as `usual`.

    `depth`: how many convolutions follow one another; the first spans what is spanned.
    """
    plans = {each.axis: each.along for each in measured}
    wanted = parameters(usual(samples))

    def make(filters: int) -> Architecture:
        return _declared(samples, plans, depth, filters)

    return make(enough(make, wanted, most=_MOST_FILTERS))


def settled(bench: Bench, measured: Sequence[Measured], *, steps: int) -> tuple[Architecture, list[Measured]]:
    """The network that fits, as deep as does best after so many steps, and `measured` with what its filters do on each axis.

    The whole network is asked where small ones left it open whether filters should slide along an axis: if neither is surely
    better, it does the other if it tells more so, by more than a standard error, about; if what filters learn at one place
    serves less at another, though small networks do better by ones that slide, these stay if it surely does better by them,
    too. Along the axes that they may slide along, filters are at last three entries long and pool by two, as is usual, unless
    it tells more, by more than a standard error, by what small ones do best by (after Breiman et al. 1984, Classification and
    Regression Trees, 3.4.3).
    """
    best, scores = _as_deep_as_does_best(bench, measured, steps)
    last = list(measured)
    for place, found in enumerate(measured):
        if scores is None or not found.open:
            continue
        turned = replace(found, along=found.sliding_along if found.along.slides is None else Along())
        other, its_scores = _as_deep_as_does_best(bench, [*last[:place], turned, *last[place + 1 :]], steps)
        if its_scores is None:
            continue
        gain = scores - its_scores if turned.along.slides is None else its_scores - scores
        highest = max(float(scores.mean()), float(its_scores.mean()))
        little = verdict.little(highest - probe.guessed(bench.known, bench.judged), 1 - highest)
        kept = verdict.better(bench.interval(gain), little)
        if kept.verdict != "yes" if found.doubtful else _tells_more(bench.interval(its_scores - scores)):
            best, scores, found = other, its_scores, turned
        last[place] = replace(found, kept=kept)
    usual = [replace(each, along=_usual_along(bench.known, each)) for each in last]
    if scores is not None and usual != last:
        other, its_scores = _as_deep_as_does_best(bench, usual, steps)
        more = None if its_scores is None else bench.interval(scores - its_scores)
        if more and not _tells_more(more):
            best = other
            last = [replace(each, as_usual=None if each == was else more) for was, each in zip(last, usual, strict=True)]
    return best, last


def depths(samples: Samples, measured: Sequence[Measured]) -> list[int]:
    """How many convolutions there may be: as many as the axes are long enough for."""
    found = []
    for depth in (1, 2, _POINT_LAYERS):
        try:
            build(_declared(samples, {each.axis: each.along for each in measured}, depth, 1))
        except InputError:
            continue
        found.append(depth)
    return found


def reason(found: Measured) -> str:
    """Why the filters do along an axis what they do, in one sentence."""
    along, gain = found.along, found.sliding.effect
    if not found.learnt:
        return (
            f"{found.axis}: small networks did not surely tell more than a guess does, so nothing is known; filters "
            f"{_does(found, along)}."
        )
    if gain is None:
        why = "since neighbours are no more alike than other entries" if along.slides is None else "as is usual"
        return f"{found.axis}: there was no time to measure whether filters should slide; they {_does(found, along)}, {why}."
    kept = found.kept.effect
    if found.as_usual:
        why = f"as is usual: the whole network tells no more to speak of by what small ones do best by ({found.as_usual})"
    elif kept and not found.doubtful:
        why = f"in small networks sliding is neither surely better nor worse ({gain}), and in the whole network it is {kept}"
    elif kept and along.slides is None:
        why = (
            f"what filters learn at one place serves less at another, and though sliding ones tell {gain} in small networks, "
            f"in the whole network it is {kept}"
        )
    elif kept:
        why = (
            f"the whole network tells {kept.mean:.1%} ± {kept.error:.1%} more by sliding filters, though what they learn at "
            "one place serves less at another"
        )
    elif along.slides is not None and gain.low > 0:
        why = f"sliding filters tell {gain.mean:.1%} ± {gain.error:.1%} more than ones of as many parameters that span it"
    elif found.sliding.verdict == "no":
        why = f"sliding filters tell no more than ones that span it ({gain})"
    else:
        alike = "neighbours are alike" if along.slides else "neighbours are no more alike than other entries"
        why = (
            f"whether sliding or spanning is better cannot be told ({gain} for sliding), and "
            f"{alike if gain.mean > 0 else 'sliding seems no better'}"
        )
    return f"{found.axis}: filters {_does(found, along)}, {'' if found.as_usual else 'since '}{why}."


def _tells_more(gain: Interval) -> bool:
    """By more than a standard error, about."""
    return gain.mean > gain.error / 2


def _usual_along(known: Samples, found: Measured) -> Along:
    """Three entries and pooling by two, where filters slide or may slide, and the axis is long enough; else as it was found."""
    may_slide = found.along.slides is not None or (found.open and not found.doubtful)
    if not may_slide or found.length < _LEAST_AS_USUAL:
        return found.along
    return Along(3) if known.per_point else _USUAL


def _as_deep_as_does_best(bench: Bench, measured: Sequence[Measured], steps: int) -> tuple[Architecture, Tensor | None]:
    """The recommended network, and its scores (seeds, n); None if there was no time, and it is two convolutions deep."""
    known = bench.known
    if all(each.along == _USUAL for each in measured) and not known.per_point:
        possible = {len(_WIDTHS): usual(known)}
    else:
        possible = {depth: recommended(known, measured, depth=depth) for depth in depths(known, measured)}
    rows: dict[int, Tensor] = {}
    try:
        for depth, architecture in possible.items():
            said = f"{depth} convolution{'s' if depth > 1 else ''}"
            rows[depth] = bench.scores(architecture, said, steps=steps)[:, 0]
    except OutOfTimeError:
        pass
    best = max(rows, key=lambda each: float(rows[each].mean()), default=min(2, max(possible)))
    return possible[best], rows.get(best)


def _declared(samples: Samples, plans: dict[str, Along], depth: int, filters: int) -> Architecture:
    """`depth` convolutions, the later ones twice as many filters, that share reach and pooling between them."""
    lengths, convolutions, left = _lengths(samples), [], dict(_lengths(samples))
    padded = samples.per_point
    for number in range(depth):
        sliding = {axis: plan for axis, plan in plans.items() if plan.slides is not None and left[axis] > 1}
        slides = {axis: _shared(plan.slides or 1, depth) for axis, plan in sliding.items()}
        pools = {axis: _pooled(plan.pools, number, depth) for axis, plan in sliding.items()}
        pools = {axis: factor for axis, factor in pools.items() if factor != 1}
        convolutions.append(Convolution(filters * min(number + 1, 2), slides, pools, padded=padded))
        for axis in left:
            after = left[axis] if padded and axis in slides else left[axis] - slides.get(axis, left[axis]) + 1
            factor = pools.get(axis, 1)
            left[axis] = 1 if factor == WHOLE else after // factor
    everywhere = samples.per_point and all(plan.slides is not None and plan.pools == 1 for plan in plans.values())
    return Architecture(
        samples.inputs.shape[1], lengths, tuple(convolutions), () if everywhere else (_HIDDEN,), samples.outputs,
        per_point=everywhere,
    )  # fmt: skip


def _shared(reach: int, depth: int) -> int:
    """How long each of `depth` filters is that follow one another and reach as far together; odd, and 3 at least, or 1."""
    each = 1 + ceil((reach - 1) / depth)
    return 1 if reach == 1 else max(3, each + 1 - each % 2)


def _pooled(factor: int, number: int, depth: int) -> int:
    """The pooling after convolution `number` of `depth`: all there is at the end, or two by two as far as it goes."""
    if factor == WHOLE:
        return WHOLE if number == depth - 1 else 1
    twos = factor.bit_length() - 1
    return factor if depth == 1 else 2 if number < twos else 1


def _does(found: Measured, along: Along) -> str:
    if along.slides is None:
        return f"span all {found.length} entries"
    pools = {1: "with no pooling", WHOLE: "with pooling over all of it"}.get(along.pools, f"with pooling by {along.pools}")
    entries = "entry" if along.slides == 1 else "entries"
    return f"slide, {along.slides} {entries} long, {pools}"


def _lengths(samples: Samples) -> dict[str, int]:
    return dict(zip(samples.axes, samples.inputs.shape[2:], strict=True))
