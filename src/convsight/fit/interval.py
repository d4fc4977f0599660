"""How far off a mean may be: over the samples, or groups, that judged, and the networks, as if no two had learnt the same."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor

_STUDENT = (1, 2, 3, 5, 10, float("inf")), (6.314, 2.920, 2.353, 2.015, 1.812, 1.645)  # degrees of freedom, the 95% quantile


@dataclass(frozen=True)
class Interval:
    """`mean`, and `error`: how far off it may be, with 5% of chance on either side."""

    mean: float
    error: float

    def __str__(self) -> str:
        return f"{self.mean:+.1%} ± {self.error:.1%}"

    @property
    def low(self) -> float:
        return self.mean - self.error

    @property
    def high(self) -> float:
        return self.mean + self.error

    @property
    def seems_more(self) -> bool:
        """Whether it is above zero by half of how far off it may be."""
        return self.mean > self.error / 2


def of_mean(scores: Tensor, *, groups: Tensor | None = None, folds: Tensor | None = None) -> Interval:
    """Of the mean of `scores`, (n,), or of differences between two such, by Student's t over the samples, or over the `groups`,
    (n,), that they are of; or over the means of the `folds`, (n,), each judged by a network of its own, whichever is wider.
    """
    scores = scores.double()
    judges, spread = len(scores), float(scores.std()) / sqrt(len(scores))
    if groups is not None:
        apart = _sums(scores - scores.mean(), groups)
        judges = len(apart)
        spread = float(apart.square().sum() * judges / max(1, judges - 1)) ** 0.5 / len(scores)
    error = _student(max(1, judges - 1)) * spread
    if folds is not None:
        means = _sums(scores, folds) / _sums(torch.ones_like(scores), folds)
        error = max(error, _student(len(means) - 1) * float(means.std()) / sqrt(len(means)))
    return Interval(float(scores.mean()), error)


def _sums(scores: Tensor, of: Tensor) -> Tensor:
    return torch.stack([scores[of == each].sum() for each in torch.unique(of)])


def _student(freedom: float) -> float:
    """The 95% quantile of Student's t with so many degrees of freedom."""
    return float(np.interp(1 / freedom, 1 / np.array(_STUDENT[0])[::-1], _STUDENT[1][::-1]))
