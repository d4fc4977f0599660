"""When each phone of a recording is spoken: rows of segments, checked, and as one label a frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from convsight.errors import InputError
from convsight.speech.audio import RATE
from convsight.speech.encode import LENGTH, STEP
from convsight.speech.phones import SILENCE


@dataclass(frozen=True)
class Segment:
    """`phone` from `start` to `end`, in seconds."""

    start: float
    end: float
    phone: str


def parted(start: float, end: float, phones: str) -> list[Segment]:
    """What is spoken from `start` to `end`, in seconds, is `phones`, spaces between: as long each."""
    names = phones.split(" ")
    bounds = [start, *(start + (end - start) * place / len(names) for place in range(1, len(names))), end]
    return [Segment(*each) for each in zip(bounds, bounds[1:], names, strict=False)]


def in_order(segments: Iterable[Segment], where: str) -> tuple[Segment, ...]:
    """`segments` of the recording `where` by time, gaps between them filled with silence.

    Raises InputError if one ends before it begins, begins before the recording, or two overlap by more than a millisecond.
    """
    found: list[Segment] = []
    for each in sorted(segments, key=lambda segment: (segment.start, segment.end)):
        if not 0 <= each.start <= each.end < float("inf"):
            raise InputError(f"{where}: a segment {each.phone} from {each.start:g} s to {each.end:g} s makes no sense")
        before = found[-1].end if found else 0.0
        if each.start < before - 1e-3:
            raise InputError(f"{where}: {each.phone} at {each.start:g} s begins before {found[-1].phone} ends, at {before:g} s")
        if each.start > before + 1e-3:
            found.append(Segment(before, each.start, SILENCE))
        found.append(each)
    if not found:
        raise InputError(f"{where}: there are no segments")
    return tuple(found)


def frame_labels(segments: Sequence[Segment], frames: int, phones: Sequence[str]) -> Tensor:
    """(frames,) int64: for each frame the place among `phones` of what is spoken at its middle; after the end, silence.

    What is labelled "", which is no phone of its own, goes to the one before it.
    """
    numbers = {phone: number for number, phone in enumerate(phones)}
    spoken = [each for each in segments if each.phone]
    starts = torch.tensor([each.start for each in spoken] + [segments[-1].end], dtype=torch.float64)
    labels = torch.tensor([numbers[each.phone] for each in spoken] + [numbers[SILENCE]])
    middles = (torch.arange(frames, dtype=torch.float64) * STEP + LENGTH / 2) / RATE
    return labels[(torch.searchsorted(starts, middles, right=True) - 1).clamp_min(0)]
