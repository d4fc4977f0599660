"""From what was measured to a network, with a reason for each axis; and that network beside the usual ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from torch import Tensor

from convsight.architecture import WHOLE, Architecture, Convolution, build, enough, multiplications, parameters
from convsight.errors import InputError
from convsight.fit.data import Samples
from convsight.fit.interval import Interval
from convsight.fit.properties import USUAL, Along, Measured
from convsight.network import Network

_WIDTHS, _HIDDEN = (32, 64), 128
_POINT_LAYERS, _MOST_FILTERS, _FEWEST_FILTERS = 4, 96, 8
_MOST_WORK = 8  # times the multiplications of the usual network, whose time goes into its many answers rather


@dataclass(frozen=True)
class Candidate:
    """A network that was learnt; `right`: of the test's samples; `choosing`: (N,), of those that the best is chosen by."""

    name: str
    network: Network
    seconds: float
    right: Interval
    choosing: Tensor = field(compare=False)

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

    It has fewer, but 8 filters at least, where it would multiply more than eight times as often as `usual`, unless points are
    told, which `usual`, pooling them, hardly can. With the usual filters along all axes it is `usual`. `depth`: how many
    convolutions follow one another; the first spans what is spanned.
    """
    by_default = usual(samples)
    if _as_usual(samples, measured):
        return by_default
    plans = {each.axis: each.along for each in measured}

    def make(filters: int) -> Architecture:
        return _declared(samples, plans, depth, filters)

    filters = enough(make, parameters(by_default), most=_MOST_FILTERS)
    if samples.per_point:
        return make(filters)
    most, few = _MOST_WORK * multiplications(by_default), min(_FEWEST_FILTERS, filters)
    while few < filters:
        middle = (few + filters + 1) // 2
        few, filters = (middle, filters) if multiplications(make(middle)) <= most else (few, middle - 1)
    return make(filters)


def depths(samples: Samples, measured: Sequence[Measured]) -> list[int]:
    """How many convolutions there may be: as many as the axes are long enough for; of the usual network, as it has."""
    if _as_usual(samples, measured):
        return [len(_WIDTHS)]
    found = []
    for depth in (1, 2, _POINT_LAYERS):
        try:
            build(_declared(samples, {each.axis: each.along for each in measured}, depth, 1))
        except InputError:
            continue
        found.append(depth)
    return found


def does(found: Measured) -> str:
    """In words, what filters do along the axis of `found`."""
    along = found.along
    if along.slides is None:
        return f"span all {found.length} entries"
    pools = {1: "with no pooling", WHOLE: "with pooling over all of it"}.get(along.pools, f"with pooling by {along.pools}")
    entries = "entry" if along.slides == 1 else "entries"
    return f"slide, {along.slides} {entries} long, {pools}"


def _as_usual(samples: Samples, measured: Sequence[Measured]) -> bool:
    return not samples.per_point and all(each.along == USUAL for each in measured)


def said(declared: Architecture, measured: Sequence[Measured]) -> str:
    """In words, what a network that does as `measured` is."""
    depth = len(declared.convolutions)
    does_so = ", ".join(f"{each.axis} {does(each)}" for each in measured)
    return f"{depth} convolution{'s' if depth > 1 else ''}: {does_so}"


def reason(found: Measured) -> str:
    """Why the filters do along an axis what they do, in one sentence."""
    along, gain = found.along, found.sliding.effect
    if found.instead:
        before, more = found.instead
        seems = "tells" if more.low > 0 else "seems to tell"
        return f"{found.axis}: filters {does(found)}, since the whole network {seems} more so ({more}) than by {before}."
    if found.as_usual:
        return (
            f"{found.axis}: filters {does(found)}, as is usual: with what seemed to do best the whole network does not "
            f"tell more, by half of how far off that may be ({found.as_usual})."
        )
    if not found.learnt:
        return (
            f"{found.axis}: small networks did not surely tell more than a guess does, so nothing is known; filters "
            f"{does(found)}."
        )
    if gain is None:
        why = "since neighbours are no more alike than other entries" if along.slides is None else "as is usual"
        return f"{found.axis}: there was no time to measure whether filters should slide; they {does(found)}, {why}."
    whole = found.whole.effect
    if whole and not found.doubtful:
        why = f"in small networks sliding is neither surely better nor worse ({gain}), and in the whole network it is {whole}"
    elif whole and along.slides is None:
        though = "though " if gain.low > 0 else ""
        why = (
            f"what filters learn at one place serves less than half as much at another, and {though}sliding ones tell {gain} "
            f"in small networks, in the whole network it is {whole}"
        )
    elif whole:
        why = (
            f"the whole network {'tells' if whole.low > 0 else 'seems to tell'} {whole.mean:.1%} ± {whole.error:.1%} more by "
            "sliding filters, though what they learn at one place serves less than half as much at another"
        )
    elif found.left_to_whole and not found.doubtful:
        why = f"small networks leave it open whether sliding is better ({gain}), and there was no time to ask the whole one"
    elif found.doubtful and along.slides is None and gain.high > 0:
        why = (
            "what filters learn at one place serves less than half as much at another, and there was no time to ask the whole "
            f"network whether to slide, by which small ones tell {gain}"
        )
    elif along.slides is not None:
        why = f"sliding filters tell {gain.mean:.1%} ± {gain.error:.1%} more than ones of as many parameters that span it"
    else:
        why = f"sliding filters tell no more than ones that span it ({gain})"
    return f"{found.axis}: filters {does(found)}, since {why}."


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


def _lengths(samples: Samples) -> dict[str, int]:
    return dict(zip(samples.axes, samples.inputs.shape[2:], strict=True))
