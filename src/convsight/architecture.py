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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any, Literal

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from convsight.errors import InputError
from convsight.layers import FrameByFrame, PointBias, Sectioned, SideBySide, Spanning, WholeMax

WHOLE = 0


@dataclass(frozen=True)
class Convolution:
    """`filters` filters, a ReLU, and max pooling along the axes in `pools`, by that factor, or over all there is with `WHOLE`.

    `slides`: the filter's length along each axis that it slides along; it spans every other axis whole.
    `padded`: zeros around the input, so that sliding keeps the length of an axis; or "wide", so many that each end of the
    input comes to lie under every part of the filter, and that inputs shorter than the filter will do.
    `limited`: an axis along which each section of what is pooled has filters of its own (limited weight sharing), each place
    if nothing is.
    """

    filters: int
    slides: Mapping[str, int]
    pools: Mapping[str, int] = field(default_factory=dict)
    padded: bool | Literal["wide"] = False
    limited: str | None = None


@dataclass(frozen=True)
class Architecture:
    """Input (B, channels, *axes), convolutions, fully connected layers with ReLU, and `outputs` numbers.

    `side_by_side`: the convolutions don't follow one another; each reads the input, and what they put out is joined.
    `dropout`: the part of the numbers before the last layer that training leaves out.
    `per_point`: instead of fully connected layers, one filter of 1x1 and a bias of its own for every point, so that the outputs
    are the points that the convolutions leave, row by row; or several times as many, of as many filters, one after the other.
    `recurrent`: an LSTM of that many cells goes through time; then the axis "time" is a window around each frame, of which
    the layers before the LSTM tell it, and the network puts out `outputs` numbers a frame. `both_ways`: a second LSTM goes
    backwards, so that a frame is judged by what follows, too; `centred`: each row's mean over all of time is taken off first.
    """

    channels: int
    axes: Mapping[str, int]
    convolutions: tuple[Convolution, ...]
    fully_connected: tuple[int, ...]
    outputs: int
    per_point: bool = False
    side_by_side: bool = False
    dropout: float = 0.0
    recurrent: int = 0
    both_ways: bool = False
    centred: bool = False

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
                        pools={str(axis): length and _count(length) for axis, length in each["pools"].items()},
                        padded=each["padded"] if each["padded"] == "wide" else bool(each["padded"]),
                        limited=str(each["limited"]) if each.get("limited") else None,
                    )
                    for each in plain["convolutions"]
                ),
                fully_connected=tuple(_count(width) for width in plain["fully_connected"]),
                outputs=_count(plain["outputs"]),
                per_point=bool(plain.get("per_point", False)),
                side_by_side=bool(plain.get("side_by_side", False)),
                dropout=float(plain.get("dropout", 0.0)),
                recurrent=(plain.get("recurrent") and _count(plain["recurrent"])) or 0,
                both_ways=bool(plain.get("both_ways", False)),
                centred=bool(plain.get("centred", False)),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"this describes no architecture: {error!r}") from None


def parameters(architecture: Architecture) -> int:
    """How many numbers the network of `architecture` learns. Raises InputError as `build` does."""
    with torch.device("meta"):
        return sum(each.numel() for each in build(architecture).parameters())


def multiplications(architecture: Architecture) -> int:
    """How often the network of `architecture` multiplies to tell one sample. Raises InputError as `build` does."""
    with torch.device("meta"), FlopCounterMode(display=False) as counted:
        build(architecture)(torch.zeros(1, architecture.channels, *architecture.axes.values()))
    return int(counted.get_total_flops()) // 2


def lengths(architecture: Architecture) -> list[dict[str, int]]:
    """How long each axis is before each convolution, where one follows another. Raises InputError as `build` does."""
    found = [dict(architecture.axes)]
    with torch.device("meta"):
        for number, each in enumerate(architecture.convolutions, start=1):
            found.append(_convolved(each, 1, found[-1], f"conv{number}")[1])
    return found[:-1]


def enough(make: Callable[[int], Architecture], wanted: int, *, most: int = 4_000) -> int:
    """The smallest count, 1 to `most`, for which `make(count)` has `wanted` parameters or more; `most` if none has."""
    few, many = 1, most
    while few < many:
        middle = (few + many) // 2
        few, many = (few, middle) if parameters(make(middle)) >= wanted else (middle + 1, many)
    return few


