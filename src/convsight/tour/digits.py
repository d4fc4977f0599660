"""Chapter 1: what the lecture's digit network sees, rows L1 to L5."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from convsight.activations import read
from convsight.image import show
from convsight.image.data import load_digits
from convsight.image.judge import Verdict, judge
from convsight.network import Network, load
from convsight.objectives import Objective, channel, l1, logit, neuron, total_variation
from convsight.parametrization import pixels, principal
from convsight.pictures import grid, png
from convsight.tour.page import Picture, Section
from convsight.transforms import Transform, jitter, rotate, scale
from convsight.visualize import visualize

TITLE = "1. Inside a network that reads digits"
SECTIONS = 7
NETWORKS = ("digits",)
SEEDS = range(5)
DIGITS = range(10)
STEPS = 256
VIEWS = (rotate(12), scale((0.9, 1.0, 1.1)), jitter(2))


def introduction() -> str:
    """What the network is, and how good."""
    return (
        "The network of the lecture: 25 filters of 3x3, max pooling, 50 filters of 3x3, max pooling, a fully connected layer "
        f"of 128 neurons, ten outputs. Trained on MNIST: {load('digits').card['figure']}. From here on its weights are fixed, "
        "and the input is the parameter: gradient ascent looks for the picture that excites one part of it most."
    )


def sections(seed: int, device: str) -> Iterator[Section]:
    """The chapter's sections, each computed when it is asked for, on `device`."""
    network = load("digits").to(device)
    yield _first_filters(network)
    yield _second_filters(network, seed)
    yield _neurons(network, seed)
    flags = f" --seed {seed}" if seed else ""
    argument = f", seed={seed}" if seed else ""
    yield _classes(
        network, seed, logit(DIGITS), (), row="L4", title="Ten outputs, bare",
        claim="The best input for “1” ought to look like a 1. It doesn't: it looks like noise, and the network is sure of it.",
        command=f"convsight see digits output{flags}",
        python=f"visualize(net, logit(range(10)){argument})",
        comment="The network is sure of every one of them.",
    )  # fmt: skip
    yield _classes(
        network, seed, logit(DIGITS) - 0.02 * l1(), (), row="L5", title="Ten outputs, with L1",
        claim="Ink should be rare. Maximise y_i minus the sum of |x_ij|, and, the lecture says, it gets somewhat better.",
        command=f"convsight see digits output --penalty l1=0.02{flags}",
        python=f"visualize(net, logit(range(10)) - 0.02 * l1(){argument})",
        comment="Do the judges find it better too? Compare their counts with those above. The weight of 0.02 is our choice; "
        "the lecture writes none.",
    )  # fmt: skip
    goal = logit(DIGITS) - 0.02 * l1() - 0.02 * total_variation()
    flags = f"--penalty l1=0.02 --penalty tv=0.02 --transform rotate=12 --transform scale=0.9,1,1.1 --transform jitter=2{flags}"
    arguments = f"transforms=[rotate(12), scale([0.9, 1, 1.1]), jitter(2)]{argument})"
    yield _classes(
        network, seed, goal, VIEWS, row="L5", title="Ten outputs, from many views",
        claim="Beyond the lecture: a digit is still that digit when it is turned, scaled or moved a little.",
        command=f"convsight see digits output {flags}",
        python=f"visualize(net, logit(range(10)) - 0.02 * l1() - 0.02 * total_variation(), {arguments}",
        comment="At each step the network is shown another view of the picture, so only what works from all of them stays.",
    )  # fmt: skip
    yield _classes(
        network, seed, goal, VIEWS, like=load_digits(None, "train").pictures(),
        row="L5", title="Ten outputs, held to what digits have in common",
        claim="Beyond the lecture: the picture may only be the mean of real digits plus some of their 40 principal components.",
        command=f"convsight see digits output --like digits {flags}",
        python='from convsight.image.data import load_digits; digits = load_digits(None, "train").pictures(); '
        f"visualize(net, logit(range(10)) - 0.02 * l1() - 0.02 * total_variation(), principal(digits, 10, seed={seed}), "
        f"{arguments}",
        comment="This prior knows how ink lies on such pictures, from 4,000 digits without their labels; which digit is "
        "which, only the network says.",
    )  # fmt: skip


