"""From a whole network to one that tells more, step by step: by other pooling, other lengths of filters, another depth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from convsight.architecture import WHOLE, Architecture
from convsight.fit import probe, recommend, verdict
from convsight.fit.bench import Bench, Interval, OutOfTimeError
from convsight.fit.properties import Along, Measured

_POOLINGS = (WHOLE, 4, 2, 1)
_REACHES = (3, 5, 9, 17, 33)


def climbed(
    bench: Bench, begin: Architecture, scores: Tensor, measured: Sequence[Measured], *, steps: int
) -> tuple[Architecture, list[Measured]]:
    """The network that is reached from `begin`, which does what was `measured` and has `scores` (seeds, n), and what it does.

    Along one axis after the other all poolings are learnt, then all lengths of filters, then all lengths with all poolings; and
    after each of these all depths. The best of them is taken if it tells more than what there is by half of how far off that
    may be, each half of the samples having chosen it for the other. Where filters span an axis, sliding ones are tried, but not
    where what these learn at one place serves less at another; and if in small networks they surely do worse, they must surely
    be better, and not by a little. It ends once there is no time, or less than one sample is missed.
    """
    climb = _Climb(bench, steps, begin, scores, list(measured))
    for others in (_otherwise_pooled, _longer_or_shorter, _both):
        for axis, found in enumerate(measured):
            climb.along(axis, others(found, climb.measured[axis].along, bench.known.per_point))
        climb.to_other_depths()
    return climb.architecture, climb.measured


@dataclass
class _Climb:
    bench: Bench
    steps: int
    architecture: Architecture
    scores: Tensor
    measured: list[Measured]

    def along(self, axis: int, others: Sequence[Along]) -> None:
        """To the best of `others` along an axis, if it is better."""
        found = self.measured[axis]
        rows: dict[Along, tuple[Architecture, list[Measured]]] = {}
        for other in others:
            measured = [*self.measured[:axis], replace(found, along=other, as_usual=None), *self.measured[axis + 1 :]]
            possible = recommend.possible(self.bench.known, measured)
            depth = max((each for each in possible if each <= len(self.architecture.convolutions)), default=min(possible))
            rows[other] = possible[depth], measured
        more = self._to_the_best(rows, surely=found.along.slides is None and found.sliding.verdict == "no")
        if more:
            self.measured[axis].instead = found.along, more

    def to_other_depths(self) -> None:
        """To the depth that is best, if another one is better."""
        others = recommend.possible(self.bench.known, self.measured)
        others.pop(len(self.architecture.convolutions), None)
        self._to_the_best({depth: (each, self.measured) for depth, each in others.items()}, surely=False)

    def _to_the_best(self, others: Mapping[Any, tuple[Architecture, list[Measured]]], *, surely: bool) -> Interval | None:
        """How much more it tells, if it is taken: `surely` more, and not by a little, or more than half of the error."""
        told = float(self.scores.mean())
        if told > 1 - 1 / len(self.bench.judged):
            return None
        rows: dict[Any, Tensor] = {}
        with suppress(OutOfTimeError):
            for key, (architecture, measured) in others.items():
                rows[key] = self.bench.scores(architecture, recommend.said(architecture, measured), steps=self.steps)[:, 0]
        if not rows:
            return None
        more = self.bench.interval(self.bench.best(rows) - self.scores)
        best = max(rows, key=lambda each: float(rows[each].mean()))
        little = verdict.little(told - probe.guessed(self.bench.known, self.bench.judged), 1 - told)
        if verdict.better(more, little).verdict != "yes" if surely else more.mean <= more.error / 2:
            return None
        self.architecture, self.measured = others[best]
        self.scores = rows[best]
        return more


def _otherwise_pooled(found: Measured, along: Along, per_point: bool) -> list[Along]:
    slides = along.slides or (None if found.doubtful else found.sliding_along.slides)
    if slides is None or per_point:
        return []
    left = found.length - slides + 1
    return [each for factor in _POOLINGS if factor <= left // 2 and (each := Along(slides, factor)) != along]


def _longer_or_shorter(found: Measured, along: Along, _per_point: bool) -> list[Along]:
    if along.slides is None:
        return []
    most = (found.length + 1) // 2
    return [replace(along, slides=reach) for reach in _REACHES if reach <= most and reach != along.slides]


def _both(found: Measured, along: Along, per_point: bool) -> list[Along]:
    reaches = _longer_or_shorter(found, along, per_point)
    return [each for reach in reaches for each in _otherwise_pooled(found, reach, per_point)]
