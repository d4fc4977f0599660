"""All of it in one call: data are parted, measured axis by axis, and the network that fits is declared, learnt and compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from time import monotonic
from typing import Any

from torch import Tensor

from convsight.architecture import Architecture, parameters
from convsight.cores import cores
from convsight.fit import probe, properties, recommend, search, whole
from convsight.fit.bench import PARTS, Bench, OnStep, side_by_side, stages_kept
from convsight.fit.data import Samples, parted, samples
from convsight.fit.interval import of_mean
from convsight.fit.properties import Measured
from convsight.fit.recommend import Candidate
from convsight.network import Network

BUDGET = 600.0  # seconds
RECOMMENDED = "recommended"
_MEASURING, _SETTLING = 0.5, 0.75  # of the budget, from its beginning: until when small networks learn, and whole ones
_NETWORKS = 38  # that measuring an axis takes, as long as the first, about
_STEPS = (20, 50, 100, 200, 300, 500, 800)
_FEW_STEPS = 200
_EPOCHS = 20
_LAST_STEPS, _LAST_EPOCHS = 1_000, 30  # of whole networks, whichever is more
_EARLIER = 5  # the part of the last steps after which a network may do better
_TIMED = 2, 14  # steps that are learnt to see how long one takes


@dataclass(frozen=True)
class Fit:
    """What was found: what holds along each axis, and the network, which is `best` of `candidates`.

    `candidates`: the recommended network, the usual one, and a fully connected one, judged by samples of `data` that none has
    seen; `best` is the first unless another is right more often, by half of how far off that may be, on others.
    """

    data: Samples
    measured: tuple[Measured, ...]
    reasons: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    best: Candidate
    seconds: float

    @property
    def network(self) -> Network:
        return self.best.network

    @property
    def architecture(self) -> Architecture:
        found = self.best.network.architecture
        assert found is not None
        return found

    def _repr_html_(self) -> str:
        from convsight.fit.report import page

        return page(self)


def fit(
    x: Any, y: Any, *, axes: Sequence[str] | None = None, groups: Any = None, budget: float = BUDGET, seed: int = 0,
    device: str | None = None, checkpoint: Path | None = None, on_network: Callable[[str], None] | None = None,
) -> Fit:  # fmt: skip
    """Measure which network fits labelled arrays, and learn it; `data.samples` says what `x`, `y`, `axes` and `groups` may be.

    `budget`: seconds, about. What they don't suffice for is left as "cannot tell". `checkpoint`: a file that keeps what was
    measured, from which a later call goes on. `on_network(name)` is told of each network that is about to learn.

    Raises InputError as `data.samples` does.
    """
    started = monotonic()
    given = samples(x, y, axes=axes, groups=groups, seed=seed)
    rest, test = parted(given, part=0.2, seed=seed)
    known, judged = parted(rest, seed=seed + 1)
    until = started + _MEASURING * budget
    stages = stages_kept(checkpoint)
    steps = stages["small"] = stages.get("small") or _affordable(known, until - monotonic(), device)
    bench = Bench(
        rest, steps, seed=seed, deadline=until, cache=checkpoint, device=device, on_network=on_network, stages=stages
    )  # fmt: skip
    by_small = properties.measure(bench)
    bench.deadline = started + _SETTLING * budget
    seconds = bench.deadline - monotonic()
    of_whole = stages["whole"] = stages.get("whole") or _steps_of_whole(known, steps, seconds, device)
    fits, measured = whole.settled(bench, by_small, steps=of_whole)
    for longer in _longer_and_longer(of_whole, known):
        fits, measured = search.climbed(bench, fits, measured, steps=longer)
    declared = {
        RECOMMENDED: fits,
        "usual: 3x3, pooled by 2x2": recommend.usual(known),
        "fully connected": recommend.fully_connected(known, parameters(fits)),
    }
    if on_network:
        on_network("the network that fits, and the usual ones")
    distinct = {name: each for name, each in declared.items() if name == RECOMMENDED or each != fits}
    has = (budget - (monotonic() - started)) * min(len(distinct), cores()) / len(distinct)
    last = {name: _last_steps(each, known, has, device) for name, each in distinct.items()}

    def candidate(name: str, steps: int, on_step: OnStep) -> Candidate:
        begun = monotonic()
        network = probe.learnt(declared[name], known, steps=steps, seed=seed, device=device, on_step=on_step)
        seconds = monotonic() - begun
        right = of_mean(probe.right(network, test), groups=test.groups)
        choosing = probe.right(network, judged)
        return Candidate(name, probe.in_units(network, given.units) if given.units else network, seconds, right, choosing)

    def learnt(name: str, on_step: OnStep) -> Candidate:
        return _best([candidate(name, each, on_step) for each in last[name]], judged.groups)

    found = {each.name: each for each in side_by_side(learnt, list(distinct))}
    candidates = tuple(found.get(name, replace(found[RECOMMENDED], name=name)) for name in declared)
    best = _best(candidates, judged.groups)
    reasons = tuple(map(recommend.reason, measured))
    if steps < _FEW_STEPS:
        few = (
            f"there was time for {steps} steps of training a network only, after which networks differ in how fast they learn "
            "rather than in what they can tell, so that verdicts may be wrong; a larger budget helps"
        )
        given = replace(given, notes=(*given.notes, few))
    return Fit(given, tuple(measured), reasons, candidates, best, monotonic() - started)


def _best(candidates: Sequence[Candidate], groups: Tensor | None) -> Candidate:
    """The first, unless a later one is right more often by half of how far off that may be."""
    best, *others = candidates
    for each in others:
        best = each if of_mean(each.choosing - best.choosing, groups=groups).seems_more else best
    return best


def _affordable(known: Samples, seconds: float, device: str | None) -> int:
    """Steps for each small network: the most of `_STEPS` that there is time for, and no more than are enough."""
    started = monotonic()
    step = sum(_seconds_a_step(each, known, device) for each in properties.first_networks(known))
    networks = _NETWORKS * PARTS / min(PARTS, cores())
    seconds -= monotonic() - started
    fit_in = [each for each in _STEPS if each * step * networks <= seconds]
    return min(fit_in[-1], _enough(known)) if fit_in else _STEPS[0]


def _enough(known: Samples) -> int:
    """Steps of a small network: the most of `_STEPS` that are `_EPOCHS` passes at most, or `_FEW_STEPS`."""
    most = max(ceil(_EPOCHS * len(known) / probe.BATCH), _FEW_STEPS)
    return max(each for each in _STEPS if each <= most)


def _steps_of_whole(known: Samples, steps: int, seconds: float, device: str | None) -> int:
    """Steps for each whole network that is asked: as many as there is time for, if these may be more than small ones had, and
    no more than the last will learn for. Rather than after few steps, fewer networks are asked.
    """
    if seconds <= 0:
        return steps
    step = _seconds_a_step(recommend.usual(known), known, device) * PARTS / min(PARTS, cores())
    enough = _enough_of_whole(known)
    many = [each for each in (*_STEPS, enough) if each * step * whole.NETWORKS <= seconds]
    few = [each for each in _STEPS if each <= _FEW_STEPS and each * step * whole.LEAST_NETWORKS <= seconds]
    return min(enough, max((steps, *many, *few)))


def _longer_and_longer(steps: int, known: Samples) -> list[int]:
    """`steps`, and what is at least twice as many as the one before, up to as many as the last networks learn for."""
    found = [steps]
    for each in (*_STEPS, _enough_of_whole(known)):
        if 2 * found[-1] <= each <= _enough_of_whole(known):
            found.append(each)
    return found


def _enough_of_whole(known: Samples) -> int:
    return max(ceil(_LAST_EPOCHS * len(known) / probe.BATCH), _LAST_STEPS)


def _last_steps(declared: Architecture, known: Samples, seconds: float, device: str | None) -> list[int]:
    """As many as `seconds` suffice for, and no more than are enough; then a part of these, too, as that may be too many."""
    steps = seconds / _seconds_a_step(declared, known, device) if seconds > 0 else 0
    enough = _enough_of_whole(known)
    return [enough, enough // _EARLIER] if steps >= enough + enough // _EARLIER else [int(max(_STEPS[0], min(enough, steps)))]


def _seconds_a_step(declared: Architecture, known: Samples, device: str | None) -> float:
    def seconds(steps: int, on_step: OnStep) -> float:
        started = monotonic()
        probe.learnt(declared, known, steps=steps, device=device, on_step=on_step)
        return monotonic() - started

    together = min(PARTS, cores())
    _, short, long = (max(side_by_side(seconds, [steps] * together)) for steps in (_TIMED[0], *_TIMED))
    return max(long - short, 0.2 * long) / (_TIMED[1] - _TIMED[0])