def build(architecture: Architecture) -> nn.Sequential:
    """The network that `architecture` declares: (B, channels, *axes) to (B, outputs), its weights random.

    With `recurrent`, (B, channels, frequency, T) for any T to (B, T, outputs).

    Layers are named `conv1`, `conv1_relu`, `conv1_pool`, ..., `flatten`, `fc1`, `fc1_relu`, ..., `dropout`, `output`; with
    `per_point`, after the convolutions `points`, `flatten` and `output`; with `side_by_side`, those of the convolutions are
    in `convolutions`; with `recurrent`, all before the last are in `frames.window`, and `frames.lstm` follows.
    Raises InputError if the axes aren't two, a filter is longer than what it slides along, an axis doesn't exist, the outputs
    of `per_point` aren't as many for each of the points, or `limited` or `recurrent` is declared of axes that they don't suit.
    """
    if len(architecture.axes) != 2:
        raise InputError(f"a network here has two axes, not {len(architecture.axes)}: {', '.join(architecture.axes)}")
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    channels, lengths = architecture.channels, dict(architecture.axes)
    if architecture.side_by_side:
        branches, features = [], 0
        for number, convolution in enumerate(architecture.convolutions, start=1):
            some, left = _convolved(convolution, channels, lengths, f"conv{number}")
            branches.append(some)
            features += convolution.filters * prod(left.values())
        layers["convolutions"] = SideBySide(branches)
    else:
        for number, convolution in enumerate(architecture.convolutions, start=1):
            some, lengths = _convolved(convolution, channels, lengths, f"conv{number}")
            layers |= some
            channels = convolution.filters
        features = channels * prod(lengths.values())
    if architecture.per_point:
        points = prod(lengths.values())
        if architecture.outputs % points or architecture.fully_connected or architecture.side_by_side:
            raise InputError(
                f"one output, or several, for each of {points} points, nothing between, not {architecture.outputs}"
            )
        layers["points"] = nn.Conv2d(channels, architecture.outputs // points, 1, bias=False)
        layers["flatten"] = nn.Flatten()
        layers["output"] = PointBias(architecture.outputs)
        return nn.Sequential(layers)
    layers["flatten"] = nn.Flatten()
    for number, width in enumerate(architecture.fully_connected, start=1):
        layers[f"fc{number}"] = nn.Linear(features, width)
        layers[f"fc{number}_relu"] = nn.ReLU()
        features = width
    if architecture.recurrent:
        _check_time(architecture)
        cells, window, both = architecture.recurrent, architecture.axes["time"], architecture.both_ways
        frames = FrameByFrame(nn.Sequential(layers), window, features, cells, both_ways=both, centred=architecture.centred)
        layers, features = OrderedDict(frames=frames), 2 * cells if both else cells
    if architecture.dropout:
        layers["dropout"] = nn.Dropout(architecture.dropout)
    layers["output"] = nn.Linear(features, architecture.outputs)
    return nn.Sequential(layers)


def _convolved(
    convolution: Convolution, channels: int, lengths: Mapping[str, int], name: str
) -> tuple[OrderedDict[str, nn.Module], dict[str, int]]:
    """The layers of one convolution, and how long it leaves each axis."""
    _check_axes(convolution, lengths, name)
    reach = {axis: convolution.slides.get(axis, length) for axis, length in lengths.items()}
    padding = {axis: _padding(convolution, axis) for axis in lengths}
    size, around = _pair(reach.values()), _pair(padding.values())
    spanned = [number for number, axis in enumerate(lengths) if axis not in convolution.slides]
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    left = {axis: length + 2 * padding[axis] - reach[axis] + 1 for axis, length in lengths.items()}
    if axis := convolution.limited:
        section, place = _section(convolution, name), list(lengths).index(axis)
        sections = left[axis] // section
        layers[name] = Sectioned(channels, convolution.filters, size, sections, section, padding=around, axis=place)
        left[axis] -= left[axis] % section
    elif len(spanned) == 1:
        layers[name] = Spanning(channels, convolution.filters, size, around, spanned[0])
    else:
        layers[name] = nn.Conv2d(channels, convolution.filters, size, padding=around)
    layers[f"{name}_relu"] = nn.ReLU()
    factors = _pair(convolution.pools.get(axis, 1) for axis in lengths)
    if max(factors) > 1 or (convolution.pools and WHOLE not in factors):
        layers[f"{name}_pool"] = nn.MaxPool2d(_pair(factor or 1 for factor in factors))
    if WHOLE in factors:
        layers[f"{name}_max"] = WholeMax(tuple(2 + place for place, factor in enumerate(factors) if factor == WHOLE))
    return layers, {axis: length // (factor or length) for (axis, length), factor in zip(left.items(), factors, strict=True)}


def _section(convolution: Convolution, name: str) -> int:
    axis = str(convolution.limited)
    factor = convolution.pools.get(axis, 1)
    if factor == WHOLE or axis not in convolution.slides:
        raise InputError(
            f"{name}: limited sharing needs filters that slide along {axis}, and pool there by a factor or not at all"
        )
    return factor


def _check_time(architecture: Architecture) -> None:
    if list(architecture.axes)[1] != "time" or architecture.axes["time"] % 2 == 0:
        raise InputError("a recurrent network's second axis is time, an odd number of frames: the window around each")


def _padding(convolution: Convolution, axis: str) -> int:
    reach = convolution.slides.get(axis, 1)
    return reach - 1 if convolution.padded == "wide" else (reach - 1) // 2 if convolution.padded else 0


def _check_axes(convolution: Convolution, lengths: Mapping[str, int], name: str) -> None:
    for axis in (*convolution.slides, *convolution.pools):
        if axis not in lengths:
            raise InputError(f'{name}: no axis "{axis}" in the input, which has {", ".join(lengths)}')
    for axis, reach in convolution.slides.items():
        if convolution.padded is True and reach % 2 == 0:
            raise InputError(f"{name}: a padded filter has an odd length, not {reach} along {axis}")
        if reach < 1 or (reach > lengths[axis] and convolution.padded != "wide"):
            raise InputError(f"{name}: a filter of {reach} cannot slide along {axis}, where {lengths[axis]} are left")
    for axis, factor in convolution.pools.items():
        left = lengths[axis] + 2 * _padding(convolution, axis) - convolution.slides.get(axis, lengths[axis]) + 1
        if not WHOLE <= factor <= left:
            raise InputError(f"{name}: cannot pool {factor} along {axis}, where {left} are left")


def _count(number: Any) -> int:
    if not isinstance(number, int) or not 1 <= number < 2**31:
        raise ValueError(f"{number!r} is no count")
    return number


def _pair(lengths: Iterable[int]) -> tuple[int, int]:
    first, second = lengths
    return first, second
