"""What is to be told of samples: classes, or numbers, of each as a whole or of its points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from convsight.errors import InputError

_MOST_CLASSES = 1_000
_MOST_POINT_CLASSES = 50


@dataclass(frozen=True)
class Targets:
    """`values`: as `data.Samples` has them; `labels`: names of classes; `per_point`: whether the points are told.

    `units`: of numbers, which are learnt with mean 0 and standard deviation 1, their means and deviations, (K,) each.
    """

    values: Tensor
    labels: tuple[str, ...] = ()
    per_point: bool = False
    units: tuple[Tensor, Tensor] | None = None


def targets(y: np.ndarray[Any, Any], shape: tuple[int, ...]) -> Targets:
    """`y` as `data.samples` takes it, for inputs of `shape`, (H, W). Raises InputError if there is nothing to tell."""
    points = int(np.prod(shape))
    if y.dtype.kind not in "biufUmM":
        raise InputError(f"y must hold integers, names, truths or floats, not {y.dtype}")
    if y.ndim == 3 and y.shape[1:] == shape:
        flat = y.reshape(len(y), points)
        if y.dtype.kind in "biu" and set(np.unique(flat)) <= {0, 1} and (flat.sum(1) == 1).all():
            return Targets(torch.from_numpy(flat.argmax(1)), tuple(map(str, range(points))), True)
        if y.dtype.kind == "f":
            return _numbers(flat, per_point=True)
        names, numbers, _ = _classes(flat, most=_MOST_POINT_CLASSES)
        return Targets(numbers.view(len(y), points), names, True)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind == "f":
        return _numbers(y)
    if y.ndim != 1:
        raise InputError(f"y must be (N,), (N, K) floats, or (N, {', '.join(map(str, shape))}), a point each, not {y.shape}")
    if y.dtype.kind == "f":
        return _numbers(y[:, None])
    names, classes, counts = _classes(y, most=min(_MOST_CLASSES, len(y) // 4))
    if min(counts) < 2:
        rare = names[counts.index(min(counts))]
        raise InputError(f'class "{rare}" has one sample; two of each are needed, one to learn, one to judge by')
    return Targets(classes, names)


def _classes(y: np.ndarray[Any, Any], *, most: int) -> tuple[tuple[str, ...], Tensor, list[int]]:
    """The names of classes, which is which, in one row, and how often each is."""
    names, numbers, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(names) < 2:
        raise InputError(f"all samples are of one class, {names[0]}; there must be two")
    if len(names) > most:
        raise InputError(f"there are {len(names):,} classes of {y.size:,} labels; give floats, if they are numbers to be told")
    return tuple(map(str, names)), torch.from_numpy(numbers.reshape(-1)), counts.tolist()


def _numbers(y: np.ndarray[Any, Any], *, per_point: bool = False) -> Targets:
    """Each column less its mean, in standard deviations of its own, or of all points together."""
    found = torch.from_numpy(y.astype(np.float64))
    mean = found.mean(0)
    apart = found - mean
    spread = apart.std().expand(len(mean)) if per_point else apart.std(0)
    if not (spread > 0).any():
        raise InputError("all numbers of y are the same; there is nothing to tell")
    spread = torch.where(spread > 0, spread, torch.ones(()).double())
    return Targets((apart / spread).float(), per_point=per_point, units=(mean.float(), spread.float()))
