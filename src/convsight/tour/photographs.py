"""Networks that see photographs, in rows L1, L2, L4, L6 and L7."""

from __future__ import annotations

import torch
from torch import Tensor

from convsight import objectives
from convsight.activations import read
from convsight.image import dream, show, style
from convsight.image.data import photograph
from convsight.image.pretrained import vgg16
from convsight.image.resize import longest, resized
from convsight.network import Network, load
from convsight.objectives import channel, logit
from convsight.pictures import grid, png
from convsight.tour.measures import grown_apart, plane_share
from convsight.tour.page import Answer, Original, Picture, Section
from convsight.transforms import photographic
from convsight.visualization import Visualization
from convsight.visualize import evaluate, visualize

NETWORKS = ("vgg16", "efficientnet_lite0", "efficientnet_lite2")
SIZE, STYLE_SIZE = 480, 384
CLASSES = ("daisy", "espresso", "volcano", "tabby")
VGG16 = (
    "The same loop on VGG16. Pictures are stored as spectra with decorrelated colours, and the network is shown views of them "
    "that are moved, turned and scaled a little. This copy was trained further to find edges, and many of its filters answer "
    "to nothing any more; those shown here do."
)
LITE = (
    "EfficientNet-Lite0 was trained on ImageNet's photographs; blocks.2, blocks.8 and blocks.13 are an early, a middle and a "
    "late one of its layers."
)
DEGREE = "The input that maximises the sum of a filter's map, in which what lies under zero counts a tenth."


def filters(_seed: int, _device: str) -> Section:
    """The first layer's weights as pictures in colours."""
    _, found = show.filters(load("vgg16"))
    edges = int((plane_share(found) > 0.5).sum())
    return Section(
        title="64 filters that look at colours",
        asked="Of photographs too a first filter can be read as a picture: here 3 by 3 pixels, in three colours.",
        picture=Picture(
            png(show.sheet(found)),
            f"{len(found)} filters of 3 by 3 weights in colour",
            "convsight filters vgg16",
            'from convsight.image import show; name, pictures = show.filters(load("vgg16"))',
        ),
        finding=f"In {edges} of the {len(found)} a gradient from light to dark, or from one colour to another, is more than "
        "half of what the weights differ by.",
        introduction="The same of VGG16, a network that was trained on ImageNet's photographs. Its weights were fetched from "
        "the package index when first asked for.",
    )


def edges(seed: int, device: str) -> Section:
    """What excites filters behind four convolutions."""
    finding = "Behind four convolutions a unit sees 14 pixels: stripes, dots."
    return _features(seed, device, "conv2_2", (1, 3, 12, 19, 21, 24), 96, "edges and dots", finding, VGG16)


def textures(seed: int, device: str) -> Section:
    """What excites filters behind seven convolutions."""
    finding = "Behind seven it sees 40: textures, repeated wherever there is room."
    return _features(seed, device, "conv3_3", (2, 3, 5, 11, 12, 14), 96, "textures", finding)


def parts(seed: int, device: str) -> Section:
    """What excites filters behind ten convolutions."""
    finding = "Behind ten it sees 92: what excites it begins to look like parts of things."
    return _features(seed, device, "conv4_3", (0, 1, 2, 3, 4, 5), 128, "parts", finding)


def dream_of_lines(seed: int, device: str) -> Section:
    """A dream in an early layer."""
    finding = "An early layer answers to edges, so the dream is all lines."
    return _dream(seed, device, "blocks.2", "lines and grids", finding, first=True)


def dream_of_curls(seed: int, device: str) -> Section:
    """A dream in a middle layer."""
    finding = "A middle layer answers to curves and parts, so they grow wherever there is a hint of one."
    return _dream(seed, device, "blocks.8", "curls and eyes", finding, answers=True)


def dream_of_arches(seed: int, device: str) -> Section:
    """A dream in a late layer."""
    finding = "A late layer answers to larger shapes, in fewer places: arches."
    return _dream(seed, device, "blocks.13", "fine lines and arches", finding)


