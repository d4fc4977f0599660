"""Whether there is an order along an axis: are neighbours more alike than entries that lie anywhere?"""

from __future__ import annotations

import torch
from torch import Generator

from convsight.fit.data import Samples

_PERMUTATIONS = 500
_MOST_COMPARED = 2_000  # entries of an axis


def resemblance(known: Samples, axis: str, *, seed: int = 0) -> tuple[float, float, float]:
    """The mean size of correlation of neighbours along `axis`, its mean over random orders, and the part of those with as much.

    Source: Alexander et al. 2023, "What makes data suitable for a locally connected neural network?" (correlation as
    surrogate), against a permutation null.
    """
    place = 2 + known.axes.index(axis)
    some = known.inputs[torch.randperm(len(known), generator=Generator().manual_seed(seed))[:500]].double()
    rows = (some - some.mean(0)).movedim(place, 0).flatten(1)[:_MOST_COMPARED]
    spread = rows.square().sum(1).sqrt()
    correlation = (rows @ rows.T / (spread[:, None] * spread).clamp_min(1e-300)).abs()
    count = len(correlation)
    observed = float(correlation.diagonal(1).mean())
    generator = Generator().manual_seed(seed)
    null = []
    for _ in range(_PERMUTATIONS):
        order = torch.randperm(count, generator=generator)
        null.append(float(correlation[order[:-1], order[1:]].mean()))
    reached = sum(each >= observed for each in null)
    return observed, sum(null) / len(null), (1 + reached) / (1 + len(null))
