"""Deep Style beside a plain float32 implementation: seconds to the same loss, and peak memory.

Same network (VGG16 with average pooling), same pictures, same losses: what `convsight style` minimises at the final size.
The plain side is what pystiche's documentation describes: full float32, at the final size from the start, torch's L-BFGS
with a rate of 1, from the photograph. (pystiche 1.0.1 itself needs a torchvision that still has `model_urls`; beside this
torch it cannot be imported.) The loss that the plain side has to reach is the one that convsight computes of its picture at
the end, in bfloat16 where that is fastest; a third side shows where it ends after as many steps in float32.

The sides run in turn, round after round, in one process. convsight runs once, as it is; the plain side runs until it has
reached the loss that convsight ended with, or for at most five times as long.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from measure import growth_megabytes, in_a_process_of_its_own, ratio
from torch import Tensor
from torch.optim import LBFGS

from convsight import Network, Visualization
from convsight.activations import INPUT, read
from convsight.image import data
from convsight.image.pretrained import vgg16
from convsight.image.resize import longest
from convsight.image.style import Painting, likeness, transfer, with_margin
from convsight.objectives import Objective
from convsight.pictures import write_png

SIDES = ("plain float32", "convsight", "convsight in float32")


def losses(network: Network, photograph: Tensor, painting: Tensor) -> Objective:
    """What `transfer` climbs by default at the photograph's size, with targets in float32."""
    size, canvas = max(photograph.shape[-2:]), with_margin(photograph)
    return likeness(network, canvas, [Painting(painting)], style_weight=1.0, painting_size=size, precision=torch.float32)


def ours(
    network: Network, photograph: Tensor, painting: Tensor, precision: torch.dtype | None = None
) -> tuple[Visualization, float]:
    """What `convsight style` makes, and the seconds it takes."""
    started = perf_counter()
    made = transfer(network, photograph, [Painting(painting)], precision=precision)
    return made, perf_counter() - started


def plain(
    network: Network, photograph: Tensor, goal: Objective, *, until: float, at_most: float, steps: int = 100_000
) -> tuple[Tensor, float, float]:
    """The picture, its loss, and the seconds that it took to fall to `until`, or `at_most`."""
    picture = with_margin(photograph).requires_grad_()
    climb = LBFGS([picture], lr=1.0, max_iter=1)
    loss = torch.tensor(0.0)
    started = perf_counter()
    with read(network.module, [each for each in goal.layers if each != INPUT]) as activations_of:

        def closure() -> Tensor:
            nonlocal loss
            climb.zero_grad()
            loss = -goal(activations_of(network.input.normalise(picture)) | {INPUT: picture}).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        for _ in range(steps):
            climb.step(closure)  # type: ignore[no-untyped-call]
            if loss.item() <= until or perf_counter() - started > at_most:
                break
    return picture.detach(), loss.item(), perf_counter() - started


def main() -> None:
    """Run the comparison and write it as a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photograph", nargs="?", default="china", help="a file, or china")
    parser.add_argument("painting", nargs="?", default="flower", help="a file, or flower")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("style.md"))
    parser.add_argument("--only", choices=SIDES, help="run one side for a few steps; print by how many MB it grows")
    options = parser.parse_args()
    network = vgg16(pooling="average")
    photograph, painting = longest(data.photograph(options.photograph), options.size), data.photograph(options.painting)
    goal = losses(network, photograph, painting)
    if options.only == SIDES[0]:
        print(growth_megabytes(lambda: plain(network, photograph, goal, until=0.0, at_most=1e9, steps=25)))
        return
    if options.only:
        precision = torch.float32 if options.only == SIDES[2] else None
        print(
            growth_megabytes(lambda: transfer(network, photograph, [Painting(painting)], steps=(25, 25), precision=precision))
        )
        return
    taken: dict[str, list[float]] = {side: [] for side in SIDES}
    reached: dict[str, float] = {}
    for _ in range(options.rounds):
        made, seconds = ours(network, photograph, painting)
        reached[SIDES[1]] = -made.score.item()
        taken[SIDES[1]].append(seconds)
        _, reached[SIDES[0]], seconds = plain(network, photograph, goal, until=reached[SIDES[1]], at_most=5 * seconds)
        taken[SIDES[0]].append(seconds)
        slower, seconds = ours(network, photograph, painting, torch.float32)
        reached[SIDES[2]] = -slower.score.item()
        taken[SIDES[2]].append(seconds)
        print(taken, reached, flush=True)
    write_png(made.input[0], options.out.with_suffix(".png"))
    lines = [
        f"VGG16 with average pooling, {photograph.shape[-1]}x{photograph.shape[-2]}; {torch.get_num_threads()} threads, torch "
        f"{torch.__version__}. The plain side stops at the loss that convsight ends with, or after "
        "five times as long; peak memory beyond the network.",
        "",
        "| side | seconds | ratio | loss | peak MB |",
        "|---|---|---|---|---|",
    ]
    for side in SIDES:
        faster = ratio(taken[SIDES[0]], taken[side])
        files = (options.photograph, options.painting, "--size", str(options.size))
        grown = in_a_process_of_its_own(__file__, side, *files)
        lines.append(f"| {side} | {median(taken[side]):.0f} | {faster:.1f}x | {reached[side]:.3f} | {grown:,.0f} |")
    print("\n".join(lines))
    options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
