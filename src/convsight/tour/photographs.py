"""Chapter 2: networks that see photographs, rows L1, L2, L4, L6 and L7."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from convsight import objectives
from convsight.image import dream, show, style
from convsight.image.data import photograph
from convsight.image.pretrained import vgg16
from convsight.image.resize import longest, resized
from convsight.network import Network, load
from convsight.objectives import channel, logit
from convsight.pictures import grid, png
from convsight.tour.page import Picture, Section
from convsight.transforms import photographic
from convsight.visualization import Visualization
from convsight.visualize import evaluate, visualize

TITLE = "2. Networks that see photographs"
SECTIONS = 9
NETWORKS = ("vgg16", "efficientnet_lite0", "efficientnet_lite2")
SIZE, STYLE_SIZE = 480, 384
CLASSES = ("daisy", "espresso", "volcano", "tabby")

_FEATURES = (
    (
        "conv2_2",
        (1, 3, 12, 19, 21, 24),
        96,
        "edges and dots",
        "Behind four convolutions a unit sees 14 pixels: stripes, dots.",
    ),
    ("conv3_3", (2, 3, 5, 11, 12, 14), 96, "textures", "Behind seven it sees 40: textures, repeated wherever there is room."),
    (
        "conv4_3",
        (0, 1, 2, 3, 4, 5),
        128,
        "parts",
        "Behind ten it sees 92: what excites it begins to look like parts of things.",
    ),
)
_DREAMS = (
    ("blocks.2", "lines and grids", "An early layer answers to edges, so the dream is all lines."),
    ("blocks.8", "curls and eyes", "A middle layer answers to curves and parts, so they grow wherever there is a hint of one."),
    (
        "blocks.13",
        "fine lines and arches",
        "A late layer answers to larger shapes, in fewer places: arches.",
    ),
)


def introduction() -> str:
    """Which networks, and where they come from."""
    return (
        "The same loop, on networks that were trained on ImageNet's photographs: VGG16 and EfficientNet-Lite0. Their weights "
        "were fetched from the package index when first asked for. Pictures are stored as spectra with decorrelated colours, "
        "and the network is shown views of them that are moved, turned and scaled a little. This copy of VGG16 was trained "
        "further to find edges, and many of its filters answer to nothing any more; the ones below do."
    )


def sections(seed: int, device: str) -> Iterator[Section]:
    """The chapter's sections, each computed when it is asked for, on `device`."""
    vgg, lite = load("vgg16").to(device), load("efficientnet_lite0").to(device)
    yield _filters(vgg)
    for layer, units, size, alt, finding in _FEATURES:
        yield _features(vgg, seed, layer, units, size, alt, finding)
    yield _classes(lite, seed)
    for layer, alt, finding in _DREAMS:
        yield _dream(lite, seed, layer, alt, finding)
    yield _style(vgg16(pooling="average").to(device), seed)


def _filters(network: Network) -> Section:
    _, filters = show.filters(network)
    return Section(
        row="L1",
        title="64 filters that look at colours",
        claim="Of photographs too a first filter can be read as a picture: here 3 by 3 pixels, in three colours.",
        picture=Picture(
            png(show.sheet(filters)),
            f"{len(filters)} filters of 3 by 3 weights in colour",
            "convsight filters vgg16",
            'from convsight.image import show; name, pictures = show.filters(load("vgg16"))',
        ),
        finding="Some tell light from dark in one direction, some one colour from another.",
    )


def _features(network: Network, seed: int, layer: str, units: tuple[int, ...], size: int, alt: str, finding: str) -> Section:
    goal = channel(layer, units, below=0.1)
    start = evaluate(network.at(size), goal, torch.full((len(units), 3, size, size), 0.5))
    made = visualize(network.at(size), goal, steps=128, transforms=photographic(), seed=seed)
    flags, argument = _of_seed(seed)
    return Section(
        row="L2",
        title=f"Six filters of {layer}",
        claim="The input that maximises a filter's degree of activation, the sum of its map.",
        picture=Picture(
            png(grid(made.input)),
            f"Six pictures: {alt}",
            f"convsight see vgg16 {layer} --unit {','.join(map(str, units))} --size {size} --steps 128{flags}",
            f'visualize(load("vgg16").at({size}), channel("{layer}", {list(units)}, below=0.1), steps=128, '
            f"transforms=photographic(){argument})",
        ),
        finding=f"{finding} The degree of activation rises from {start.median():,.0f} on plain grey to "
        f"{made.score.median():,.0f} (medians of the six, before the ReLU).",
    )


