"""What the lecture's digit network sees, rows L1 to L5."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

import torch
from torch import Generator, Tensor

from convsight.activations import read
from convsight.image import show
from convsight.image.data import load_digits
from convsight.image.judge import Verdict, judge
from convsight.network import Network, load
from convsight.objectives import Objective, channel, l1, logit, neuron, total_variation
from convsight.parametrization import pixels, principal
from convsight.pictures import grid, png
from convsight.tour.measures import one_direction, plane_share, rise_kept
from convsight.tour.page import Answer, Picture, Section
from convsight.transforms import Transform, jitter, rotate, scale
from convsight.visualization import Visualization
from convsight.visualize import evaluate, visualize

NETWORKS = ("digits",)
SEEDS = range(5)
DIGITS = range(10)
STEPS = 256
VIEWS = (rotate(12), scale((0.9, 1.0, 1.1)), jitter(2))
BARE = logit(DIGITS)
WITH_L1 = BARE - 0.02 * l1()
SMOOTH = WITH_L1 - 0.02 * total_variation()
SURE = 10  # of 50 pictures: twice the standard error of a difference between two counts of them


def first_filters(_seed: int, _device: str) -> Section:
    """The weights of the first layer, and how many of them are edges."""
    network = load("digits")
    _, filters = show.filters(network)
    edges, chance = plane_share(filters), plane_share(torch.randn(10_000, 1, 3, 3, generator=Generator().manual_seed(0)))
    count, most = len(filters), int((edges > 0.5).sum())
    figure = (
        f"All {count} can be shown, and but for a bias each picture is all there is to know of its filter. What it detects is "
        f"less plain: in {most} of them a gradient from light to dark is more than half of what the weights differ by, the "
        f"others look like nothing that has a name (of {count} filters of random numbers "
        f"{(chance > 0.5).float().mean() * count:.0f} would be edges)."
    )
    return Section(
        title=f"{count} filters that look at pixels",
        asked="The weights of the network's first layer, as they are.",
        picture=Picture(
            png(show.sheet(filters)),
            f"{count} filters of 3 by 3 weights in grey",
            "convsight filters digits",
            "from convsight.image import show; name, pictures = show.filters(net)",
        ),
        finding="All on one scale: white for a weight that wants light, black for one that wants dark, grey for zero.",
        answer=Answer("yes" if most > count / 2 else "in part", figure),
        introduction="The network of the lecture: 25 filters of 3x3, max pooling, 50 filters of 3x3, max pooling, a fully "
        f"connected layer of 128 neurons, ten outputs. Trained on MNIST: {network.card['figure']}. From here on its weights "
        "are fixed, and the input is the parameter: gradient ascent looks for the picture that excites one part of it most.",
    )


def second_filters(seed: int, device: str) -> Section:
    """What excites each filter of the second layer, and whether any real digit does as much."""
    network, made = load("digits").to(device), _textures(seed, device)
    samples = load_digits(None, "train")
    best_real = _degrees(network, samples.pictures()).amax(0)
    better = int((made.score > best_real).sum())
    lines = int((one_direction(made.input) > 0.75).sum())
    (seen,) = (each.receptive_field for each in network.layers() if each.name == "conv2")
    assert seen is not None
    answer = Answer(
        "yes" if better == 50 and lines >= 40 else "in part",
        f"Each sees {seen[0]}x{seen[1]} pixels. {better} of the 50 pictures excite their filter more than any of "
        f"{len(samples.labels):,} real digits does. In {lines} of the 50, three quarters of the change from pixel to pixel "
        "and more runs in one direction: these are the lines. The others are textures of several directions.",
    )
    return Section(
        title="50 filters behind them",
        asked="Gradient ascent on the pictures of all fifty at once, from noise.",
        picture=Picture(
            png(grid(made.input, columns=10)),
            "50 textures, many of them stripes of one direction",
            f"convsight see digits conv2{_flag(seed)}",
            f'visualize(net, channel("conv2", range(50)){_argument(seed)})',
        ),
        finding=f"The degree of activation is {made.score.median():.0f} in the median, that of the best real digit "
        f"{best_real.median():.0f} (sums before the ReLU, so they may be negative).",
        answer=answer,
    )


def neurons(seed: int, device: str) -> Section:
    """What excites nine neurons, and what is left of that when the picture is moved."""
    network, textures = load("digits").to(device), _textures(seed, device)
    goal = neuron("fc1", range(9))
    made = visualize(network, goal, steps=STEPS, seed=seed)
    half = network.input.shape[-1] // 2
    figures, repeated = (
        float(rise_kept(partial(evaluate, network, each), picture, half).median())
        for each, picture in ((goal, made.input), (channel("conv2", range(50)), textures.input))
    )
    return Section(
        title="Nine fully connected neurons",
        asked="Gradient ascent on a picture for each of the first nine neurons.",
        picture=Picture(
            png(grid(made.input)),
            "Nine pictures, each one arrangement of strokes that fills the frame",
            f"convsight see digits fc1 --unit 0-8{_flag(seed)}",
            f'visualize(net, neuron("fc1", range(9)){_argument(seed)})',
        ),
        finding="Each picture is one arrangement of strokes, with its parts at fixed places. It is no digit, nor a thing "
        "that has a name.",
        answer=Answer(
            "yes" if figures < repeated else "no",
            "A texture may be moved, a figure may not. Moved by half its width, around the edge, a texture of the second layer "
            f"keeps {max(repeated, 0):.0%} of the excitement that it brings over a black picture, a neuron's picture "
            f"{max(figures, 0):.0%} (medians).",
        ),
    )


def bare(seed: int, device: str) -> Section:
    """The ten classes with nothing held against the picture."""
    runs = _bare(seed, device)
    own, both = _own(runs, device), counts([judge(run.input) for run in runs])[2]
    every = len(SEEDS) * len(DIGITS)
    answer = Answer(
        "yes" if both < every / 10 else "in part" if both < every / 2 else "no",
        f"The network names {own} of {every} such pictures (five seeds) as it should, two judges that it never met, "
        f"nearest neighbours among real digits and another network, both name {both}. So most look like no digit; but not "
        "quite like noise, of which two judges who guess would both name one in a hundred.",
    )
    return _classes(
        runs, device, "Ten outputs, bare",
        asked="Gradient ascent on the pixels, for each output.",
        command=f"convsight see digits output{_flag(seed)}",
        python=f"visualize(net, logit(range(10)){_argument(seed)})",
        comment="Nothing holds the pictures back.",
        answer=answer,
    )  # fmt: skip


def with_l1(seed: int, device: str) -> Section:
    """The ten classes with L1, beside the bare ones."""
    runs = _runs(WITH_L1, seed, device)
    bare_runs = _bare(seed, device)
    before, after = (counts([judge(run.input) for run in each])[2] for each in (bare_runs, runs))
    ink = sum(float(run.input.abs().sum()) for run in runs) / sum(float(run.input.abs().sum()) for run in bare_runs)
    every = len(SEEDS) * len(DIGITS)
    told = "better" if after >= before + SURE else "worse" if after <= before - SURE else "neither better nor worse"
    answer = Answer(
        "yes" if told == "better" else "no",
        f"Bare, both judges name {before} of {every}, with L1 {after}: by their count {told} (a difference under {SURE} may be "
        f"chance). The lecture writes no weight; ours is 0.02, and with 0.1 it was 23. There is less ink, {ink:.0%} as much, "
        "which may be what looks better to people. What does help are the two priors below.",
    )
    return _classes(
        runs, device, "Ten outputs, with L1",
        asked="The same, less 0.02 times the sum of |x_ij|.",
        command=f"convsight see digits output --penalty l1=0.02{_flag(seed)}",
        python=f"visualize(net, logit(range(10)) - 0.02 * l1(){_argument(seed)})",
        comment="There is less ink. Compare what the judges say with what they said above.",
        answer=answer,
    )  # fmt: skip


def from_many_views(seed: int, device: str) -> Section:
    """The ten classes, seen turned, scaled and moved."""
    flags, arguments = _views(seed)
    return _classes(
        _runs(SMOOTH, seed, device, VIEWS), device, "Ten outputs, from many views",
        asked="Beyond the lecture: a digit is still that digit when it is turned, scaled or moved a little.",
        command=f"convsight see digits output {flags}",
        python=f"visualize(net, logit(range(10)) - 0.02 * l1() - 0.02 * total_variation(), {arguments}",
        comment="At each step the network is shown another view of the picture, so only what works from all of them stays.",
    )  # fmt: skip


def held_to_digits(seed: int, device: str) -> Section:
    """The ten classes, made of the principal components of real digits."""
    flags, arguments = _views(seed)
    return _classes(
        _runs(SMOOTH, seed, device, VIEWS, like=True), device, "Ten outputs, held to what digits have in common",
        asked="Beyond the lecture: the picture may only be the mean of real digits plus some of their 40 principal components.",
        command=f"convsight see digits output --like digits {flags}",
        python='from convsight.image.data import load_digits; digits = load_digits(None, "train").pictures(); '
        f"visualize(net, logit(range(10)) - 0.02 * l1() - 0.02 * total_variation(), principal(digits, 10, seed={seed}), "
        f"{arguments}",
        comment="This prior knows how ink lies on such pictures, from 4,000 digits without their labels (the first judge "
        "seeks its neighbours among these, too); which digit is which, only the network says.",
    )  # fmt: skip


@cache
def _textures(seed: int, device: str) -> Visualization:
    return visualize(load("digits").to(device), channel("conv2", range(50)), steps=STEPS, seed=seed)


@cache
def _bare(seed: int, device: str) -> list[Visualization]:
    return _runs(BARE, seed, device)


def _runs(
    objective: Objective, seed: int, device: str, views: Sequence[Transform] = (), *, like: bool = False
) -> list[Visualization]:
    network = load("digits").to(device)
    digits = load_digits(None, "train").pictures() if like else None
    runs = []
    for more in range(seed, seed + len(SEEDS)):
        stored = pixels(network.input.shape, 10, seed=more) if digits is None else principal(digits, 10, seed=more)
        runs.append(visualize(network, objective, stored, steps=STEPS, transforms=views, seed=more))
    return runs


def _own(runs: Sequence[Visualization], device: str) -> int:
    """How many of the pictures the network itself names as it should."""
    network = load("digits").to(device)
    network.module.eval()
    with torch.no_grad():
        return sum(int((network(run.input.to(device)).argmax(1).cpu() == torch.arange(10)).sum()) for run in runs)


def _classes(
    runs: Sequence[Visualization], device: str, title: str, *, asked: str, command: str, python: str, comment: str,
    answer: Answer | None = None,
) -> Section:  # fmt: skip
    verdicts = [judge(run.input) for run in runs]
    by_pixels, by_network, by_both = counts(verdicts)
    every = len(SEEDS) * len(DIGITS)
    finding = (
        f"{comment} The network itself names {_own(runs, device)} of {every} (ten digits from each of {len(SEEDS)} seeds). "
        f"Two judges that it never met: nearest neighbours among real digits name {by_pixels} of {every}, "
        f"another network {by_network}, both at once {by_both}. Below, what they call the ten pictures above."
    )
    table = (
        ("picture of", *map(str, DIGITS)),
        ("nearest neighbours", *(str(each.neighbours) for each in verdicts[0])),
        ("another network", *(str(each.network) for each in verdicts[0])),
    )
    picture = Picture(png(grid(runs[0].input)), f"Ten pictures, for the digits 0 to 9: {title}", command, python)
    return Section(title, asked, picture, finding, table, answer=answer)


def counts(verdicts: Sequence[Sequence[Verdict]]) -> tuple[int, int, int]:
    """How many pictures of the digits 0 to 9 are named right by the first judge, by the second, and by both."""
    pairs = [(each.neighbours == digit, each.network == digit) for run in verdicts for digit, each in enumerate(run)]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs), sum(all(pair) for pair in pairs)


def _degrees(network: Network, pictures: Tensor) -> Tensor:
    """The degree of activation of every second-layer filter on every picture: (B, 50)."""
    with torch.no_grad(), read(network.module, ["conv2"]) as activations_of:
        parts = torch.split(network.input.normalise(pictures.to(network.device)), 500)
        return torch.cat([activations_of(part)["conv2"].sum((2, 3)) for part in parts]).cpu()


def _views(seed: int) -> tuple[str, str]:
    views = "--transform rotate=12 --transform scale=0.9,1,1.1 --transform jitter=2"
    return (
        f"--penalty l1=0.02 --penalty tv=0.02 {views}{_flag(seed)}",
        f"transforms=[rotate(12), scale([0.9, 1, 1.1]), jitter(2)]{_argument(seed)})",
    )


def _flag(seed: int) -> str:
    return f" --seed {seed}" if seed else ""


def _argument(seed: int) -> str:
    return f", seed={seed}" if seed else ""
