"""`fit` on eight real sets that are none of the lecture's: does the network it recommends keep up with the usual ones?

python benchmarks/fit_sets.py sktime-1.2.0-py3-none-any.whl fsdd/ custrev.csv --out fit_sets.jsonl

The wheel (`pip download --no-deps sktime`) is read as a file: ItalyPowerDemand, JapaneseVowels, OSULeaf and GunPoint, of the
UCR and UEA archives (their published test parts are put together with the training parts, and parted anew). scikit-learn's
digits, 8x8, are the UCI's. fsdd/ are the recordings of free-spoken-digit-dataset: told are the digit, by speakers that
weren't heard (new speakers), and the speaker. custrev.csv: the customer reviews of Hu and Liu 2004, columns text and label.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import zipfile
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
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
_LEARNT, _TESTED = 0.6, 0.2  # of a set
SETS = "digits", *SERIES, "new speakers", "speakers", "reviews"
HEADS = (
    "set", "samples", "splits", "slides/pools", "recommended", "usual 3x3, 2x2", "fully connected", "returned",
    "more than the better",
)  # fmt: skip


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
    """Learn each set with each seed, which parts it otherwise, unless the file has it; then print a table, a line a set: how
    many are told right, means over seeds, and how much the recommended network has more than the better of the usual one and
    the fully connected one, with its standard error (of splits that overlap: Nadeau, Bengio 2003, equation 9).
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("fsdd", type=Path)
    parser.add_argument("reviews", type=Path)
    parser.add_argument("--names", default=",".join(SETS))
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--budget", type=float, default=600)
    parser.add_argument("--out", type=Path, default=Path("fit_sets.jsonl"))
    given = parser.parse_args()
    load: dict[str, Callable[[], Arrays]] = {
        "digits": digits,
        **{name: partial(series, given.wheel, name) for name in SERIES},
        "new speakers": lambda: recordings(given.fsdd, 0),
        "speakers": lambda: recordings(given.fsdd, 1),
        "reviews": lambda: text(given.reviews),
    }  # fmt: skip
    done = [json.loads(line) for line in given.out.read_text().splitlines()] if given.out.exists() else []
    for seed, name in product(map(int, given.seeds.split(",")), given.names.split(",")):
        if any((each["set"], each["seed"], each["budget"]) == (name, seed, given.budget) for each in done):
            continue
        known = load[name]()
        found = fit(known.x, known.y, axes=known.axes, groups=known.groups, budget=given.budget, seed=seed)
        does = "; ".join(f"{each.axis} {each.along.slides or 'spans'}/{each.along.pools}" for each in found.measured)
        right = [*(each.right.mean for each in found.candidates), found.best.right.mean]
        size = "x".join(map(str, known.x.shape))
        took = round(found.seconds)
        done.append(
            {"set": name, "seed": seed, "budget": given.budget, "size": size, "does": does, "right": right, "seconds": took}
        )
        with given.out.open("a") as file:
            file.write(json.dumps(done[-1]) + "\n")
        print(done[-1], file=sys.stderr, flush=True)
    _show([each for each in done if each["budget"] == given.budget])


def _show(done: Sequence[dict[str, Any]]) -> None:
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for name in SETS:
        if not (rows := [each for each in done if each["set"] == name]):
            continue
        right = np.array([each["right"] for each in rows])
        means = right.mean(0)
        more = right[:, 0] - right[:, 1 + int(means[2] > means[1])]
        error = f" ± {more.std(ddof=1) * (1 / len(more) + _TESTED / _LEARNT) ** 0.5:.1%}" if len(more) > 1 else ""
        found = ", ".join(dict.fromkeys(each["does"] for each in rows))
        print(f"| {name} | {rows[0]['size']} | {len(rows)} | {found} | {' | '.join(f'{each:.1%}' for each in means)} |", end="")
        print(f" {more.mean():+.1%}{error} |")


if __name__ == "__main__":
    main()
