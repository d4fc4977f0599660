"""Class pictures of EfficientNet-Lite0, judged by EfficientNet-Lite2, which never saw the optimisation.

Forty classes, every 25th. Sides: convsight as `convsight see` does it by default, the same with MaCo's phases, and lucent
with its own defaults at 224 pixels. For each: seconds for four pictures, how often the judge puts the class first and among
its first five, how many pixels are clipped (under 0.01 or over 0.99), and the slope of the radial power spectrum in log-log,
beside that of photographs that scikit-image and scikit-learn carry.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor, nn

from convsight import Network, load, logit, maco, visualize
from convsight.image.resize import resized
from convsight.pictures import grid, read_colours, write_png
from convsight.transforms import photographic

CLASSES = range(0, 1000, 25)
PHOTOGRAPHS = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "china.jpg", "flower.jpg")


def convsight_fourier(network: Network, classes: list[int]) -> Tensor:
    """What `convsight see efficientnet_lite0 output --class ...` makes: (4, 3, 224, 224)."""
    return visualize(network, logit(classes), transforms=photographic()).input


def convsight_maco(network: Network, classes: list[int]) -> Tensor:
    """The same with `--parametrization maco`."""
    start = maco(network.input.shape, len(classes))
    return visualize(network, logit(classes), start, transforms=photographic()).input


def lucent(network: Network, classes: list[int]) -> Tensor:
    """`render_vis` with its defaults (512 steps, its transforms), one class at a time."""
    from lucent.optvis import objectives, param, render

    class Normalised(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = network.module

        def forward(self, picture: Tensor) -> Tensor:
            logits: Tensor = self.network(network.input.normalise(picture))
            return logits

    module = Normalised().eval()
    made = []
    for each in classes:
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002 (what lucent draws from)
        pictures = render.render_vis(
            module, objectives.channel("network_classifier", each), lambda: param.image(224), preprocess=False,
            progress=False, show_image=False, verbose=False,
        )  # fmt: skip
        made.append(torch.from_numpy(pictures[-1]).permute(0, 3, 1, 2).float())
    return torch.cat(made)


def slope(picture: Tensor) -> float:
    """The slope of log power against log frequency, radially averaged, of the grey picture (3, H, W) under a Hann window."""
    grey = picture.double().mean(0)
    height, width = grey.shape
    window = torch.hann_window(height, dtype=torch.float64)[:, None] * torch.hann_window(width, dtype=torch.float64)
    power = torch.fft.fft2((grey - grey.mean()) * window).abs().square()
    rows, columns = (torch.fft.fftfreq(each, dtype=torch.float64) for each in (height, width))
    frequency = torch.sqrt(rows[:, None] ** 2 + columns**2)
    edges = torch.logspace(np.log10(4 / min(height, width)), np.log10(0.45), 25, dtype=torch.float64)
    points = []
    for low, high in pairwise(edges):
        ring = (frequency >= low) & (frequency < high)
        if ring.any():
            points.append((float((low * high).sqrt().log()), float(power[ring].mean().log())))
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[0])


def photograph_slopes() -> list[float]:
    """Of each photograph, its middle square at 224 pixels."""
    import skimage
    import sklearn.datasets

    folders = [Path(skimage.__file__).parent / "data", Path(sklearn.datasets.__file__).parent / "images"]
    found = [folder / name for name in PHOTOGRAPHS for folder in folders if (folder / name).exists()]
    slopes = []
    for path in found:
        picture = read_colours(path)
        side = min(picture.shape[-2:])
        top, left = ((each - side) // 2 for each in picture.shape[-2:])
        square = picture[..., top : top + side, left : left + side]
        slopes.append(slope(resized(square, 224, 224)[0]))
    return slopes


def report(side: str, make: Callable[[Network, list[int]], Tensor], classes: list[int], folder: Path) -> str:
    """The table's line for `side`; its pictures go into `folder`."""
    network, judge = load("efficientnet_lite0"), load("efficientnet_lite2")
    seconds, made = [], []
    for start in range(0, len(classes), 4):
        started = perf_counter()
        made.append(make(network, classes[start : start + 4]))
        seconds.append(perf_counter() - started)
    pictures = torch.cat(made)
    with torch.no_grad():
        answers = judge(resized(pictures, 260, 260))
    wanted = torch.tensor(classes)
    first = int((answers.argmax(1) == wanted).sum())
    five = int((answers.topk(5).indices == wanted[:, None]).any(1).sum())
    clipped = float(((pictures < 0.01) | (pictures > 0.99)).float().mean())
    slopes = sorted(slope(each) for each in pictures)
    write_png(grid(pictures, columns=8, enlarge=1), folder / f"classes-{side.replace(' ', '-').replace(',', '')}.png")
    line = (
        f"| {side} | {max(seconds):.0f} | {first} of {len(classes)} | {five} of {len(classes)} | {clipped:.1%} | "
        f"{slopes[0]:.2f} to {slopes[-1]:.2f} |"
    )
    print(line, flush=True)
    return line


def main() -> None:
    """Run the comparison and write it as a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("classes.md"))
    parser.add_argument("--classes", type=int, default=len(CLASSES), help="how many")
    parser.add_argument("--side", action="append")
    options = parser.parse_args()
    sides = {
        "convsight": convsight_fourier,
        "convsight, maco": convsight_maco,
        "lucent 0.1.8": lucent,
    }
    slopes = sorted(photograph_slopes())
    lines = [
        f"EfficientNet-Lite0's class pictures, judged by EfficientNet-Lite2; {torch.get_num_threads()} threads, torch "
        f"{torch.__version__}. Slopes of {len(slopes)} photographs: {slopes[0]:.2f} to {slopes[-1]:.2f}.",
        "",
        "| side | seconds for 4, at most | judge's first | among its five | clipped | slopes |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for side in options.side or sides:
        lines.append(report(side, sides[side], list(CLASSES)[: options.classes], options.out.parent))
    options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
