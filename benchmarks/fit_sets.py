"""`fit` on eight real sets that are none of the lecture's: does the network it recommends keep up with the usual ones?

python benchmarks/fit_sets.py sktime-1.2.0-py3-none-any.whl fsdd/ custrev.csv --budget 300 --seeds 5

The wheel (`pip download --no-deps sktime`) is read as a file: ItalyPowerDemand, JapaneseVowels, OSULeaf and GunPoint, of the
UCR and UEA archives (their published test parts are put together with the training parts, and parted anew). scikit-learn's
digits are the UCI's. fsdd/ are the recordings of free-spoken-digit-dataset, a folder a speaker: told are the digit, by speakers
that weren't heard, and the speaker. custrev.csv: the customer reviews of Hu and Liu 2004, columns text and label.
"""

from __future__ import annotations

import argparse
import io
import sys
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits

from convsight.fit import fit
from convsight.fit.applications import Arrays, text
from convsight.speech import audio
from convsight.speech.encode import LogMel

FRAMES = 60
SERIES = "ItalyPowerDemand", "JapaneseVowels", "OSULeaf", "GunPoint"
HEADS = "set", "samples", "slides/pools", "recommended", "usual 3x3, 2x2", "fully connected", "returned", "more than the better"


def series(wheel: Path, name: str) -> Arrays:
    """(N, channels, time), zeros after the end of the shorter ones."""
    rows, labels = [], []
    with zipfile.ZipFile(wheel) as opened:
        for part in ("TRAIN", "TEST"):
            with io.TextIOWrapper(opened.open(f"sktime/datasets/data/{name}/{name}_{part}.ts"), "utf-8") as lines:
                for line in lines:
                    if line.strip() and line[0] not in "#@%":
                        *channels, label = line.strip().split(":")
                        rows.append([np.array(each.split(","), float) for each in channels])
                        labels.append(label)
    longest = max(len(each) for row in rows for each in row)
    x = np.zeros((len(rows), len(rows[0]), longest), np.float32)
    for place, row in enumerate(rows):
        for channel, each in enumerate(row):
            x[place, channel, : len(each)] = each
    return Arrays(x if x.shape[1] > 1 else x[:, 0], np.array(labels), ("time",))


def recordings(folder: Path, told: int) -> Arrays:
    """Log-mel spectrograms, (N, 40, 60), of files named digit_speaker_number; `told` is the place in that name."""
    paths = sorted(folder.rglob("*.wav"))
    log_mel = LogMel()
    x = torch.zeros(len(paths), 40, FRAMES)
    for place, path in enumerate(paths):
        heard = log_mel(audio.read(path))[:FRAMES].T
        x[place] = heard.min()
        x[place, :, : heard.shape[1]] = heard
    names = np.array([path.stem.split("_") for path in paths])
    return Arrays(x, names[:, told], ("frequency", "time"), names[:, 1] if told == 0 else None)


def digits() -> Arrays:
    """(1797, 8, 8), handwritten."""
    known = load_digits()
    return Arrays(known.images.astype(np.float32), known.target, ("height", "width"))


def main() -> None:
    """Print a table, a line a set: how many are told right, means over seeds, each of which parts the set otherwise, and how
    much the recommended network has more than the better of the usual one and the fully connected one, with its standard error.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("fsdd", type=Path)
    parser.add_argument("reviews", type=Path)
    parser.add_argument("--budget", type=float, default=300)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    sets: dict[str, Callable[[], Arrays]] = {
        "digits (scikit-learn, 8x8)": digits,
        **{name: partial(series, given.wheel, name) for name in SERIES},
        "spoken digits, new speakers": lambda: recordings(given.fsdd, 0),
        "speakers of spoken digits": lambda: recordings(given.fsdd, 1),
        "customer reviews": lambda: text(given.reviews),
    }  # fmt: skip
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for name, load in sets.items():
        known: Any = load()
        rows = []
        for seed in range(given.seeds):
            found = fit(known.x, known.y, axes=known.axes, groups=known.groups, budget=given.budget, seed=seed)
            rows.append([*(each.right.mean for each in found.candidates), found.best.right.mean])
            does = "; ".join(f"{each.axis} {each.along.slides or 'spans'}/{each.along.pools}" for each in found.measured)
            print(f"{name}, {seed}: {does}", file=sys.stderr)
        means = np.mean(rows, 0)
        more = np.array(rows)[:, 0] - np.array(rows)[:, 1 + int(means[2] > means[1])]
        shape = "x".join(map(str, known.x.shape))
        print(
            f"| {name} | {shape} | {does} | {' | '.join(f'{each:.1%}' for each in means)} |",
            f"{more.mean():+.1%} ± {more.std(ddof=1) / len(more) ** 0.5:.1%} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