def _classes(network: Network, seed: int) -> Section:
    units = [network.unit(each) for each in CLASSES]
    made = visualize(network, logit(units), transforms=photographic(), seed=seed)
    judge = load("efficientnet_lite2")
    side = judge.input.shape[-1]
    with torch.no_grad():
        answers = judge(resized(made.input, side, side)).softmax(1)
    flags, argument = _of_seed(seed)
    named = [f"{judge.labels[int(each.argmax())]} ({each.max():.0%})" for each in answers]
    return Section(
        row="L4",
        title="Four classes out of a thousand",
        claim="The best input for a class, found as for the ten digits. Does it look like one?",
        picture=Picture(
            png(grid(made.input)),
            f"Four pictures, for {', '.join(CLASSES)}",
            "convsight see efficientnet_lite0 output " + " ".join(f"--class {each}" for each in CLASSES) + flags,
            f'visualize(load("efficientnet_lite0"), logit({units}), transforms=photographic(){argument})',
        ),
        finding="EfficientNet-Lite2, which never saw the ascent, takes them for what stands below.",
        table=(("picture of", *CLASSES), ("another network", *named)),
    )


def _dream(network: Network, seed: int, layer: str, alt: str, finding: str) -> Section:
    picture = longest(photograph("china"), SIZE)
    goal = objectives.dream(layer)
    before = evaluate(network, goal, picture).cpu()
    made = dream.dream(network, picture, goal, seed=seed)
    flags, argument = _of_seed(seed)
    return Section(
        row="L6",
        title=f"Deep Dream in {layer}",
        claim="Take what a layer answers to a photograph, make the positive more positive and the negative more negative, and "
        "change the photograph accordingly.",
        picture=Picture(
            _photographic_png(made),
            f"A Chinese temple, overgrown by {alt}",
            f"convsight dream china --size {SIZE} --layer {layer}{flags}",
            "from convsight.image import data, dream as dreaming, resize; "
            f'dreaming.dream(load("efficientnet_lite0"), resize.longest(data.photograph("china"), {SIZE}), '
            f'dream("{layer}"){argument})',
            smooth=True,
        ),
        finding=f"{finding} Half the squared norm of the layer's answer, which the ascent maximises, grew "
        f"{(made.score / before).item():.0f} times.",
    )


def _style(network: Network, seed: int) -> Section:
    painting = style.Painting(photograph("flower"))
    made = style.transfer(network, photograph("china"), [painting], size=STYLE_SIZE, seed=seed)
    flags, argument = _of_seed(seed)
    return Section(
        row="L7",
        title="Deep Style",
        claim="Content is what the filters answer; style is how their answers go together. Find the picture with the content "
        "of one photograph and the style of another picture.",
        picture=Picture(
            _photographic_png(made),
            "The temple in the colours and strokes of a dahlia's petals",
            f"convsight style china flower --size {STYLE_SIZE}{flags}",
            "from convsight.image import data, pretrained, style; "
            'style.transfer(pretrained.vgg16(pooling="average"), data.photograph("china"), '
            f'[style.Painting(data.photograph("flower"))], size={STYLE_SIZE}{argument})',
            smooth=True,
        ),
        finding=f"The style is that of a photograph of a dahlia; give a painting of yours. In {len(made.scores)} steps the "
        f"loss fell from {-made.scores[0].item():.2f} to {-made.score.item():.2f}.",
    )


def _photographic_png(made: Visualization) -> bytes:
    return png(made.sheet(enlarge=1))


def _of_seed(seed: int) -> tuple[str, str]:
    return (f" --seed {seed}", f", seed={seed}") if seed else ("", "")
