"""Idea 2: the network is a declaration of what fits the data.

An `Architecture` states which axes the input has, along which of them the filters slide (they span all others whole),
where they pool, and what follows. `build` makes the `torch.nn.Module`:

>>> import torch
>>> digits = Architecture(
...     channels=1,
...     axes={"height": 28, "width": 28},
...     convolutions=(
...         Convolution(25, slides={"height": 3, "width": 3}, pools={"height": 2, "width": 2}),
...         Convolution(50, slides={"height": 3, "width": 3}, pools={"height": 2, "width": 2}),
...     ),
...     fully_connected=(128,),
...     outputs=10,
... )
>>> build(digits)(torch.zeros(1, 1, 28, 28)).shape
torch.Size([1, 10])
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from convsight.errors import InputError


@dataclass(frozen=True)
class Convolution:
    """`filters` filters, a ReLU, and max pooling along the axes in `pools`, by that factor.

    `slides`: the filter's length along each axis that it slides along; it spans every other axis whole.
    `padded`: zeros around the input, so that sliding keeps the length of an axis.
    """

    filters: int
    slides: Mapping[str, int]
    pools: Mapping[str, int] = field(default_factory=dict)
    padded: bool = False


@dataclass(frozen=True)
class Architecture:
    """Input (B, channels, *axes), convolutions, fully connected layers with ReLU, and `outputs` numbers.

    `per_point`: instead of fully connected layers, one filter of 1x1 and a bias of its own for every point, so that the outputs
    are the points that the convolutions leave, row by row.
    """

    channels: int
    axes: Mapping[str, int]
    convolutions: tuple[Convolution, ...]
    fully_connected: tuple[int, ...]
    outputs: int
    per_point: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers, strings, lists and dicts, for JSON; `from_dict` is its inverse."""
        return asdict(self)

    @staticmethod
    def from_dict(plain: Mapping[str, Any]) -> Architecture:
        """Raises InputError if `plain` doesn't describe an architecture."""
        try:
            return Architecture(
                channels=_count(plain["channels"]),
                axes={str(axis): _count(length) for axis, length in plain["axes"].items()},
                convolutions=tuple(
                    Convolution(
                        filters=_count(each["filters"]),
                        slides={str(axis): _count(length) for axis, length in each["slides"].items()},
                        pools={str(axis): _count(length) for axis, length in each["pools"].items()},
                        padded=bool(each["padded"]),
                    )
                    for each in plain["convolutions"]
                ),
                fully_connected=tuple(_count(width) for width in plain["fully_connected"]),
                outputs=_count(plain["outputs"]),
                per_point=bool(plain.get("per_point", False)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this describes no architecture: {error!r}") from None


def build(architecture: Architecture) -> nn.Sequential:
    """The network that `architecture` declares: (B, channels, *axes) to (B, outputs), its weights random.

    Layers are named `conv1`, `conv1_relu`, `conv1_pool`, ..., `flatten`, `fc1`, `fc1_relu`, ..., `output`; with `per_point`,
    after the convolutions `points`, `flatten` and `output`.
    Raises InputError if the axes aren't two, a filter is longer than what it slides along, an axis doesn't exist, or the
    outputs of `per_point` aren't as many as the points.
    """
    if len(architecture.axes) != 2:
        raise InputError(f"a network here has two axes, not {len(architecture.axes)}: {', '.join(architecture.axes)}")
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels, lengths = architecture.channels, dict(architecture.axes)
    for number, convolution in enumerate(architecture.convolutions, start=1):
        name = f"conv{number}"
        _check_axes(convolution, lengths, name)
        size = _pair(convolution.slides.get(axis, length) for axis, length in lengths.items())
        padding = _pair((convolution.slides.get(axis, 1) - 1) // 2 if convolution.padded else 0 for axis in lengths)
        pool = _pair(convolution.pools.get(axis, 1) for axis in lengths)
        layers[name] = nn.Conv2d(channels, convolution.filters, size, padding=padding)
        layers[f"{name}_relu"] = nn.ReLU()
        if convolution.pools:
            layers[f"{name}_pool"] = nn.MaxPool2d(pool)
        channels = convolution.filters
        lengths = {
            axis: (length + 2 * pad - reach + 1) // factor
            for (axis, length), pad, reach, factor in zip(lengths.items(), padding, size, pool, strict=True)
        }
    if architecture.per_point:
        points = prod(lengths.values())
        if architecture.outputs != points or architecture.fully_connected:
            raise InputError(f"one output for each of {points} points, and nothing between, not {architecture.outputs}")
        layers["points"] = nn.Conv2d(channels, 1, 1, bias=False)
        layers["flatten"] = nn.Flatten()
        layers["output"] = PointBias(points)
        return nn.Sequential(layers)
    layers["flatten"] = nn.Flatten()
    features = channels * prod(lengths.values())
    for number, width in enumerate(architecture.fully_connected, start=1):
        layers[f"fc{number}"] = nn.Linear(features, width)
        layers[f"fc{number}_relu"] = nn.ReLU()
        features = width
    layers["output"] = nn.Linear(features, architecture.outputs)
    return nn.Sequential(layers)


class PointBias(nn.Module):
    """Adds to (B, points) a learnt number for each point. Source: Silver et al. 2016, "Neural network architecture"."""

    def __init__(self, points: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(points))

    def forward(self, scores: Tensor) -> Tensor:
        return scores + self.bias


def _check_axes(convolution: Convolution, lengths: Mapping[str, int], name: str) -> None:
    for axis in (*convolution.slides, *convolution.pools):
        if axis not in lengths:
            raise InputError(f'{name}: no axis "{axis}" in the input, which has {", ".join(lengths)}')
    for axis, reach in convolution.slides.items():
        if convolution.padded and reach % 2 == 0:
            raise InputError(f"{name}: a padded filter has an odd length, not {reach} along {axis}")
        if not 1 <= reach <= lengths[axis]:
            raise InputError(f"{name}: a filter of {reach} cannot slide along {axis}, where {lengths[axis]} are left")
    for axis, factor in convolution.pools.items():
        left = lengths[axis] if convolution.padded else lengths[axis] - convolution.slides.get(axis, lengths[axis]) + 1
        if not 1 <= factor <= left:
            raise InputError(f"{name}: cannot pool {factor} along {axis}, where {left} are left")


def _count(number: Any) -> int:
    if not isinstance(number, int) or not 1 <= number < 2**31:
        raise ValueError(f"{number!r} is no count")
    return number


def _pair(lengths: Iterable[int]) -> tuple[int, int]:
    first, second = lengths
    return first, second
