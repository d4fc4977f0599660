"""What is made for a unit beside the best of 5,000 patches of photographs: which excites it more?

Every eighth of the 512 channels of VGG16's conv4_3, at 128x128 pixels, by the sum of its map, which is what the ascent
maximises. The patches are squares of a quarter to all of the shorter side of the photographs, colour and grey, that
scikit-image and scikit-learn carry (and of more files, if they are given), resized to 128 pixels.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import skimage
import sklearn
import torch
from torch import Generator, Tensor

from convsight import InputError, Network, channel, evaluate, load, photographic, visualize
from convsight.activations import read
from convsight.image.resize import resized
from convsight.pictures import picture_files, read_picture, to_tensor

LAYER, SIZE, AT_A_TIME = "conv4_3", 128, 8


def photographs(more: Sequence[Path]) -> list[Tensor]:
    """All of 128 pixels a side at least, (1, 3, H, W) in [0, 1]."""
    folders = [Path(skimage.__path__[0]) / "data", Path(sklearn.__path__[0]) / "datasets" / "images"]
    found = []
    for path in picture_files([*folders, *more]):
        try:
            picture = to_tensor(read_picture(path).convert("RGB"))
        except InputError:
            continue
        if min(picture.shape[-2:]) >= SIZE:
            found.append(picture)
    return found


def best_of_patches(network: Network, pictures: Sequence[Tensor], count: int, seed: int) -> Tensor:
    """The highest sum of each channel's map on any of `count` patches: (C,)."""
    generator = Generator().manual_seed(seed)
    best = torch.full((512,), -torch.inf)
    with torch.no_grad(), read(network.module, [LAYER]) as activations_of:
        for _ in range(count):
            picture = pictures[int(torch.randint(len(pictures), (1,), generator=generator))]
            height, width = picture.shape[-2:]
            side = int(min(height, width) * (0.25 + 0.75 * torch.rand(1, generator=generator).item()))
            top = int(torch.randint(height - side + 1, (1,), generator=generator))
            left = int(torch.randint(width - side + 1, (1,), generator=generator))
            patch = resized(picture[..., top : top + side, left : left + side], SIZE, SIZE).clamp(0, 1)
            best = torch.maximum(best, activations_of(network.input.normalise(patch))[LAYER].float().sum((2, 3))[0])
    return best


def main() -> None:
    """Make the pictures and say which patches were not beaten."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", nargs="*", type=Path, help="more photographs, or folders of them")
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--patches", type=int, default=5000)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    network = load("vgg16").at(SIZE)
    pictures = photographs(options.pictures)
    started = perf_counter()
    best = best_of_patches(network, pictures, options.patches, options.seed)
    print(f"{options.patches} patches of {len(pictures)} photographs in {perf_counter() - started:.0f} s", flush=True)
    units = [each * 512 // options.channels for each in range(options.channels)]
    beaten, missed = 0, []
    for start in range(0, len(units), AT_A_TIME):
        some = units[start : start + AT_A_TIME]
        made = visualize(network, channel(LAYER, some), steps=options.steps, transforms=photographic(), seed=options.seed)
        scores = evaluate(network, channel(LAYER, some), made.input, precision=torch.float32)
        for unit, score in zip(some, scores.tolist(), strict=True):
            beaten += score > best[unit].item()
            if score <= best[unit].item():
                missed.append(f"{unit} ({score:,.0f}, a patch {best[unit].item():,.0f})")
        print(f"{beaten} of {start + len(some)} beat every patch; not: {', '.join(missed) or 'none'}", flush=True)


if __name__ == "__main__":
    main()
