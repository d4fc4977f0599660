"""Deep Dream beside a plain loop: steps a second and peak memory.

Same network (EfficientNet-Lite0), photograph, objective and step, no octaves: the plain side runs the whole network in
float32 on the whole picture, gradients of weights included, as the published notebooks do; convsight stops behind the
layer, computes in bfloat16 where that is fastest, and works in tiles. Both sides run in turn, round after round, in one
process.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

import torch
from measure import growth_megabytes, in_a_process_of_its_own, ratio, timed
from torch import Tensor

from convsight import Network, load
from convsight import dream as exaggerated
from convsight.image.data import photograph
from convsight.image.dream import dream
from convsight.image.resize import longest

SIDES = ("plain float32", "convsight")
LAYER = "blocks.8"


def plain(network: Network, picture: Tensor, steps: int) -> Tensor:
    """Normalised ascent through a hook and the whole network."""
    kept: dict[str, Tensor] = {}
    layer = network.module.get_submodule(LAYER)
    handle = layer.register_forward_hook(lambda _module, _given, made: kept.update(made=made))
    picture = picture.clone()
    for _ in range(steps):
        shown = picture.requires_grad_()
        network(shown)
        kept["made"].square().sum().mul(0.5).backward()  # type: ignore[no-untyped-call]
        gradient = shown.grad
        assert gradient is not None
        picture = (shown.detach() + 0.014 * gradient / gradient.square().mean().sqrt()).clamp(0, 1)
    handle.remove()
    return picture


def ours(network: Network, picture: Tensor, steps: int) -> Tensor:
    """One octave as `convsight dream` climbs it."""
    return dream(network, picture, exaggerated(LAYER), octaves=1, steps=steps).input


def main() -> None:
    """Run the comparison and write it as a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1500, help="longer side of the photograph")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=4, help="steps a turn")
    parser.add_argument("--out", type=Path, default=Path("dream.md"))
    parser.add_argument("--only", choices=SIDES, help="run one side; print by how many MB it grows")
    options = parser.parse_args()
    network = load("efficientnet_lite0")
    picture = longest(photograph("china"), options.size)
    runs = {SIDES[0]: plain, SIDES[1]: ours}
    if options.only:
        print(growth_megabytes(lambda: runs[options.only](network, picture, options.steps)))
        return
    taken: dict[str, list[float]] = {side: [] for side in SIDES}
    for side in SIDES:
        runs[side](network, picture, 1)
    for _ in range(options.rounds):
        for side in SIDES:
            taken[side].append(timed(lambda side=side: runs[side](network, picture, options.steps)) / options.steps)  # type: ignore[misc]
    lines = [
        f"EfficientNet-Lite0, {LAYER}, a photograph of {picture.shape[-1]}x{picture.shape[-2]}; {torch.get_num_threads()} "
        f"threads, torch {torch.__version__}. Memory: the peak beyond the network itself.",
        "",
        "| side | steps a second | ratio | peak MB |",
        "|---|---|---|---|",
    ]
    for side in SIDES:
        grown = in_a_process_of_its_own(__file__, side, "--size", str(options.size))
        lines.append(f"| {side} | {1 / median(taken[side]):.2f} | {ratio(taken[SIDES[0]], taken[side]):.1f}x | {grown:,.0f} |")
    print("\n".join(lines))
    options.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
