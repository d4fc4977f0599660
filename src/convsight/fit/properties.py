"""Which of the lecture's three properties hold along an axis of labelled data, measured by small networks, side by side.

Patterns much smaller than the whole, patterns that recur elsewhere, and insensitivity to subsampling (lecture, row L12). Every
verdict is a difference between two networks that learn the same samples for as many steps, with an interval, and may be
"cannot tell". docs/fit.md writes each down with its formula.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from torch import Tensor

from convsight.architecture import WHOLE, Architecture, Convolution, enough, parameters
from convsight.fit import changes, probe, verdict
from convsight.fit.bench import Bench, Change, OutOfTimeError
from convsight.fit.data import Samples
from convsight.fit.interval import Interval
from convsight.fit.resemblance import resemblance
from convsight.fit.verdict import LEAST, Finding, Verdict

SHIFTS = (1, 2, 4)
_FILTERS = 16  # of the network whose number of parameters all others have
_LENGTH = 5  # of a filter along an axis, until its reach is measured
_REACHES = (1, 3, 5, 9, 17, 33)
_FACTORS = (2, 4)
_PIECES = (3, 9)
_PART = 3  # a filter that is local is at most so much of an axis
_MOST_FILTERS = 48
_LEAST_POOLED = 12  # entries of an axis that is pooled though it wasn't measured
_CHANCE = 0.05


@dataclass(frozen=True)
class Along:
    """What filters do along an axis: slide, so many entries long, or span it (`slides` None); and pool, by a factor."""

    slides: int | None = None
    pools: int = 1


USUAL = Along(3, 2)  # chosen for no data


@dataclass
class Measured:
    """What was measured along an axis; the findings are the three properties, and whether there is an order at all.

    `resemblance`: the mean size of the correlation between neighbours, what it would be in a random order, and how often a
    random order has as much. `ordered`: a fixed reordering costs score. `local`: filters of a third of the axis or less do as
    well as any longer. `recurs`: filters that slide do better than ones that span, of as many parameters (`sliding`); places
    with weights of their own don't do better than shared ones (`sharing`); and filters that learnt in one half of the axis
    bring the other most of what its own learning does (`transfer`, whose effect is the share). `subsamples`: half of the
    entries do as well. `whole`: whether the whole network does better by filters that slide, where small ones leave it to that.
    `as_usual`: if filters do as is usual, how much more the whole network tells by what else seemed to do best. `instead`: in
    words, what they did until the whole network told more by what they do, and how much more. `pooled`: pooling does better
    than none. `learnt`: small networks surely tell more than a guess; else nothing else is known. `little`: a difference that
    counts as none. Scores by `reach`, `pooling`, `subsampled` (by factor), and `shuffled`, by the length of pieces in random
    order; `shifted`: of the sliding and the spanning network, when what is judged is moved by so many entries. `along`: what
    filters should do along the axis; `sliding_along`: what they do if they slide.
    """

    axis: str
    length: int
    resemblance: tuple[float, float, float]
    along: Along
    sliding_along: Along = field(default_factory=Along)
    ordered: Finding = field(default_factory=Finding)
    local: Finding = field(default_factory=Finding)
    recurs: Verdict = "cannot tell"
    sliding: Finding = field(default_factory=Finding)
    sharing: Finding = field(default_factory=Finding)
    transfer: Finding = field(default_factory=Finding)
    whole: Finding = field(default_factory=Finding)
    as_usual: Interval | None = None
    instead: tuple[str, Interval] | None = None
    subsamples: Finding = field(default_factory=Finding)
    pooled: Finding = field(default_factory=Finding)
    learnt: bool = True
    little: float = 0.0
    reach: dict[int, Interval] = field(default_factory=dict)
    pooling: dict[int, Interval] = field(default_factory=dict)
    subsampled: dict[int, Interval] = field(default_factory=dict)
    shuffled: dict[int, Interval] = field(default_factory=dict)
    shifted: dict[int, tuple[Interval, Interval]] = field(default_factory=dict)

    @property
    def doubtful(self) -> bool:
        """Whether filters surely serve less than half as much elsewhere as where they learnt."""
        return self.transfer.verdict == "no"

    @property
    def left_to_whole(self) -> bool:
        """Whether the whole network has to say if filters slide: it is doubtful, or in small ones neither is surely better."""
        gain = self.sliding.effect
        if gain is None:
            return False
        return gain.low <= 0 <= gain.high or (self.doubtful and self.along.slides is not None)


def measure(bench: Bench) -> list[Measured]:
    """All axes of the bench's samples, those whose neighbours are most alike first; what there is no time for stays unknown."""
    lengths = bench.samples.lengths
    resembling = {axis: resemblance(bench.samples, axis) for axis in lengths}
    first = sorted(lengths, key=lambda axis: resembling[axis][2])
    plans = _begun(lengths, resembling)
    measured = [
        Measured(axis, lengths[axis], resembling[axis], _usual(bench.samples, axis, resembling[axis][2])) for axis in first
    ]
    try:
        for found in measured:
            _measure_axis(bench, found, plans)
            plans[found.axis] = found.along
    except OutOfTimeError:
        pass
    return measured


