"""What is asked of data, as a picture that notebooks show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from convsight.fit import changes
from convsight.fit.data import Samples, samples
from convsight.pictures import View, grid

_ROWS = 4
_LARGEST = 160  # entries of an axis; of longer ones every so manieth is shown


def asked(x: Any, y: Any, *, axes: Sequence[str] | None = None) -> View:
    """Samples of four classes: as they are; and along each axis in turn half as fine, in another order, and one half of it.

    Channels are shown by their mean, all from black, the least of what is shown, to white. Raises InputError as
    `data.samples` does, which says what `x`, `y` and `axes` may be.
    """
    whole = samples(x, y, axes=axes)
    shown = _of_other_classes(whole).inputs.float()
    rows = [shown]
    for axis, length in whole.lengths.items():
        place = 2 + whole.axes.index(axis)
        rows.append(changes.subsampled(shown, place=place, factor=2))
        rows.append(changes.reordered(shown, place=place))
        rows.append(changes.without(shown, place=place, gone=range(length // 2, length), blank=shown.mean((0, 2, 3))))
    pictures = torch.stack(rows, 1).mean(2).flatten(0, 1)[:, None]
    low, high = pictures.min(), pictures.max()
    if pictures.shape[2] == 1:  # a series, as a band
        pictures = pictures.expand(-1, -1, max(8, pictures.shape[3] // 8), -1)
    steps = [max(1, -(-length // _LARGEST)) for length in pictures.shape[2:]]
    small = ((pictures - low) / (high - low).clamp_min(1e-12))[..., :: steps[0], :: steps[1]]
    return View(grid(small, columns=len(rows)).expand(3, -1, -1))


def _of_other_classes(whole: Samples) -> Samples:
    """The first of each of the first classes; the first samples, if they have none, or many."""
    if not whole.labels or whole.targets.ndim == 2:
        return whole.at(torch.arange(_ROWS))
    firsts: list[Tensor] = [(whole.targets == each).nonzero()[0, 0] for each in torch.unique(whole.targets)[:_ROWS]]
    return whole.at(torch.stack(firsts))
