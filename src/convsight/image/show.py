"""What a filter looks for, as a picture."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from convsight.errors import InputError, did_you_mean
from convsight.network import Network
from convsight.pictures import grid, picture_files, read_picture, to_tensor


def filters(network: Network, layer: str | None = None) -> tuple[str, Tensor]:
    """The name of a convolution, by default the first, and its filters as pictures: (K, C, h, w) in [0, 1], C 1 or 3.

    All are on one scale, which is the largest weight's: mid-grey is a weight of zero. Filters can be read so where they
    look straight at pixels; deeper ones span channels that are no colours. Raises InputError there, if there is no
    such convolution, or a weight is not finite. Source: lecture, row L1.
    """
    convolutions = {name: each for name, each in network.module.named_modules() if isinstance(each, nn.Conv2d)}
    if not convolutions:
        raise InputError(f"{network.name} has no convolutions, so no filters to show")
    name = next(iter(convolutions)) if layer is None else layer
    if name not in convolutions:
        raise InputError(f'no convolution "{name}" in {network.name}{did_you_mean(name, convolutions)}')
    weight = convolutions[name].weight.detach().float()
    weight = weight if weight.is_meta else weight.cpu()
    if weight.shape[1] not in (1, 3):
        raise InputError(
            f"the filters of {name} span {weight.shape[1]} channels, which are no colours, so they make no pictures; "
            "find what excites them with convsight see"
        )
    if weight.is_meta or not weight.isfinite().all():
        raise InputError(f"the filters of {name} hold infinite or undefined weights")
    return name, 0.5 + 0.5 * weight / weight.abs().max().clamp_min(torch.finfo(weight.dtype).tiny)


def sheet(filters: Tensor) -> Tensor:
    """`filters` (K, C, h, w) in [0, 1] side by side, on white, so that none runs into its neighbour: (C, H, W)."""
    return grid(filters, enlarge=max(4, 96 // filters.shape[-1]), gap=8, ground=1.0)


def alike(folder: Path, network: Network) -> Tensor:
    """All pictures in `folder` as `network` takes them: (N, C, H, W) in its value range, C 1 or 3, scaled to H x W.

    Raises InputError if the folder doesn't exist, has no pictures, or the network takes other channels.
    """
    channels, height, width = network.input.shape
    if channels not in (1, 3):
        raise InputError(f"{network.name} takes {channels} channels, not pictures")
    if not folder.is_dir():
        raise InputError(f"there is no folder {folder}")
    mode = "L" if channels == 1 else "RGB"
    pictures = [read_picture(path).convert(mode).resize((width, height)) for path in picture_files([folder])]
    return network.input.scaled(torch.cat([to_tensor(each) for each in pictures]))