def first_networks(known: Samples) -> list[Architecture]:
    """The first network that is learnt for each axis, by whose time that of all can be told."""
    plans = _begun(known.lengths, {axis: resemblance(known, axis) for axis in known.lengths})
    sliding = {axis: Along(_first_length(length)) for axis, length in known.lengths.items()}
    return [network(known, {**plans, axis: each}, filters=_FILTERS) for axis, each in sliding.items()]


def network(samples: Samples, plans: Mapping[str, Along], *, filters: int, limited: str | None = None) -> Architecture:
    """One convolution that does along each axis what `plans` says, and the outputs; `limited` is the convolution's."""
    lengths = dict(zip(samples.axes, samples.inputs.shape[2:], strict=True))
    slides = {axis: each.slides for axis, each in plans.items() if each.slides is not None}
    pools = {axis: each.pools for axis, each in plans.items() if each.slides is not None and each.pools != 1}
    everywhere = samples.per_point and len(slides) == len(samples.lengths) and not pools
    convolution = Convolution(filters, slides, pools, padded=samples.per_point, limited=limited)
    return Architecture(samples.inputs.shape[1], lengths, (convolution,), (), samples.outputs, per_point=everywhere)


def _measure_axis(bench: Bench, found: Measured, plans: Mapping[str, Along]) -> None:
    """Fills in `found`, with filters along the other axes as `plans` has them, unpooled unless it is over all there is."""
    plans = {each: plan if plan.pools == WHOLE else Along(plan.slides) for each, plan in plans.items()}
    known, axis, length = bench.samples, found.axis, found.length
    scores = partial(_scores, bench, plans, axis)
    usual = Along(_first_length(length))
    base, spanning = scores(usual)[0], scores(Along(), also=_shifts(known, axis))
    better = bench.best({0: base, 1: spanning[0]})
    told, little = bench.interval(better - probe.guessed(known)), bench.little(better)
    found.learnt, found.little = told.low > 0, little
    if not found.learnt:
        return

    less = {
        factor: scores(
            usual, change=partial(changes.subsampled, place=_place(known, axis), factor=factor), changed=f"{axis}/{factor}"
        )
        for factor in _FACTORS
        if factor < length
    }
    found.subsampled = {1: bench.interval(base), **{factor: bench.interval(each[0]) for factor, each in less.items()}}
    found.subsamples = verdict.no_worse(bench.interval(less[2][0] - base), little) if 2 in less else Finding()

    by_factor = {1: base, **{each: scores(Along(usual.slides, each))[0] for each in _poolings(known, length)}}
    found.pooling = {factor: bench.interval(each) for factor, each in by_factor.items()}
    pools = _first_as_good(dict(reversed(by_factor.items())), LEAST * told.mean)
    pooled = {factor: row for factor, row in by_factor.items() if factor != 1}
    found.pooled = verdict.better(bench.interval(bench.best(pooled) - base), little) if pooled else Finding()

    reaches = [each for each in _REACHES if each <= max(usual.slides or 1, length // 2)]
    by_reach = {each: scores(Along(each, pools))[0] for each in reaches}
    whole = {**by_reach, length: spanning[0]}
    found.reach = {each: bench.interval(row) for each, row in whole.items()}
    reach = _first_as_good(by_reach, LEAST * told.mean)
    short = {each: row for each, row in whole.items() if each <= max(1, length // _PART)}
    long = {each: row for each, row in whole.items() if each not in short}
    found.local = verdict.no_worse(bench.interval(bench.best(short) - bench.best(long)), little)
    gain = bench.interval(bench.best(by_reach) - spanning[0])
    found.sliding = verdict.better(gain, little)
    undecided = found.sliding.verdict == "cannot tell" and gain.mean > 0 and found.resemblance[2] < _CHANCE
    found.sliding_along = Along(reach, pools)
    found.along = found.sliding_along if gain.low > 0 or undecided else Along()
    found.sharing = verdict.no_worse(
        bench.interval(_shared(bench, plans, axis, reach) - _unshared(bench, plans, axis, reach)), little
    )
    here, elsewhere, nowhere = _transferred(bench, plans, axis, reach)
    served = bench.share(elsewhere - nowhere, here - nowhere)
    found.transfer = verdict.most(served) if served else Finding()
    found.recurs = verdict.recurs(found.sliding.verdict, found.sharing.verdict, found.transfer.verdict)

    moved = scores(found.sliding_along, also=_shifts(known, axis))
    found.shifted = {
        shift: (bench.interval(moved[place]), bench.interval(spanning[place]))
        for place, shift in enumerate((0, *SHIFTS))
        if not known.per_point
    }
    reaching = max(reach, min(_REACHES[1], reaches[-1]))  # what looks at one entry at a time knows no order
    reordered = partial(changes.reordered, place=_place(known, axis))
    mixed = scores(Along(reaching, pools), change=reordered, changed=f"{axis} reordered", moves=True)
    found.ordered = verdict.better(bench.interval(by_reach[reaching] - mixed[0]), little) if reaching > 1 else Finding()
    if not known.per_point:
        found.shuffled[length] = bench.interval(by_reach[reach])
    for piece in () if known.per_point else (each for each in _PIECES if each <= length // 2):
        apart = partial(changes.shuffled, place=_place(known, axis), length=piece)
        found.shuffled[piece] = bench.interval(scores(found.sliding_along, change=apart, changed=f"{axis} in {piece}s")[0])


def _begun(lengths: Mapping[str, int], resembling: Mapping[str, tuple[float, float, float]]) -> dict[str, Along]:
    """What filters do along the other axes while the first is measured: they slide where neighbours are alike."""
    return {axis: Along(_first_length(lengths[axis])) if resembling[axis][2] < _CHANCE else Along() for axis in lengths}


def _usual(known: Samples, axis: str, chance: float) -> Along:
    """What filters do along an axis until it is measured; `chance`, with which a random order has neighbours as much alike."""
    length = known.lengths[axis]
    if chance >= _CHANCE:
        return Along()
    return USUAL if length >= _LEAST_POOLED and not known.per_point else Along(min(3, _first_length(length)))


def _scores(
    bench: Bench, plans: Mapping[str, Along], axis: str, along: Along, *, change: Change | None = None, changed: str = "",
    moves: bool = False, also: Mapping[str, Change] | None = None,
) -> Tensor:  # fmt: skip
    """`Bench.scores` of a network that does `along` on `axis`, with as many parameters as others, and filters enough."""
    unpooled = {each: Along(plan.slides) for each, plan in plans.items()}
    usual = network(bench.samples, {**unpooled, axis: Along(_first_length(bench.samples.lengths[axis]))}, filters=_FILTERS)
    chosen = {**plans, axis: along}
    filters = enough(lambda count: network(bench.samples, chosen, filters=count), parameters(usual), most=_MOST_FILTERS)
    filters = max(filters, _FILTERS)  # fewer than that would be what costs a spanning network its score
    said = f"{axis}: {'filters that span it' if along.slides is None else f'filters of {along.slides}'}"
    return bench.scores(
        network(bench.samples, chosen, filters=filters), said, change=change, changed=changed, moves=moves, also=also
    )


def _shared(bench: Bench, plans: Mapping[str, Along], axis: str, reach: int) -> Tensor:
    return bench.scores(network(bench.samples, {**plans, axis: Along(reach)}, filters=_FILTERS), f"{axis}: shared weights")[0]


def _unshared(bench: Bench, plans: Mapping[str, Along], axis: str, reach: int) -> Tensor:
    """As `_shared`, with as many filters, but every place along `axis` has weights of its own."""
    chosen = network(bench.samples, {**plans, axis: Along(reach)}, filters=_FILTERS, limited=axis)
    return bench.scores(chosen, f"{axis}: unshared weights")[0]


def _transferred(bench: Bench, plans: Mapping[str, Along], axis: str, reach: int) -> Tensor:
    """`Bench.transferred` of filters between the two halves of `axis`."""
    chosen = network(bench.samples, {**plans, axis: Along(reach)}, filters=_FILTERS)
    blank = bench.samples.inputs.float().mean((0, 2, 3))
    middle, length = bench.samples.lengths[axis] // 2, bench.samples.lengths[axis]
    place = _place(bench.samples, axis)
    halves = [partial(changes.without, place=place, gone=gone, blank=blank) for gone in (range(middle, length), range(middle))]
    return bench.transferred(chosen, f"{axis}: filters that learnt in one half, in the other", halves, axis)


def _poolings(known: Samples, length: int) -> list[int]:
    """Factors to pool by; where every point is told there are none."""
    left = length - _first_length(length) + 1
    return [] if known.per_point else [*(each for each in _FACTORS if each <= left // 2), WHOLE]


def _first_length(length: int) -> int:
    """Of a filter along an axis until its reach is measured: odd, and shorter than the axis."""
    return next(each for each in (_LENGTH, 3, 1) if each < length)


def _first_as_good(rows: Mapping[int, Tensor], tolerance: float) -> int:
    """The first whose score is within `tolerance` of that of the best."""
    best = max(float(row.mean()) for row in rows.values())
    return next(each for each, row in rows.items() if float(row.mean()) >= best - tolerance)


def _place(known: Samples, axis: str) -> int:
    return 2 + known.axes.index(axis)


def _shifts(known: Samples, axis: str) -> dict[str, Change]:
    """None where points are told, as they would have to move, too, some beyond the end."""
    by = partial(changes.shifted, place=_place(known, axis))
    return {} if known.per_point else {f"{axis} by {each}": partial(by, by=each) for each in SHIFTS}
