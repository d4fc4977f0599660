"""From a network's answers, frame by frame, to a string of phones with their times: the likeliest path (Viterbi 1967)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import torch
from torch import Tensor

from convsight.speech.audio import RATE
from convsight.speech.encode import LENGTH, STEP
from convsight.speech.segments import Segment

_PIECE = 1_000  # frames after which it is asked what has become certain, so that long sounds do not fill the memory


def transitions(labels: Iterable[Tensor], phones: int) -> Tensor:
    """(phones, phones): the log chance that a frame of one phone is followed by one of another, counted in `labels`, (T,) each.

    Every pair counts as seen half a time more.
    """
    counts = torch.full((phones, phones), 0.5, dtype=torch.float64)
    for each in labels:
        pairs = each[:-1].long() * phones + each[1:].long()
        counts += torch.bincount(pairs, minlength=phones * phones).view(phones, phones)
    return (counts / counts.sum(1, keepdim=True)).log().float()


class Path:
    """The likeliest path through answers that come in pieces; a frame's phone is told once no later answer can change it."""

    def __init__(self, transitions: Tensor) -> None:
        """`transitions`: (phones, phones), log chances of one frame to the next, from the row to the column."""
        self._transitions = transitions
        self._scores: Tensor | None = None
        self._before: list[Tensor] = []  # for each frame not told, from which phone of the frame before each is reached best

    def push(self, answers: Tensor) -> list[int]:
        """The phones of the frames that `answers`, (n, phones) log chances, make certain."""
        for frame in answers:
            if self._scores is None:
                self._scores = frame
                self._before.append(torch.arange(len(frame)))
                continue
            best = (self._scores[:, None] + self._transitions).max(0)
            self._scores = best.values + frame
            self._scores -= self._scores.max()
            self._before.append(best.indices)
        if self._scores is None:
            return []
        reached = torch.arange(len(self._scores))
        for back in range(len(self._before) - 1, 0, -1):
            reached = torch.unique(self._before[back][reached])
            if len(reached) == 1:
                return self._told(int(reached), back)
        return []

    def finish(self) -> list[int]:
        """The phones of all frames that are left."""
        if self._scores is None:
            return []
        return self._told(int(self._scores.argmax()), len(self._before))

    def _told(self, last: int, count: int) -> list[int]:
        """The first `count` frames, of which the last is `last`."""
        found = [last]
        for back in range(count - 1, 0, -1):
            found.append(int(self._before[back][found[-1]]))
        self._before = self._before[count:]
        return found[::-1]


def path(answers: Tensor, transitions: Tensor) -> list[int]:
    """The likeliest phone of every frame together; `answers`: (T, phones), log chances."""
    whole = Path(transitions)
    return [phone for piece in torch.split(answers, _PIECE) for phone in whole.push(piece)] + whole.finish()


def begins(frame: int) -> float:
    """When what is heard in a frame begins, in seconds: half a step before its middle."""
    return (frame * STEP + (LENGTH - STEP) / 2) / RATE


def segments(found: Sequence[int], phones: Sequence[str], *, first: int = 0) -> list[Segment]:
    """Frames of one place among `phones` in a row as one segment; the first is frame `first`."""
    rows: list[Segment] = []
    for place, run in groupby(found):
        last = first + len(list(run))
        rows.append(Segment(begins(first), begins(last), phones[place]))
        first = last
    return rows