def _first_filters(network: Network) -> Section:
    _, filters = show.filters(network)
    return Section(
        row="L1",
        title="25 filters that look at pixels",
        claim="A filter of the first layer sees nine pixels, so its weights can be read as a picture of what it detects.",
        picture=Picture(
            png(show.sheet(filters)),
            f"{len(filters)} filters of 3 by 3 weights in grey",
            "convsight filters digits",
            "from convsight.image import show; name, pictures = show.filters(net)",
        ),
        finding="All on one scale: white for a weight that wants light, black for one that wants dark, grey for zero. "
        "Most want light on one side and dark on the other: edges of every direction.",
    )


def _second_filters(network: Network, seed: int) -> Section:
    objective = channel("conv2", range(50))
    result = visualize(network, objective, steps=STEPS, seed=seed)
    samples = load_digits(None, "train")
    best_real = _degrees(network, samples.pictures()).amax(0)
    better = int((result.score > best_real).sum())
    return Section(
        row="L2",
        title="50 filters behind them",
        claim="A filter of the second layer spans 25 channels, so its weights say nothing to us. Find the input that maximises "
        "its degree of activation, the sum of its map: each turns out to detect a texture, mostly lines of one direction.",
        picture=Picture(
            png(grid(result.input, columns=10)),
            "50 textures, mostly stripes of one direction each",
            f"convsight see digits conv2{f' --seed {seed}' if seed else ''}",
            f'visualize(net, channel("conv2", range(50)){f", seed={seed}" if seed else ""})',
        ),
        finding=f"{better} of the 50 pictures excite their filter more than any of {len(samples.labels):,} real digits does: "
        f"its degree is {result.score.median():.0f} in the median, that of the best real digit {best_real.median():.0f} "
        "(sums before the ReLU, so they may be negative).",
    )


def _degrees(network: Network, pictures: Tensor) -> Tensor:
    """The degree of activation of every second-layer filter on every picture: (B, 50)."""
    with torch.no_grad(), read(network.module, ["conv2"]) as activations_of:
        parts = torch.split(network.input.normalise(pictures.to(network.device)), 500)
        return torch.cat([activations_of(part)["conv2"].sum((2, 3)) for part in parts]).cpu()


def _neurons(network: Network, seed: int) -> Section:
    result = visualize(network, neuron("fc1", range(9)), steps=STEPS, seed=seed)
    return Section(
        row="L3",
        title="Nine fully connected neurons",
        claim="After flattening, a neuron sees the whole picture. What excites it most is no longer a texture but a figure.",
        picture=Picture(
            png(grid(result.input)),
            "Nine pictures, each a figure that fills the frame",
            f"convsight see digits fc1 --unit 0-8{f' --seed {seed}' if seed else ''}",
            f'visualize(net, neuron("fc1", range(9)){f", seed={seed}" if seed else ""})',
        ),
        finding="Unlike above, no pattern repeats: each picture is one arrangement of strokes, with its parts at fixed places.",
    )


def _classes(
    network: Network, seed: int, objective: Objective, views: Sequence[Transform], *, like: Tensor | None = None,
    row: str, title: str, claim: str, command: str, python: str, comment: str,
) -> Section:  # fmt: skip
    runs = []
    for more in SEEDS:
        stored = pixels(network.input.shape, 10, seed=seed + more) if like is None else principal(like, 10, seed=seed + more)
        runs.append(visualize(network, objective, stored, steps=STEPS, transforms=views, seed=seed + more))
    verdicts = [judge(result.input) for result in runs]
    by_pixels, by_network, by_both = counts(verdicts)
    every = len(SEEDS) * len(DIGITS)
    network.module.eval()
    with torch.no_grad():
        own = sum(int((network(run.input.to(network.device)).argmax(1).cpu() == torch.arange(10)).sum()) for run in runs)
    finding = (
        f"{comment} The network itself names {own} of {every} (ten digits from each of {len(SEEDS)} seeds). "
        f"Two judges that it never met: nearest neighbours among real digits name {by_pixels} of {every}, "
        f"another network {by_network}, both at once {by_both}. Below, what they call the ten pictures above."
    )
    table = (
        ("picture of", *map(str, DIGITS)),
        ("nearest neighbours", *(str(each.neighbours) for each in verdicts[0])),
        ("another network", *(str(each.network) for each in verdicts[0])),
    )
    picture = Picture(png(grid(runs[0].input)), f"Ten pictures, for the digits 0 to 9: {title}", command, python)
    return Section(row, title, claim, picture, finding, table)


def counts(verdicts: Sequence[Sequence[Verdict]]) -> tuple[int, int, int]:
    """How many pictures of the digits 0 to 9 are named right by the first judge, by the second, and by both."""
    pairs = [(each.neighbours == digit, each.network == digit) for run in verdicts for digit, each in enumerate(run)]
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs), sum(all(pair) for pair in pairs)