def _features(
    seed: int, device: str, layer: str, units: tuple[int, ...], size: int, alt: str, finding: str, introduction: str = ""
) -> Section:
    network = load("vgg16").to(device)
    goal = channel(layer, units, below=0.1)
    start = evaluate(network.at(size), goal, torch.full((len(units), 3, size, size), 0.5))
    made = visualize(network.at(size), goal, steps=128, transforms=photographic(), seed=seed)
    flags, argument = _of_seed(seed)
    return Section(
        title=f"Six filters of {layer}",
        asked=DEGREE,
        picture=Picture(
            png(grid(made.input)),
            f"Six pictures: {alt}",
            f"convsight see vgg16 {layer} --unit {','.join(map(str, units))} --size {size} --steps 128{flags}",
            f'visualize(load("vgg16").at({size}), channel("{layer}", {list(units)}, below=0.1), steps=128, '
            f"transforms=photographic(){argument})",
        ),
        finding=f"{finding} That sum, taken before the ReLU, rises from {start.median():,.0f} on plain grey to "
        f"{made.score.median():,.0f} (medians of the six).",
        introduction=introduction,
    )


def classes(seed: int, device: str) -> Section:
    """Four of ImageNet's classes, and what another network takes the pictures for."""
    network = load("efficientnet_lite0").to(device)
    units = [network.unit(each) for each in CLASSES]
    made = visualize(network, logit(units), transforms=photographic(), seed=seed)
    judge = load("efficientnet_lite2")
    side = judge.input.shape[-1]
    with torch.no_grad():
        answers = judge(resized(made.input, side, side)).softmax(1)
    flags, argument = _of_seed(seed)
    named = [f"{judge.labels[int(each.argmax())]} ({each.max():.0%})" for each in answers]
    return Section(
        title="Four classes out of a thousand",
        asked="The best input for a class of EfficientNet-Lite0, another network for photographs: not bare, but as a spectrum "
        "that is seen from many views. Does it look like its class?",
        picture=Picture(
            png(grid(made.input)),
            f"Four pictures, for {', '.join(CLASSES)}",
            "convsight see efficientnet_lite0 output " + " ".join(f"--class {each}" for each in CLASSES) + flags,
            f'visualize(load("efficientnet_lite0"), logit({units}), transforms=photographic(){argument})',
        ),
        finding="EfficientNet-Lite2, which never saw the ascent, takes them for what stands below.",
        table=(("picture of", *CLASSES), ("another network", *named)),
    )


def _dream(
    seed: int, device: str, layer: str, alt: str, finding: str, *, first: bool = False, answers: bool = False
) -> Section:  # fmt: skip
    network = load("efficientnet_lite0").to(device)
    picture = longest(photograph("china"), SIZE)
    goal = objectives.dream(layer)
    before = evaluate(network, goal, picture).cpu()
    made = dream.dream(network, picture, goal, seed=seed)
    asleep, dreaming = (_activation(network, layer, each) for each in (picture, made.input))
    more, less = grown_apart(asleep, dreaming)
    louder, count = int((dreaming.square().sum((0, 2, 3)) > asleep.square().sum((0, 2, 3))).sum()), asleep.shape[1]
    filters = f"grew {(made.score / before).item():.1f} times, and {louder} of the {count} filters answer more in all"
    places = f"{more:.0%} of the numbers that were positive are more positive, {less:.0%} of the negative more negative"
    flags, argument = _of_seed(seed)
    answer = Answer(
        "yes" if min(more, less) > 0.5 else "in part",
        f"In {layer}, the middle one of the layers below, half the squared norm of the answer {filters}: filter by filter the "
        f"network exaggerates what it sees. Place by place {places}: where that is less than half, the answer is no larger "
        "copy of what it was; much of it is new there.",
    )
    return Section(
        title=f"Deep Dream in {layer}",
        asked="Gradient ascent on the photograph, from small to large, on half the squared norm of the layer's answer, whose "
        "gradient is the answer itself.",
        picture=Picture(
            _photographic_png(made),
            f"A Chinese temple, overgrown by {alt}",
            f"convsight dream china --size {SIZE} --layer {layer}{flags}",
            "from convsight.image import data, dream as dreaming, resize; "
            f'dreaming.dream(load("efficientnet_lite0"), resize.longest(data.photograph("china"), {SIZE}), '
            f'dream("{layer}"){argument})',
            smooth=True,
        ),
        finding=f"{finding} What the ascent maximises {filters}. Place by place {places}.",
        originals=(_original("china", SIZE),) if first else (),
        answer=answer if answers else None,
        introduction=LITE if first else "",
    )


