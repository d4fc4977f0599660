"""Whole networks learnt both ways, where small ones leave it open what filters should do along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from convsight.architecture import Architecture
from convsight.fit import recommend, verdict
from convsight.fit.bench import Bench, OutOfTimeError
from convsight.fit.properties import USUAL, Along, Measured

NETWORKS = 20  # that may be learnt, about: three depths, of the network as measured, one that slides otherwise, and a search
LEAST_NETWORKS = 6  # of which something can be told
_LEAST_AS_USUAL = 6  # entries of an axis


def settled(bench: Bench, measured: Sequence[Measured], *, steps: int) -> tuple[Architecture, list[Measured]]:
    """The network that fits, as deep as does best after `steps` steps, and `measured` with what its filters do on each axis."""
    best, scores, last = _slid_or_spanned(bench, measured, steps)
    return (best, last) if scores is None else _as_usual(bench, best, scores, last, steps)


def _slid_or_spanned(
    bench: Bench, measured: Sequence[Measured], steps: int
) -> tuple[Architecture, Tensor | None, list[Measured]]:
    """What the whole network does best by, along each axis for which small ones leave it to that.

    Where in small networks neither is surely better, it slides or spans as scores more. Where what filters learn at one place
    serves less than half as much at another, though small networks do better by ones that slide, or may, it slides if it seems
    to do better so, by half of how far off that may be, and not by a little. Once there is no time, filters are the usual ones
    where neither is surely better, and span where it is doubtful.
    """
    last = list(measured)
    best, scores = _as_deep_as_does_best(bench, last, steps)
    for place, found in enumerate(measured):
        if scores is None or not found.left_to_whole:
            continue
        turned = replace(found, along=found.sliding_along if found.along.slides is None else Along())
        other, its_scores = _as_deep_as_does_best(bench, [*last[:place], turned, *last[place + 1 :]], steps)
        if its_scores is None:
            scores = None
            break
        sliding, spanning = (its_scores, scores) if found.along.slides is None else (scores, its_scores)
        more = bench.interval(sliding - spanning)
        little = bench.little(sliding if more.mean > 0 else spanning)
        slides = more.seems_more and more.mean > little if found.doubtful else more.mean > 0
        turns = slides == (turned.along.slides is not None)
        if turns:
            best, scores = other, its_scores
        last[place] = replace(turned if turns else found, whole=verdict.better(more, little))
    if scores is None:
        last = [each if each.whole.effect else _unasked(bench, each) for each in last]
        best, _ = _as_deep_as_does_best(bench, last, steps)
    return best, scores, last


def _as_usual(
    bench: Bench, best: Architecture, scores: Tensor, measured: list[Measured], steps: int
) -> tuple[Architecture, list[Measured]]:
    """The usual filters, along all axes together that filters may slide along, unless the network seems to tell more by others:
    by half of how far off that may be, which is a standard error, about (so Breiman et al. 1984 prune trees: Classification
    and Regression Trees, 3.4.3). Where it misses less than one sample, nothing can be chosen by these, and all axes are asked.
    """
    all_told = bench.all_told(scores)
    usual = [replace(each, along=_usual_along(bench, each, anyway=all_told)) for each in measured]
    if [each.along for each in usual] == [each.along for each in measured]:
        return best, measured
    other, its_scores = _as_deep_as_does_best(bench, usual, steps)
    if its_scores is None:
        return best, measured
    more = bench.interval(scores - its_scores)
    if more.seems_more:
        return best, measured
    changed = zip(measured, usual, strict=True)
    return other, [was if was.along == each.along else replace(each, as_usual=more) for was, each in changed]


def _unasked(bench: Bench, found: Measured) -> Measured:
    if not found.left_to_whole:
        return found
    return replace(found, along=Along() if found.doubtful else _usual_along(bench, found))


def _usual_along(bench: Bench, found: Measured, *, anyway: bool = False) -> Along:
    """The usual filters, where the axis is long enough and filters may slide, or `anyway`; else what they do."""
    may_slide = anyway or found.along.slides is not None or (found.left_to_whole and not found.doubtful)
    if not may_slide or found.length < _LEAST_AS_USUAL:
        return found.along
    return replace(USUAL, pools=1) if bench.samples.per_point else USUAL


def _as_deep_as_does_best(bench: Bench, measured: Sequence[Measured], steps: int) -> tuple[Architecture, Tensor | None]:
    """A network that does what was measured, as deep as does best, and its scores (n,), the depth for each part being chosen by
    the others; None if there was no time for all depths, and it is two convolutions deep, or as deep as may
    be where points are told, which need to see far.
    """
    known = bench.samples
    possible = {depth: recommend.recommended(known, measured, depth=depth) for depth in recommend.depths(known, measured)}
    rows: dict[int, Tensor] = {}
    try:
        for depth, architecture in possible.items():
            rows[depth] = bench.scores(architecture, recommend.said(architecture, measured), steps=steps)[0]
    except OutOfTimeError:
        return possible[max(possible) if known.per_point else min(2, max(possible))], None
    return possible[max(rows, key=lambda each: float(rows[each].mean()))], bench.best(rows)
