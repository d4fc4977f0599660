"""What of real pictures excites a unit most, to stand beside what gradient ascent finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path

import torch
from torch import Tensor

from convsight.activations import own_dtype, read
from convsight.errors import InputError, by, first_line
from convsight.image.resize import resized
from convsight.input_spec import InputSpec
from convsight.network import Network
from convsight.pictures import read_picture, to_tensor
from convsight.receptive_field import Field, receptive_fields

COUNT = 8
_BATCH, _WAITING = 16, 64
_LONGEST = 4  # a panorama's middle, four times as long as it is high

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Example:
    """`patch` (C, H, W) in [0, 1]: what a unit sees inside the picture in `path` at its strongest answer, `activation`.

    `box`: left, top, right and bottom of the patch in the picture as the network was shown it, which is `shown` wide and high.
    """

    path: Path
    activation: float
    box: Box
    shown: tuple[int, int]
    patch: Tensor

    def record(self) -> dict[str, object]:
        """Everything but the patch, as plain values."""
        return {"picture": str(self.path), "activation": self.activation, "box": self.box, "shown": self.shown}


def strongest(
    network: Network,
    layer: str,
    units: Sequence[int],
    paths: Sequence[Path],
    *,
    count: int = COUNT,
    largest: bool = True,
    on_picture: Callable[[int], None] | None = None,
) -> list[list[Example]]:
    """For each of `units` the `count` pictures with its highest activation at any place, and the patch that it sees there.

    Of each picture one place at most. Pictures are shown with their shorter side as long as the network's input; to a layer
    without maps, their middle. `largest`: False for the lowest activations. `on_picture(done)`: how many were looked at.

    Raises InputError if the network takes no pictures, or a file is none.
    """
    channels, height, width = network.input.shape
    if channels not in (1, 3):
        raise InputError(f"{network.name} takes {channels} channels, not pictures")
    middle = network.input.normalise(torch.zeros(1, channels, height, width, device=network.device))
    with torch.no_grad(), read(network.module, [layer]) as activations_of:
        dimensions = activations_of(middle)[layer].dim()
    if dimensions not in (2, 4):
        raise InputError(f'layer "{layer}" puts out no maps and no vector, so no picture excites a unit of it most')
    maps = dimensions == 4
    field = receptive_fields(network.module, middle.to(own_dtype(network.module))).get(layer) if maps else None
    if field is not None and any(seen >= side for seen, side in zip(field.size, (height, width), strict=True)):
        field = None  # it is known up to the network's own size only
    best: list[list[tuple[float, int, tuple[int, int]]]] = [[] for _ in units]  # signed activation, which picture, place
    sign = 1.0 if largest else -1.0
    done = 0
    with torch.no_grad(), read(network.module, [layer], precision=torch.float32) as activations_of:
        for numbers, batch in _batches(paths, network.input, whole=not maps):
            try:
                answers = activations_of(network.input.normalise(batch.to(network.device)))[layer][:, list(units)]
            except (InputError, MemoryError, torch.OutOfMemoryError):
                raise
            except Exception as error:  # whatever the user's own module raises
                raise InputError(
                    f"{network.name} cannot take pictures of {by(batch.shape[1:])}: {first_line(error)}"
                ) from error
            answers = (sign * answers).view(len(numbers), len(units), *(answers.shape[2:] if maps else (1, 1)))
            top, flat = answers.flatten(2).max(2)
            for column, kept in enumerate(best):
                places = [divmod(each, answers.shape[-1]) for each in flat[:, column].tolist()]
                kept[:] = nlargest(count, [*kept, *zip(top[:, column].tolist(), numbers, places, strict=True)])
            done += len(numbers)
            if on_picture is not None:
                on_picture(done)

    def example(signed: float, number: int, place: tuple[int, int]) -> Example:
        picture = _shown(paths[number], network.input, whole=not maps)
        box = _box(field, picture, place)
        left, top, right, bottom = box
        patch = resized(picture[..., top:bottom, left:right], height, width)[0]
        return Example(paths[number], sign * signed, box, (picture.shape[-1], picture.shape[-2]), patch)

    return [[example(*each) for each in kept] for kept in best]


def _batches(paths: Sequence[Path], given: InputSpec, *, whole: bool) -> Iterator[tuple[list[int], Tensor]]:
    """Pictures of one size together, with their numbers."""
    waiting: dict[tuple[int, ...], list[tuple[int, Tensor]]] = {}

    def batch(group: Iterable[tuple[int, Tensor]]) -> tuple[list[int], Tensor]:
        numbers, pictures = zip(*group, strict=True)
        return list(numbers), given.scaled(torch.cat(pictures))

    for number, path in enumerate(paths):
        picture = _shown(path, given, whole=whole)
        group = waiting.setdefault(tuple(picture.shape), [])
        group.append((number, picture))
        if len(group) == _BATCH:
            yield batch(waiting.pop(tuple(picture.shape)))
        elif sum(map(len, waiting.values())) == _WAITING:
            yield batch(waiting.pop(max(waiting, key=lambda shape: len(waiting[shape]))))
    yield from map(batch, waiting.values())


def _shown(path: Path, given: InputSpec, *, whole: bool) -> Tensor:
    """The picture in `path` as the network is shown it: (1, C, h, w) in [0, 1]; `whole`: exactly as large as its input."""
    channels, height, width = given.shape
    picture = to_tensor(read_picture(path).convert("L" if channels == 1 else "RGB"))
    picture = _middle(picture, width / height, width / height) if whole else _middle(picture, 1 / _LONGEST, _LONGEST)
    if whole:
        return resized(picture, height, width)
    rows, columns = picture.shape[-2:]
    factor = min(height, width) / min(rows, columns)
    return resized(picture, round(rows * factor), round(columns * factor))


def _middle(picture: Tensor, narrowest: float, widest: float) -> Tensor:
    """The middle of `picture` whose width by height lies between the two."""
    rows, columns = picture.shape[-2:]
    height, width = min(rows, max(1, round(columns / narrowest))), min(columns, max(1, round(rows * widest)))
    top, left = (rows - height) // 2, (columns - width) // 2
    return picture[..., top : top + height, left : left + width]


def _box(field: Field | None, picture: Tensor, place: tuple[int, int]) -> Box:
    """What the unit at `place`, row and column, sees of `picture`: all of it if that isn't known."""
    rows, columns = picture.shape[-2:]
    if field is None or field.flat:
        return 0, 0, columns, rows
    spans = []
    for axis, (where, length) in enumerate(zip(place, (rows, columns), strict=True)):
        side = min(field.size[axis], length)
        first = min(max(0, field.start[axis] + where * field.step[axis]), length - side)
        spans.append((first, first + side))
    (top, bottom), (left, right) = spans
    return left, top, right, bottom
