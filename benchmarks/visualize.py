"""convsight beside lucent 0.1.8 and torch-dreams 4.0.0 on VGG16 with random weights, 224x224: a channel of conv3_3,
and a class logit.

Every side runs in turn, round after round, in one process; a ratio is that of neighbours in time, and the median of the
rounds' ratios is reported. All start from the same kind of picture (a spectrum with decorrelated colours, Adam or AdamW
at 0.05, no transforms). What was reached in equal seconds is judged by one measure: the network itself, in float32.
"""

from __future__ import annotations

import argparse
import platform
from pathlib import Path
from statistics import median

import torch
import torchvision
from lucent.optvis import objectives as lucent_objectives
from lucent.optvis import param as lucent_param
from lucent.optvis import render as lucent_render
from measure import growth_megabytes, in_a_process_of_its_own, ratio, timed
from torch import Tensor, nn
from torch_dreams import AutoImageParam, Dreamer

from convsight import InputSpec, Network, Objective, channel, evaluate, fourier, logit, visualize
from convsight.optimizers import constant
from convsight.precision import fastest

UNIT = 17
LAYERS = {"conv3_3": ("features.14", "features_14"), "logit": ("output", "classifier_6")}
IMAGENET = InputSpec((3, 224, 224), mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
SIDES = ("lucent 0.1.8", "torch-dreams 4.0.0", "convsight", "convsight, float32")


def vgg16() -> Network:
    """VGG16 with random weights, the same in every process."""
    torch.manual_seed(0)
    return Network(torchvision.models.vgg16(weights=None).eval(), IMAGENET, name="vgg16")


def measure(task: str) -> Objective:
    """What both sides maximise: the mean of the channel's map, or the logit."""
    return logit([UNIT]) if task == "logit" else channel(LAYERS[task][0], [UNIT], over="mean")


def climb(side: str, network: Network, task: str, steps: int) -> Tensor:
    """The picture (1, 3, 224, 224) that `side` finds in `steps` steps."""
    torch.manual_seed(0)
    if side == SIDES[0]:
        found = lucent_render.render_vis(
            network.module,
            lucent_objectives.channel(LAYERS[task][1], UNIT),
            lambda: lucent_param.image(224, fft=True, decorrelate=True),
            transforms=[], thresholds=(steps - 1,), progress=False, show_image=False, verbose=False,
        )  # fmt: skip
        return torch.from_numpy(found[-1]).permute(0, 3, 1, 2).float()
    if side == SIDES[1]:
        dreamer = Dreamer(network.module, device="cpu")
        dreamer.set_custom_transforms(nn.Sequential())
        layer = network.module.get_submodule(LAYERS[task][0].replace("output", "classifier.6"))
        found = dreamer.render(
            [layer], AutoImageParam(224, 224, device="cpu", standard_deviation=0.01), iters=steps, lr=0.05,
            custom_func=lambda outputs: -outputs[0][0, UNIT].mean(),
        )  # fmt: skip
        picture: Tensor = found.to_chw_tensor()[None].float()
        return picture
    precision = torch.float32 if side == SIDES[3] else None
    start = fourier((3, 224, 224), decay=1.0, seed=0)
    return visualize(network, measure(task), start, steps=steps, schedule=constant, precision=precision).input


def compare(task: str, rounds: int, steps: int, seconds: float) -> list[str]:
    """The table's lines for `task`."""
    network = vgg16()
    taken: dict[str, list[float]] = {side: [] for side in SIDES}
    for side in SIDES:
        climb(side, network, task, 3)
    for _ in range(rounds):
        for side in SIDES:
            taken[side].append(timed(lambda side=side: climb(side, network, task, steps)) / steps)  # type: ignore[misc]
    lines = []
    for side in SIDES:
        per_step = median(taken[side])
        reached = evaluate(network, measure(task), climb(side, network, task, max(2, round(seconds / per_step)))).item()
        faster = ratio(taken[SIDES[0]], taken[side])
        grown = in_a_process_of_its_own(__file__, side, task)
        lines.append(f"| {task} | {side} | {1 / per_step:.2f} | {faster:.1f}x | {reached:.4g} | {grown:,.0f} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Run the comparison and write it as a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results.md"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=40, help="steps a turn")
    parser.add_argument("--seconds", type=float, default=15.0, help="time for the objective that is reached")
    parser.add_argument("--only", nargs=2, metavar=("SIDE", "TASK"), help="run one side; print by how many MB it grows")
    options = parser.parse_args()
    if options.only:
        side, task = options.only
        network = vgg16()
        print(growth_megabytes(lambda: climb(side, network, task, 5)))
        return
    native = str(fastest("cpu")).removeprefix("torch.")
    amx = "with" if torch.cpu._is_amx_tile_supported() else "without"
    lines = [
        f"VGG16, random weights, 224x224, one picture; {torch.get_num_threads()} threads, {platform.machine()} {amx} AMX, "
        f"torch {torch.__version__}. convsight computes in {native} here. The objective is what both maximise, after "
        f"{options.seconds:g} s. Memory: the peak beyond the network itself.",
        "",
        "| task | side | steps a second | ratio to lucent | objective | peak MB |",
        "|---|---|---|---|---|---|",
    ]
    for task in LAYERS:
        lines += compare(task, options.rounds, options.steps, options.seconds)
    options.out.write_text("\n".join(lines) + "\n")
    print(f"the table: {options.out}")


if __name__ == "__main__":
    main()
