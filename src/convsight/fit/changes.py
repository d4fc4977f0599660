"""What is done to inputs, all alike, to see what a network makes of it: (N, C, *axes) to the same shape."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 (the field's name for it)
from torch import Generator, Tensor


def subsampled(inputs: Tensor, *, place: int, factor: int) -> Tensor:
    """Means of `factor` entries along an axis, each as many times: as long as before, with less in it."""
    length = inputs.shape[place]
    rows = inputs.float().movedim(place, -1)
    padded = F.pad(rows.flatten(0, -2)[:, None], (0, -length % factor), mode="replicate")[:, 0]
    means = padded.view(len(padded), -1, factor).mean(2)
    return means.repeat_interleave(factor, 1)[:, :length].view(rows.shape).movedim(-1, place).contiguous()


def shifted(inputs: Tensor, *, place: int, by: int) -> Tensor:
    """Moved by so many entries along an axis, the first repeated."""
    length = inputs.shape[place]
    return inputs.index_select(place, (torch.arange(length) - by).clamp_min(0))


def reordered(inputs: Tensor, *, place: int) -> Tensor:
    """In another order along an axis, always the same."""
    return inputs.index_select(place, torch.randperm(inputs.shape[place], generator=Generator().manual_seed(1)))


def shuffled(inputs: Tensor, *, place: int, length: int) -> Tensor:
    """Pieces of `length` entries along an axis in random order, another in each sample; what is left at the end stays."""
    rows = inputs.movedim(place, -1)
    whole = rows.shape[-1] // length
    pieces = rows[..., : whole * length].reshape(*rows.shape[:-1], whole, length)
    generator = Generator().manual_seed(2)
    mixed = torch.stack([each[..., torch.randperm(whole, generator=generator), :] for each in pieces])
    return torch.cat([mixed.flatten(-2), rows[..., whole * length :]], -1).movedim(-1, place).contiguous()


def without(inputs: Tensor, *, place: int, gone: range, blank: Tensor) -> Tensor:
    """Without the entries in `gone` along an axis, which become `blank`, (C,)."""
    left = inputs.float().movedim(place, -1).clone()
    left[..., gone.start : gone.stop] = blank[:, None, None]
    return left.movedim(-1, place).contiguous()
