"""Labelled arrays to samples: inputs with two named axes, and what is to be told of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor

from convsight.errors import InputError
from convsight.fit.targets import targets

MOST = 20_000
LEAST = 40
LEAST_GROUPS = 6  # two to test by, and one in each part of a bench
_RARE = 8  # samples of a class that are kept, if there are as many, when others are drawn at random
_NAMES = {1: ("place",), 2: ("height", "width")}
_FEW_COPIES = 0.01  # of the samples
_HELD_OUT = 0.25
_COLOURS = (1, 3, 4)  # channels of pictures
_FAR = 1_000


@dataclass(frozen=True)
class Samples:
    """`inputs`: (N, C, H, W) of any real type, finite; `axes`: what H and W are; an axis that is 1 long is none.

    `targets`: (N,) int64, a class each, which `labels` name; or, without `labels`, (N, K) float32, numbers with mean 0 and
    standard deviation 1, each of the K or, of points, together; `units`: (K,) each, the means and deviations that they had.
    `per_point`: the classes, or the K numbers, are the H W points, row by row; or, with `labels` and (N, H W) int64, each point
    has a class of its own.
    `groups`: (N,) int64, who or what each sample is of. `notes`: what was done to the data, a sentence each.
    """

    inputs: Tensor
    targets: Tensor
    axes: tuple[str, str]
    labels: tuple[str, ...] = ()
    per_point: bool = False
    groups: Tensor | None = None
    notes: tuple[str, ...] = ()
    units: tuple[Tensor, Tensor] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def lengths(self) -> dict[str, int]:
        """How long each axis is, those that are 1 long left out."""
        return {axis: length for axis, length in zip(self.axes, self.inputs.shape[2:], strict=True) if length > 1}

    @property
    def outputs(self) -> int:
        return max(1, len(self.labels)) * (self.targets.shape[1] if self.targets.ndim == 2 else 1)

    def at(self, places: Tensor) -> Samples:
        """The samples at `places`, (n,) int64."""
        groups = None if self.groups is None else self.groups[places]
        return replace(self, inputs=self.inputs[places], targets=self.targets[places], groups=groups)

    def given(self, inputs: Tensor) -> Samples:
        """The same samples with other `inputs`."""
        return replace(self, inputs=inputs)

    def moved(self, change: Callable[[Tensor], Tensor]) -> Samples:
        """The same samples under a `change` that only moves entries: of inputs, and of the points that are told with them."""
        if not self.per_point:
            return self.given(change(self.inputs))
        shape = (len(self), 1, *self.inputs.shape[2:])
        if self.targets.ndim == 1:
            told = change(F.one_hot(self.targets, self.outputs).view(shape)).flatten(1).argmax(1)
        else:
            told = change(self.targets.view(shape)).flatten(1)
        return replace(self, inputs=change(self.inputs), targets=told)


def samples(
    x: Any, y: Any, *, axes: Sequence[str] | None = None, groups: Any = None, most: int = MOST, seed: int = 0
) -> Samples:
    """Arrays, tensors or lists as samples.

    `x`: (N, *axes) or (N, channels, *axes), one axis or two; without `axes` those after the first are taken, and one more
    is one of channels. `y`: (N,) classes, which are integers, names or truths, or floats; (N, K) floats; or, with two axes,
    (N, *axes): a class or a float a point, or True at one point of each sample, the one to be told. `groups`: (N,) names of
    speakers, writers, games: no group is both learnt and judged by. More than `most` samples are drawn from at random.

    Raises InputError if there is nothing to measure: too few samples, one class, numbers that aren't finite or all the same,
    lengths that don't match, or more than two axes.
    """
    inputs, named = _inputs(x, axes)
    notes = []
    count = len(inputs)
    labels_given, groups_given = _array(y, "y"), None if groups is None else _groups(groups)
    for name, each in (("y", labels_given), ("groups", groups_given)):
        if each is not None and (each.ndim == 0 or len(each) != count):
            raise InputError(
                f"x has {count:,} samples, {name} has {0 if each.ndim == 0 else len(each):,}; they must be as many"
            )
    if count < LEAST:
        raise InputError(f"there are {count} samples; {LEAST} at least are needed to measure anything")
    picked = np.arange(count)
    if count > most:
        picked = _drawn(labels_given, most, seed)
        inputs, labels_given = inputs[picked], labels_given[picked]
        groups_given = None if groups_given is None else groups_given[picked]
        notes.append(f"{most:,} of {count:,} samples were drawn at random")
    with np.errstate(over="ignore"):  # what is too large is found below
        kept = inputs if inputs.dtype in (np.bool_, np.uint8, np.int8, np.int16, np.float16) else inputs.astype(np.float32)
        numbers = labels_given.astype(np.float32) if labels_given.dtype.kind == "f" else labels_given
    for name, each in (("x", kept), ("y", numbers)):
        _check_finite(name, each, picked)
    given = torch.from_numpy(np.ascontiguousarray(kept))
    if bool((given == given[:1]).all()):
        raise InputError("all samples of x are the same; there is nothing to tell them by")
    told = targets(labels_given, tuple(given.shape[2:]))
    if not told.labels:
        whole = bool((labels_given == np.round(labels_given)).all())
        notes.append(f"numbers are told, not classes{'; if they are classes, give integers or names' if whole else ''}")
    if axes is None and given.shape[3] in _COLOURS and given.shape[1] > max(_COLOURS):
        notes.append(
            f"the {given.shape[1]} along x's second dimension are taken for channels; if those along the last are, move it: "
            "numpy.moveaxis(x, -1, 1)"
        )
    if (largest := _far_from_others(given)) is not None:
        notes.append(
            f"sample {picked[largest]} of x has numbers more than a thousand times as large as most; if they stand for what is "
            "missing, fill it in, or leave it out"
        )
    if (copies := _copies(given)) > _FEW_COPIES * len(given):
        notes.append(
            f"{copies:,} samples are exact copies of others; where one is learnt and the other judged by, networks seem better "
            "than they are: leave copies out, or give them the same group"
        )
    numbered = None if groups_given is None else torch.from_numpy(np.unique(groups_given, return_inverse=True)[1].reshape(-1))
    if numbered is not None and len(torch.unique(numbered)) < LEAST_GROUPS:
        raise InputError(f"groups has {len(torch.unique(numbered))} different names; six at least are needed to leave some out")
    return Samples(given, told.values, named, told.labels, told.per_point, numbered, tuple(notes), told.units)


def parted(whole: Samples, *, part: float = _HELD_OUT, seed: int = 0) -> tuple[Samples, Samples]:
    """Samples to learn, and a `part` to judge by: other groups, where there are groups; else each class in proportion."""
    generator = Generator().manual_seed(seed)
    if whole.groups is not None:
        names = torch.unique(whole.groups)
        shuffled = names[torch.randperm(len(names), generator=generator)]
        left_out = shuffled[: max(2, round(part * len(names)))]
        judged = torch.isin(whole.groups, left_out)
        return whole.at((~judged).nonzero()[:, 0]), whole.at(judged.nonzero()[:, 0])
    order = _by_class(whole, generator)
    places = (torch.arange(len(order)) * part).floor()
    judged = places.diff(prepend=torch.tensor([-1.0])) > 0
    return whole.at(order[~judged]), whole.at(order[judged])


def folds(whole: Samples, count: int, *, seed: int = 0) -> Tensor:
    """(N,) int64, less than `count`: in which of so many equal parts each sample is; groups and classes as in `parted`."""
    generator = Generator().manual_seed(seed)
    if whole.groups is not None:
        names, of = torch.unique(whole.groups, return_inverse=True)
        return (torch.randperm(len(names), generator=generator) % count)[of]
    found = torch.empty(len(whole), dtype=torch.int64)
    found[_by_class(whole, generator)] = torch.arange(len(whole)) % count
    return found


def _by_class(whole: Samples, generator: Generator) -> Tensor:
    """Places in a random order, or class by class, so that every so manieth is of each in turn."""
    order = torch.randperm(len(whole), generator=generator)
    return order[whole.targets[order].argsort(stable=True)] if whole.labels and whole.targets.ndim == 1 else order


def _inputs(x: Any, axes: Sequence[str] | None) -> tuple[np.ndarray[Any, Any], tuple[str, str]]:
    """(N, C, H, W) and the names of H and W."""
    found = _array(x, "x")
    if found.dtype.kind not in "biuf":
        raise InputError(f"x must hold numbers, not {found.dtype}")
    if found.ndim < 2:
        raise InputError(f"x must be (N, *axes) or (N, channels, *axes), not of shape {found.shape}")
    axes = (axes,) if isinstance(axes, str) else axes
    count = len(axes) if axes is not None else min(2, found.ndim - 1)
    if not 1 <= count <= 2 or found.ndim - 1 - count not in (0, 1):
        raise InputError(
            f"x has {found.ndim - 1} dimensions a sample{'' if axes is None else f' and {count} axes are named'}; one axis or "
            "two can be measured, with or without channels before them; join some, or choose"
        )
    names = tuple(map(str, axes)) if axes is not None else _NAMES[count]
    if len({*names}) < count or "" in names:
        raise InputError(f"each axis needs a name of its own, not {', '.join(names)}")
    if found.ndim - 1 == count:
        found = found[:, None]
    if count == 1:
        found = found[:, :, None]
        names = ("row" if names[0] != "row" else "line", names[0])
    if max(found.shape[2:]) < 2 or 0 in found.shape[1:]:
        raise InputError(f"x has nothing along {' and '.join(names[-count:])}: there must be two numbers at least")
    return found, (names[0], names[1])


def _array(given: Any, name: str) -> np.ndarray[Any, Any]:
    try:
        if isinstance(given, Tensor):
            plain = given.detach().cpu()
            found = (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
        else:
            found = np.asarray(given)
    except (ValueError, TypeError) as error:
        raise InputError(f"{name} is no array: {error}") from None
    if np.ma.is_masked(given):
        raise InputError(f"{name} is masked in places; fill in what is missing, or leave it out")
    if found.dtype == object and found.ndim == 1 and all(isinstance(each, str) for each in found):  # a column of pandas
        found = found.astype(str)
    if found.dtype.kind == "U" and found.ndim == 1 and isinstance(given, (list, tuple)) and any(each != each for each in given):
        raise InputError(f"{name} has no name in place {next(at for at, each in enumerate(given) if each != each)}, but NaN")
    if found.dtype.kind == "S":  # as HDF5 has names
        found = np.char.decode(found, "utf-8", "replace")
    if found.dtype == object:
        raise InputError(
            f"{name} is no array of numbers or names: something is missing, or of another kind, or its rows differ in length"
        )
    return found


def _groups(given: Any) -> np.ndarray[Any, Any]:
    found = _array(given, "groups")
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim > 1:
        raise InputError(f"groups must be (N,), a name a sample, not {found.shape}")
    if found.dtype.kind == "f" and np.isnan(found).any():
        raise InputError(f"groups has no name for sample {int(np.isnan(found).argmax())}")
    return found


def _far_from_others(given: Tensor) -> int | None:
    """The sample with the largest number, if that is more than a thousand times as large as the largest of most samples."""
    flat = given.flatten(1)
    largest = torch.maximum(flat.amax(1).float(), -flat.amin(1).float())
    return int(largest.argmax()) if largest.max() > _FAR * largest.median() > 0 else None


def _copies(given: Tensor) -> int:
    return len(given) - len({sha256(each).digest() for each in given.numpy()})


def _check_finite(name: str, given: np.ndarray[Any, Any], picked: np.ndarray[Any, Any]) -> None:
    """`picked`: (N,), which of the user's samples `given` are."""
    if given.dtype.kind == "f" and not (finite := np.isfinite(given).reshape(len(given), -1).all(1)).all():
        raise InputError(
            f"{name} is not finite everywhere, or too large: first in sample {picked[finite.argmin()]}; fill in what is "
            "missing, or leave it out"
        )


def _drawn(y: np.ndarray[Any, Any], most: int, seed: int) -> np.ndarray[Any, Any]:
    """Which samples are kept: `most`, at random, but of each class as many as `_RARE`, if there are."""
    order = torch.randperm(len(y), generator=Generator().manual_seed(seed)).numpy()
    if y.ndim == 1 and y.dtype.kind != "f":
        names, classes, counts = np.unique(y[order], return_inverse=True, return_counts=True)
        if len(names) * _RARE <= most:
            grouped = np.argsort(classes, kind="stable")
            rank = np.empty(len(y), int)
            rank[grouped] = np.arange(len(y)) - np.repeat(counts.cumsum() - counts, counts)
            order = order[np.argsort(rank >= _RARE, kind="stable")]
    return np.sort(order[:most])
