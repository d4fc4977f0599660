"""Which network fits which data, row L12."""

from __future__ import annotations

from functools import partial

from convsight.fit import changes, properties, views
from convsight.fit.applications import digits
from convsight.fit.bench import Bench
from convsight.fit.data import samples
from convsight.fit.properties import Along
from convsight.pictures import png
from convsight.tour.page import Answer, Picture, Section

NETWORKS = ()
COUNT, STEPS = 2_000, 100
AXIS = "height"
MEASURED = (
    ("data, along", "filters", "pooling", "recommended", "usual 3x3, 2x2", "fully connected"),
    ("digits, height", "slide", "by 4", "97.2%", "96.8%", "94.1%"),
    ("digits, width", "slide", "by 4", "", "", ""),
    ("Go, row", "slide", "none", "25.6%", "4.6%", "1.8%"),
    ("Go, column", "slide", "none", "", "", ""),
    ("text, time", "slide", "by 2 or 4, or over all", "70.1%", "67.5%", "64.7%"),
    ("text, embedding", "span", "", "", "", ""),
    ("speech, frequency", "slide", "by 2", "77.2%", "79.6%", "72.5%"),
    ("speech, time", "span", "", "", "", ""),
)  # benchmarks/fit.md


def asked(_seed: int, device: str) -> Section:
    """What is asked of data, and what four applications answer."""
    known = digits(None)
    some = samples(known.x, known.y, axes=known.axes, most=COUNT)
    bench = Bench(some, STEPS, device=device.partition(":")[0])
    usual = properties.network(some, {axis: Along(5) for axis in some.lengths}, filters=16)
    spanning = properties.network(some, {axis: Along(None if axis == AXIS else 5) for axis in some.lengths}, filters=16)
    place = 2 + some.axes.index(AXIS)
    half = partial(changes.subsampled, place=place, factor=2)
    mixed = partial(changes.reordered, place=place)
    slid, spanned, halved, reordered = (
        float(each.mean())
        for each in (
            bench.scores(usual, "sliding"),
            bench.scores(spanning, "spanning"),
            bench.scores(usual, "half as fine", change=half, changed="half"),
            bench.scores(usual, "reordered", change=mixed, changed="reordered"),
        )
    )
    learnt = len(some) - len(some) // bench.parts
    return Section(
        title="Which of the three properties hold?",
        asked="Let small networks learn the data as they are, and changed along one axis. From the left: as they are; along "
        "the height half as fine, in another order, one half of them; the same along the width.",
        picture=Picture(
            png(views.asked(known.x, known.y, axes=known.axes).picture),
            "Four digits: as they are, and along each axis half as fine, in another order, and one half of them",
            "convsight fit digits",
            "from convsight.fit import applications, views; known = applications.digits(None); "
            "views.asked(known.x, known.y, axes=known.axes)",
        ),
        finding=f"A small network with filters that slide, having learnt {learnt:,} digits, gives the right answer for "
        f"others a probability of {slid:.1%} on average. With every two rows made one it is {halved:.1%}. With the rows in "
        f"another order, the same for all, it is {reordered:.1%}. If filters span the height, {spanned:.1%}. The command asks "
        "it all along each axis, with intervals, and learns the network that the answers call for. What four applications "
        "answered, and how often three networks are right in each:",
        table=MEASURED,
        answer=Answer(
            "in part",
            "Told arrays, labels, and of which game or voice each is, convsight fit comes to the lecture's own design for "
            "digits, Go and text with each of five seeds, for speech with four. For digits, Go and text it is right more often "
            "than the usual 3x3 and 2x2 in the same time: 97.2, 25.6 and 70.1% against 96.8, 4.6 and 67.5. For speech it is "
            "not (77.2 against 79.6%): the usual one, which slides along time, too, does better. Nor do the properties alone "
            "decide: that text's patterns recur was told with none of the seeds.",
        ),
        introduction="Patterns that are much smaller than the whole, and that appear in several places, call for filters that "
        "slide; objects that stay what they are with every other entry left out call for pooling. Each application must be "
        "asked anew, along each of its axes: so ask the data.",
    )