def style_of_a_flower(seed: int, device: str) -> Section:
    """The temple in the style of a photograph of a flower, and how near it came to both."""
    network = vgg16(pooling="average").to(device)
    painting = style.Painting(photograph("flower"))
    made = style.transfer(network, photograph("china"), [painting], size=STYLE_SIZE, seed=seed)
    before = longest(photograph("china"), STYLE_SIZE)
    other = resized(painting.picture, *before.shape[-2:])
    content, none = (_content_difference(network, before, each) for each in (made.input, other))
    manner = _style_difference(network, painting, before, made.input)
    flags, argument = _of_seed(seed)
    answer = Answer(
        "yes" if manner < 0.25 and content < none / 2 else "in part",
        f"In how answers go together the picture is {manner:.0%} as far from the flower as the temple's photograph is (squared "
        f"differences). In the answers themselves it is {content:.0%} of their size away from that photograph, where the "
        f"flower would be {none:.0%}. So it has both, at a price in content that the weight of the style sets. Whether these "
        "two are what people call content and style, the eye says.",
    )
    return Section(
        title="Deep Style",
        asked="L-BFGS on the picture, from the photograph, coarse to fine; content and style are read from VGG16.",
        picture=Picture(
            _photographic_png(made),
            "The temple in the colours and strokes of a dahlia's petals",
            f"convsight style china flower --size {STYLE_SIZE}{flags}",
            "from convsight.image import data, pretrained, style; "
            'style.transfer(pretrained.vgg16(pooling="average"), data.photograph("china"), '
            f'[style.Painting(data.photograph("flower"))], size={STYLE_SIZE}{argument})',
            smooth=True,
        ),
        originals=(_original("china", STYLE_SIZE), _original("flower", STYLE_SIZE)),
        finding=f"The style is that of a photograph of a dahlia; give a painting of yours. In {len(made.scores)} steps the "
        f"loss fell from {-made.scores[0].item():.2f} to {-made.score.item():.2f}.",
        answer=answer,
    )


def _content_difference(network: Network, photograph: Tensor, made: Tensor) -> float:
    """The squared difference between what the content layer answers to both, as a part of that to `photograph`, squared."""
    there, here = (_activation(network, style.CONTENT_LAYER, each) for each in (photograph, made))
    return float((here - there).square().mean() / there.square().mean())


def _style_difference(network: Network, painting: style.Painting, photograph: Tensor, made: Tensor) -> float:
    """The style loss of `made` as a part of that of `photograph`."""
    alone, both = (
        style.likeness(
            network, style.with_margin(photograph), [painting], style_weight=weight, painting_size=STYLE_SIZE,
            precision=torch.float32,
        )
        for weight in (0.0, 1.0)
    )  # fmt: skip
    start, end = (
        evaluate(network, alone, picture, precision=torch.float32) - evaluate(network, both, picture, precision=torch.float32)
        for picture in map(style.with_margin, (photograph, made))
    )
    return float(end / start)


def _activation(network: Network, layer: str, picture: Tensor) -> Tensor:
    with torch.no_grad(), read(network.module, [layer]) as activations_of:
        return activations_of(network.input.normalise(picture.to(network.device)))[layer].cpu()


def _original(name: str, size: int) -> Original:
    shown = {"china": "The photograph of a temple", "flower": "The photograph of a dahlia"}
    return Original(png(longest(photograph(name), size)[0]), shown[name])


def _photographic_png(made: Visualization) -> bytes:
    return png(made.sheet(enlarge=1))


def _of_seed(seed: int) -> tuple[str, str]:
    return (f" --seed {seed}", f", seed={seed}") if seed else ("", "")
